import type { JsonValue } from '../json/scanner.ts'

/** Members of a JSON object by name. */
export type JsonObject = Readonly<Record<string, JsonValue>>

// What is missing or has a wrong type in metadata: the caller adds the file's name.
const wrong = (key: string, expected: string): TypeError => new TypeError(`"${key}" is not ${expected}`)

export const objectOf = (value: JsonValue | undefined, what: string): JsonObject => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(what, 'an object')
  return value
}

export const arrayAt = (object: JsonObject, key: string): readonly JsonValue[] => {
  const value = object[key]
  if (!Array.isArray(value)) throw wrong(key, 'a list')
  return value
}

export const stringAt = (object: JsonObject, key: string): string => {
  const value = object[key]
  if (typeof value !== 'string') throw wrong(key, 'a text')
  return value
}

/** An int of the format: schema ids, field ids, milliseconds. */
export const integerAt = (object: JsonObject, key: string): number => {
  const value = object[key]
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(key, 'an integer')
  return value
}

/** A long of the format: snapshot ids, sequence numbers. */
export const longAt = (object: JsonObject, key: string): bigint => {
  const value = object[key]
  if (typeof value === 'bigint') return value
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(key, 'an integer')
  return BigInt(value)
}

/** The value of `read` where the key is there and not null. */
export const optionalAt = <T>(
  object: JsonObject,
  key: string,
  read: (object: JsonObject, key: string) => T,
): T | undefined => (object[key] === undefined || object[key] === null ? undefined : read(object, key))
