import { awsPartition } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'

const refuse = (message: string): never => {
  throw new ConnectorError('config', message, {
    code: 'InvalidUrl',
    hint: 'Give path and query alone: /bucket/key?acl',
  })
}

/** The text with %XX resolved; what is no such sequence stays. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replace(/%[0-9a-f]{2}/gi, (sequence) => {
      try {
        return decodeURIComponent(sequence)
      } catch {
        return sequence
      }
    })
  }
}

const encodeSegments = (path: string): string =>
  path.replace(/[^A-Za-z0-9\-._~/]+/g, (text) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
  )

/**
 * Path and query of a URL that is relative to the endpoint. An absolute one has to be at that very endpoint: the
 * request carries the credentials' signature, and goes nowhere else.
 */
export const requestTarget = (
  url: string,
  options: { readonly region: string; readonly endpoint: string | undefined },
): { path: string; query: Record<string, string> } => {
  const base = new URL(
    options.endpoint ?? `https://s3.${options.region}.${awsPartition(options.region).suffix}`,
  )
  let rest = url.trim()
  if (/^[a-z][a-z0-9+.-]*:/i.test(rest) || rest.startsWith('//') || rest.startsWith('\\')) {
    const prefix = base.href.replace(/\/$/, '')
    if (rest !== prefix && !rest.startsWith(`${prefix}/`) && !rest.startsWith(`${prefix}?`))
      refuse(`The URL leads to another host than ${base.host}.`)
    rest = rest.slice(prefix.length)
  }
  const mark = rest.indexOf('?')
  const rawPath = mark === -1 ? rest : rest.slice(0, mark)
  const path = rawPath.startsWith('/') ? rawPath : `/${rawPath}`
  const query: Record<string, string> = {}
  for (const pair of mark === -1 ? [] : rest.slice(mark + 1).split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = equals === -1 ? pair : pair.slice(0, equals)
    const value = equals === -1 ? '' : pair.slice(equals + 1)
    // In a query a plus is a space, for S3 as well.
    query[decode(name.replaceAll('+', ' '))] = decode(value.replaceAll('+', ' '))
  }
  if (Object.keys(query).some((name) => /^x-amz-(signature|credential|security-token)$/i.test(name)))
    refuse('The URL is signed already.')
  return { path: encodeSegments(decode(path)), query }
}
