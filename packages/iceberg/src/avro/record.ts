import type { Value } from '../values/value.ts'
import { bigEndianInteger } from '../values/value.ts'
import {
  type Cursor,
  readBlocks,
  readBoolean,
  readBytes,
  readDouble,
  readFixed,
  readFloat,
  readInt,
  readLength,
  readLong,
  readString,
  skipBytes,
  skipLong,
} from './decoder.ts'
import type { AvroType } from './schema.ts'

/**
 * What is read of a writer's schema, and how it is named. Everything else is passed over. Fields are found by
 * Iceberg's field ids, since names differ between writers (`added_files_count`, `added_data_files_count`).
 */
export type Shape =
  /** The value: long and int as bigint, decimal unscaled, bytes and fixed as a copy. */
  | { readonly kind: 'value' }
  | { readonly kind: 'record'; readonly fields: Readonly<Record<number, readonly [name: string, Shape]>> }
  /** All fields, keyed by field id. */
  | { readonly kind: 'by-id' }
  | { readonly kind: 'list'; readonly item: Shape }
  /** A map with int keys, written as records of key and value; only these keys. */
  | { readonly kind: 'int-map'; readonly keys: ReadonlySet<number>; readonly value: Shape }

export type Decoded =
  | Value
  | null
  | undefined
  | readonly Decoded[]
  | DecodedRecord
  | ReadonlyMap<number, Decoded>
export interface DecodedRecord {
  readonly [name: string]: Decoded
}

type Read = (cursor: Cursor) => Decoded

/** Compiles the reader of a shape. Throws a TypeError when the writer's schema can't have it. */
export const compileShape = (type: AvroType, shape: Shape): Read => {
  if (type.kind === 'union') return union(type.branches.map((branch) => compileShape(branch, shape)))
  if (type.kind === 'null') return () => null
  switch (shape.kind) {
    case 'value':
      return compileValue(type)
    case 'record':
    case 'by-id':
      return compileRecord(type, shape)
    case 'list': {
      if (type.kind !== 'array') throw new TypeError('A list is missing in the Avro schema')
      const item = compileShape(type.items, shape.item)
      return (cursor) => {
        const items: Decoded[] = []
        readBlocks(cursor, () => items.push(item(cursor)))
        return items
      }
    }
    case 'int-map':
      return compileIntMap(type, shape)
  }
}

const union =
  (branches: readonly Read[]): Read =>
  (cursor) => {
    const branch = branches[readLength(cursor)]
    if (!branch) throw new RangeError('An Avro union has no such branch')
    return branch(cursor)
  }

const compileRecord = (type: AvroType, shape: Extract<Shape, { kind: 'record' | 'by-id' }>): Read => {
  if (type.kind !== 'record') throw new TypeError('A record is missing in the Avro schema')
  const steps = type.fields.map((field): readonly [string | undefined, Read] => {
    const wanted =
      shape.kind === 'by-id'
        ? ([String(field.fieldId ?? field.name), { kind: 'value' }] as const)
        : field.fieldId === undefined
          ? undefined
          : shape.fields[field.fieldId]
    return wanted ? [wanted[0], compileShape(field.type, wanted[1])] : [undefined, compileSkip(field.type)]
  })
  return (cursor) => {
    const record: Record<string, Decoded> = {}
    for (const [name, read] of steps) {
      const value = read(cursor)
      if (name !== undefined) record[name] = value
    }
    return record
  }
}

const compileIntMap = (type: AvroType, shape: Extract<Shape, { kind: 'int-map' }>): Read => {
  if (type.kind !== 'array' || type.items.kind !== 'record')
    throw new TypeError('A map with int keys is missing in the Avro schema')
  const [key, value] = type.items.fields
  if (key?.type.kind !== 'int' || !value || type.items.fields.length !== 2)
    throw new TypeError('A map in the Avro schema has no int key')
  const read = compileShape(value.type, shape.value)
  const skip = compileSkip(value.type)
  if (shape.keys.size === 0) return compileSkip(type)
  return (cursor) => {
    const entries = new Map<number, Decoded>()
    readBlocks(cursor, () => {
      const id = readInt(cursor)
      if (shape.keys.has(id)) entries.set(id, read(cursor))
      else skip(cursor)
    })
    return entries
  }
}

const compileValue = (type: AvroType): Read => {
  switch (type.kind) {
    case 'boolean':
      return readBoolean
    case 'int':
      return (cursor) => BigInt(readInt(cursor))
    case 'long':
      return readLong
    case 'float':
      return readFloat
    case 'double':
      return readDouble
    case 'string':
      return readString
    case 'bytes':
      // A view would keep the whole manifest in memory for a bound of a few bytes.
      return type.logical?.name === 'decimal'
        ? (cursor) => bigEndianInteger(readBytes(cursor))
        : (cursor) => readBytes(cursor).slice()
    case 'fixed': {
      const { size } = type
      return type.logical?.name === 'decimal'
        ? (cursor) => bigEndianInteger(readFixed(cursor, size))
        : (cursor) => readFixed(cursor, size).slice()
    }
    case 'enum':
      return (cursor) => type.symbols[readLength(cursor)]
    default:
      throw new TypeError(`A value is missing in the Avro schema, which has a ${type.kind}`)
  }
}

/** Passes over a value of any type. */
export const compileSkip = (type: AvroType): ((cursor: Cursor) => undefined) => {
  switch (type.kind) {
    case 'null':
      return () => undefined
    case 'boolean':
      return (cursor) => void skipBytes(cursor, 1)
    case 'int':
    case 'long':
    case 'enum':
      return (cursor) => void skipLong(cursor)
    case 'float':
      return (cursor) => void skipBytes(cursor, 4)
    case 'double':
      return (cursor) => void skipBytes(cursor, 8)
    case 'bytes':
    case 'string':
      return (cursor) => void skipBytes(cursor, readLength(cursor))
    case 'fixed':
      return (cursor) => void skipBytes(cursor, type.size)
    case 'union': {
      const skip = union(type.branches.map(compileSkip))
      return (cursor) => void skip(cursor)
    }
    case 'array': {
      const item = lazily(() => compileSkip(type.items))
      return (cursor) => void readBlocks(cursor, () => item(cursor), true)
    }
    case 'map': {
      const value = lazily(() => compileSkip(type.values))
      const entry = (cursor: Cursor) => {
        skipBytes(cursor, readLength(cursor))
        value(cursor)
      }
      return (cursor) => void readBlocks(cursor, () => entry(cursor), true)
    }
    case 'record': {
      const fields = type.fields.map((field) => lazily(() => compileSkip(field.type)))
      return (cursor) => {
        for (const skip of fields) skip(cursor)
        return undefined
      }
    }
  }
}

/** Avro types may contain themselves: compiled when they are met. */
const lazily = (make: () => (cursor: Cursor) => undefined): ((cursor: Cursor) => undefined) => {
  let made: ((cursor: Cursor) => undefined) | undefined
  return (cursor) => {
    made ??= make()
    return made(cursor)
  }
}
