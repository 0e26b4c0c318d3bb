const unreserved = /^[A-Za-z0-9\-._~]*$/
const unreservedPath = /^[A-Za-z0-9\-._~/]*$/

const hex: string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return unreserved.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/**
 * SigV4's UriEncode over a byte string (one character per byte): everything but `A-Za-z0-9-._~` becomes `%XX`.
 * Source: AWS Signature Version 4, "Create a canonical request".
 */
export function encodeBytes(bytes: string, keepSlash = false): string {
  if ((keepSlash ? unreservedPath : unreserved).test(bytes)) return bytes
  let encoded = ''
  for (let index = 0; index < bytes.length; index++) {
    const code = bytes.charCodeAt(index)
    encoded += keepSlash && code === 0x2f ? '/' : (hex[code] as string)
  }
  return encoded
}

/** UriEncode of text, by its UTF-8 bytes. */
export const encodeText = (text: string, keepSlash = false): string => encodeBytes(utf8Bytes(text), keepSlash)

/** Text as a byte string: one character for each byte of its UTF-8 form. */
export function utf8Bytes(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The reverse of `utf8Bytes`; undefined where the bytes are no UTF-8. */
export function textOfBytes(bytes: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes
  try {
    return decoder.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}

/** Undoes percent-encoding into a byte string; undefined for a broken escape. */
export function decodePercent(encoded: string): string | undefined {
  if (!encoded.includes('%')) return encoded
  let broken = false
  const bytes = encoded.replace(/%(..?)?/g, (whole, digits: string | undefined) => {
    if (digits === undefined || !/^[0-9A-Fa-f]{2}$/.test(digits)) {
      broken = true
      return whole
    }
    return String.fromCharCode(Number.parseInt(digits, 16))
  })
  return broken ? undefined : bytes
}

/** One parameter of a query string; name and value are decoded byte strings. */
export interface QueryParameter {
  name: string
  value: string
  /** False for `?acl`, true for `?acl=`. */
  hasValue: boolean
}

/** Splits a raw query string (without `?`); undefined for a broken escape. A plus sign is a space, as in forms. */
export function parseRawQuery(raw: string): QueryParameter[] | undefined {
  const parameters: QueryParameter[] = []
  for (const part of raw.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decodePercent((equals < 0 ? part : part.slice(0, equals)).replaceAll('+', ' '))
    const value = equals < 0 ? '' : decodePercent(part.slice(equals + 1).replaceAll('+', ' '))
    if (name === undefined || value === undefined) return undefined
    parameters.push({ name, value, hasValue: equals >= 0 })
  }
  return parameters
}
