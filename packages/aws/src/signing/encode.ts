const unreserved = /^[A-Za-z0-9\-._~]*$/
const unreservedPath = /^[A-Za-z0-9\-._~/]*$/

/** JavaScript's own encoding leaves these as they are. */
const left = /[!'()*]/g
const encoded = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

const encodeAll = (text: string): string => encodeURIComponent(text.toWellFormed()).replace(left, encoded)

/** URI encoding of Signature Version 4: every byte but A-Z a-z 0-9 - . _ ~ as %XX in capitals. */
export const encodeUri = (text: string): string => (unreserved.test(text) ? text : encodeAll(text))

/** A key as the path of a request: like {@link encodeUri}, slashes stay. Nothing is normalised: `a/../b` is a key. */
export const encodeKey = (key: string): string =>
  unreservedPath.test(key) ? key : encodeAll(key).replaceAll('%2F', '/')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Query in canonical order and encoding: the same text is signed and sent. */
export const encodeQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
