import type { Readable } from 'node:stream'
import { ConnectorError, type ErrorKind } from '@penstock/core'

const maxErrorBytes = 64 << 10

/** What S3 tells of a signature holds the session token. */
const signed =
  /<(CanonicalRequest|CanonicalRequestBytes|StringToSign|StringToSignBytes|SignatureProvided|Token-0)>[^<]*<\/\1>/g

/** Text of an error document, without what was signed. */
export const errorText = async (body: Readable): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxErrorBytes) break
  }
  return Buffer.concat(chunks).toString('utf8').replace(signed, '<$1>[secret]</$1>')
}

const kindOf = (status: number): ErrorKind => {
  if (status === 401) return 'auth'
  if (status === 403) return 'permission'
  if (status === 404) return 'not-found'
  if (status === 409 || status === 412) return 'conflict'
  if (status === 429 || status === 503) return 'throttled'
  return status >= 500 ? 'network' : 'config'
}

const field = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]

/** An answer of 400 and above as an error. */
export const refusal = (method: string, path: string, status: number, text: string): ConnectorError => {
  const code = field(text, 'Code') ?? `Http${status}`
  const message = field(text, 'Message')
  return new ConnectorError(
    kindOf(status),
    `${method} ${path} was refused (${code}, HTTP ${status})${message ? `: ${message}` : '.'}`,
    { code, hint: 'To get such an answer as a result, set fail to false (--no-fail).' },
  )
}
