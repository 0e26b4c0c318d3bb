import { createHash } from 'node:crypto'

/**
 * A value as a part of a name: letters and digits of any script stay, and the marks that neither shells, URLs nor
 * other systems mind; anything else, slashes above all, becomes `_`. A value of dots alone would be a path.
 */
export const safeText = (value: string): string => {
  const safe = value.normalize('NFC').replaceAll(/[^\p{L}\p{M}\p{N}!\-_.'()]/gu, '_')
  return /^\.+$/.test(safe) ? safe.replaceAll('.', '_') : safe
}

/** What Hive, and all who follow it, writes for null. */
const hiveNull = '__HIVE_DEFAULT_PARTITION__'

/** `key=value` of a partition folder, percent-encoded where a reader would stumble: `hivePartitions` of core reads it. */
export const partitionFolder = (column: string, value: string | null): string =>
  `${encoded(column)}=${value === null ? hiveNull : value === hiveNull ? `%5F${hiveNull.slice(1)}` : encoded(value)}`

const encoded = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[^\p{L}\p{M}\p{N} !\-_.()+@,]/gu, (character) =>
      Array.from(
        Buffer.from(character),
        (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
      ).join(''),
    )

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * A uuid that is always the same for the same names (version 8, RFC 9562): a run that is tried again writes the same
 * keys. A single name that is a uuid stands for itself.
 */
export const stableUuid = (...names: readonly string[]): string => {
  const [only = ''] = names
  if (names.length === 1 && uuidPattern.test(only)) return only.toLowerCase()
  const bytes = createHash('sha256').update(JSON.stringify(names)).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
