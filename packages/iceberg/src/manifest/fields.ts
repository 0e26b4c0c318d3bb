import type { Decoded, DecodedRecord } from '../avro/record.ts'

// What a record of a manifest has under a name; a missing or wrongly typed value is a TypeError, to which the caller
// adds the file.
const wrong = (name: string): TypeError => new TypeError(`"${name}" is missing or has a wrong type`)

export const longOf = (record: DecodedRecord, name: string): bigint => {
  const value = record[name]
  if (typeof value !== 'bigint') throw wrong(name)
  return value
}

export const textOf = (record: DecodedRecord, name: string): string => {
  const value = record[name]
  if (typeof value !== 'string') throw wrong(name)
  return value
}

export const recordOf = (record: DecodedRecord, name: string): DecodedRecord => {
  const value = record[name]
  if (!isRecord(value)) throw wrong(name)
  return value
}

/** The value where the writer knew the field and set it. */
export const optionally = <T>(
  record: DecodedRecord,
  name: string,
  read: (record: DecodedRecord, name: string) => T,
): T | undefined => (record[name] === undefined || record[name] === null ? undefined : read(record, name))

export const bytesOf = (record: DecodedRecord, name: string): Uint8Array => {
  const value = record[name]
  if (!(value instanceof Uint8Array)) throw wrong(name)
  return value
}

export const listOf = (record: DecodedRecord, name: string): readonly Decoded[] => {
  const value = record[name]
  if (!Array.isArray(value)) throw wrong(name)
  return value
}

export const mapOf = (record: DecodedRecord, name: string): ReadonlyMap<number, Decoded> => {
  const value = record[name]
  if (!(value instanceof Map)) throw wrong(name)
  return value
}

export const isRecord = (value: Decoded): value is DecodedRecord =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Map)
