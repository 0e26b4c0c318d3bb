/** Status line and headers of an answer of HTTP/1.1. */
export interface AnswerHead {
  readonly status: number
  /** Names in lower case; values of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>
}

/** Parses what stands before the empty line. Undefined when it is no answer of HTTP/1.1. */
export const parseHead = (text: string): AnswerHead | undefined => {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]
  if (status === undefined) return undefined
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) return undefined
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { status: Number(status), headers }
}

/** How many bytes follow a head; undefined where the head does not say: chunks, or up to the end of the connection. */
export const bodyLength = ({ status, headers }: AnswerHead): number | undefined => {
  if (status === 204 || status === 304) return 0
  const length = headers['content-length']
  return headers['transfer-encoding'] === undefined && length !== undefined && /^\d+$/.test(length)
    ? Number(length)
    : undefined
}

/** Error documents are small; what is longer is cut. */
const maxErrorBytes = 64 * 1024

/** The body of an error, of what is there of it: undefined while more has to come. */
export const errorText = (head: AnswerHead, bytes: Buffer, ended: boolean): string | undefined => {
  const length = bodyLength(head)
  const chunked = head.headers['transfer-encoding'] !== undefined
  const { body, complete } = chunked
    ? decodeChunks(bytes)
    : { body: bytes.subarray(0, length), complete: bytes.length >= (length ?? Number.POSITIVE_INFINITY) }
  return complete || ended ? body.toString('utf8', 0, Math.min(body.length, maxErrorBytes)) : undefined
}

/** Bytes of a body in chunks (RFC 9112, 7.1), as far as they are there; trailers are left out. */
const decodeChunks = (bytes: Buffer): { readonly body: Buffer; readonly complete: boolean } => {
  const parts: Buffer[] = []
  for (let position = 0; ; ) {
    const end = bytes.indexOf('\r\n', position)
    const size = end === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', position, end), 16)
    if (size === 0) return { body: Buffer.concat(parts), complete: bytes.indexOf('\r\n\r\n', end) !== -1 }
    if (Number.isNaN(size)) return { body: Buffer.concat(parts), complete: false }
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    position = end + 2 + size + 2
  }
}
