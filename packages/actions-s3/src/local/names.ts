/** What a name of a file must not be, or hold. */
export interface NameRules {
  /** Names and characters that Windows keeps for itself are encoded as well. */
  readonly windows: boolean
}

const platformRules: NameRules = { windows: process.platform === 'win32' }

const encodeByte = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is encoded
const unsafe = /[\0-\x1f\x7f/]|%(?=[01][0-9A-F]|7F|2[5EF])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is encoded
const unsafeOnWindows = /[\0-\x1f\x7f/\\<>:"|?*]|%(?=[0-9A-F]{2})|[. ]$/g
const device = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i

/** Stands for a segment without a character: no segment has a slash that is encoded. */
const emptySegment = '%2F'
const maxNameBytes = 255

const encodeSegment = (segment: string, { windows }: NameRules): string | undefined => {
  if (segment === '') return emptySegment
  if (segment === '.' || segment === '..') return segment.replaceAll('.', '%2E')
  const plain = segment.replace(windows ? unsafeOnWindows : unsafe, encodeByte)
  const name = windows && device.test(plain) ? `${encodeByte(plain)}${plain.slice(1)}` : plain
  return Buffer.byteLength(name) > maxNameBytes ? undefined : name
}

/**
 * The local path of a key, relative and with slashes, which stays below the folder that it is joined to: what has a
 * meaning for the file system (`.`, `..`, a leading or a double slash, NUL and other control characters; on Windows
 * also backslash, colon, `con` ...) is percent-encoded. Two keys have two paths, and {@link keyOfPath} leads back.
 * Undefined where a segment is longer than a file system takes.
 */
export const pathOfKey = (key: string, rules: NameRules = platformRules): string | undefined => {
  const names: string[] = []
  for (const segment of key.split('/')) {
    const name = encodeSegment(segment, rules)
    if (name === undefined) return undefined
    names.push(name)
  }
  return names.join('/')
}

/** The key of a path that {@link pathOfKey} gives; of another path the path itself. */
export const keyOfPath = (path: string, rules: NameRules = platformRules): string => {
  const key = path
    .split('/')
    .map((name) => (name === emptySegment ? '' : name.replace(/%([0-7][0-9A-F])/g, decodeByte)))
    .join('/')
  return pathOfKey(key, rules) === path ? key : path
}

const decodeByte = (_: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16))
