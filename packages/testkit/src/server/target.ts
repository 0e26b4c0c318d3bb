import { decodePercent, parseRawQuery, type QueryParameter, textOfBytes } from '../sigv4/encode.ts'

/** What the request line and the Host header say, read from the raw bytes: signatures depend on them. */
export interface Target {
  /** Decoded path as a byte string, with its leading slash. */
  pathBytes: string
  parameters: QueryParameter[]
  /** Empty for requests to the service itself. */
  bucketName: string
  /** Empty for requests to a bucket. */
  key: string
}

const amazonHost = /^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com$/

/** The bucket that a Host header names (virtual-host style); undefined for path-style hosts. */
export function bucketOfHost(host: string | undefined, domains: readonly string[]): string | undefined {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase()
  const amazon = amazonHost.exec(name)
  if (amazon) return amazon[1]
  for (const domain of domains) {
    if (name === domain) return undefined
    if (name.endsWith(`.${domain}`)) return name.slice(0, -domain.length - 1)
  }
  return undefined
}

/** Reads a raw request target; undefined when it can't be decoded (InvalidURI). */
export function readTarget(
  rawUrl: string,
  host: string | undefined,
  domains: readonly string[],
): Target | undefined {
  // Proxies are sent the absolute form: `GET http://host/path`.
  const relative = rawUrl.startsWith('/') ? rawUrl : rawUrl.replace(/^[a-z]+:\/\/[^/?]*/i, '')
  const mark = relative.indexOf('?')
  const rawPath = mark < 0 ? relative : relative.slice(0, mark)
  const pathBytes = decodePercent(rawPath === '' ? '/' : rawPath)
  const parameters = parseRawQuery(mark < 0 ? '' : relative.slice(mark + 1))
  const path = pathBytes === undefined ? undefined : textOfBytes(pathBytes)
  if (pathBytes === undefined || path === undefined || !path.startsWith('/') || !parameters) return undefined
  const hosted = bucketOfHost(host, domains)
  if (hosted !== undefined) return { pathBytes, parameters, bucketName: hosted, key: path.slice(1) }
  const slash = path.indexOf('/', 1)
  return {
    pathBytes,
    parameters,
    bucketName: slash < 0 ? path.slice(1) : path.slice(1, slash),
    key: slash < 0 ? '' : path.slice(slash + 1),
  }
}
