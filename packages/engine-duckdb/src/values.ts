import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  type DuckDBValue,
  DuckDBVariantValue,
} from '@duckdb/node-api'

/**
 * A DuckDB value as plain JavaScript, without loss:
 * - integers: number up to 2^53 - 1, bigint beyond
 * - decimals: text with all of their digits, since a number would round them
 * - dates, times, timestamps: ISO 8601 text with all of their digits; instants in UTC with `Z`
 * - blobs: Uint8Array; UUIDs, intervals, bit strings: text; JSON: its text
 * - lists and arrays: arrays; structs: objects; maps: arrays of `[key, value]`; unions: the value
 */
export const plainValue = (value: DuckDBValue): unknown => {
  if (value === null || typeof value !== 'object')
    return typeof value === 'bigint' ? plainInteger(value) : value
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(plainValue)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([name, entry]) => [name, plainValue(entry)]))
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => [plainValue(entry.key), plainValue(entry.value)])
  if (value instanceof DuckDBUnionValue || value instanceof DuckDBVariantValue) return plainValue(value.value)
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes)
  // Its own text has the offset of this machine's time zone.
  if (value instanceof DuckDBTimestampTZValue)
    return isoText(new DuckDBTimestampValue(value.micros).toString(), value.isFinite ? 'Z' : '')
  if (isTimestamp(value)) return isoText(value.toString(), '')
  return value.toString()
}

const plainInteger = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const isTimestamp = (value: object): boolean =>
  value instanceof DuckDBTimestampValue ||
  value instanceof DuckDBTimestampSecondsValue ||
  value instanceof DuckDBTimestampMillisecondsValue ||
  value instanceof DuckDBTimestampNanosecondsValue

/** Years before Christ and infinities stay as DuckDB writes them. */
const isoText = (text: string, zone: string): string =>
  /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(text) ? `${text.replace(' ', 'T')}${zone}` : text
