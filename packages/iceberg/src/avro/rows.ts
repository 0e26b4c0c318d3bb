import type { DecodedValue, LogicalType, ScanColumn } from '@penstock/core'
import { uuidToText } from '../values/value.ts'
import { type AvroBlock, type AvroHeader, attempt, streamAvro } from './container.ts'
import { type Cursor, readBlocks, readLength, readString } from './decoder.ts'
import { compileShape, compileSkip } from './record.ts'
import type { AvroField, AvroType } from './schema.ts'

type Read = (cursor: Cursor) => DecodedValue

/**
 * The rows of an Avro data file as pages of the values of `columns`, one page a block. Fields are found by id; in a
 * file that has no ids at all, by name. Values are in the form of the column's type in the table. Throws a `data`
 * error that names the file.
 */
export async function* readAvroRows(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  columns: readonly ScanColumn[],
): AsyncGenerator<DecodedValue[][]> {
  let read: ReturnType<typeof compileRow> | undefined
  for await (const { header, block } of streamAvro(chunks, path)) {
    read ??= attempt(path, () => compileRow(header, columns))
    yield readPage(block, read, path)
  }
}

const readPage = ({ count, data }: AvroBlock, read: (cursor: Cursor) => DecodedValue[], path: string) =>
  attempt(path, () => {
    const page: DecodedValue[][] = []
    for (let left = count; left > 0; left--) page.push(read(data))
    return page
  })

const compileRow = (
  { schema }: AvroHeader,
  columns: readonly ScanColumn[],
): ((cursor: Cursor) => DecodedValue[]) => {
  if (schema.kind !== 'record') throw new TypeError('The Avro file holds no records')
  return compileFields(schema.fields, columns, hasIds(schema))
}

/** Reads the fields in the file's order into the order of the columns. */
const compileFields = (
  fields: readonly AvroField[],
  columns: readonly ScanColumn[],
  byId: boolean,
): ((cursor: Cursor) => DecodedValue[]) => {
  const absent = columns.map((column) =>
    column.source.from === 'constant' ? column.source.value : absentOf(column),
  )
  const taken = columns.map((column) => fields.indexOf(findField(fields, column, byId) as AvroField))
  const steps = fields.map((field, index) => {
    const targets = columns.flatMap((_, target) => (taken[target] === index ? [target] : []))
    const column = columns[targets[0] ?? -1]
    return { targets, read: column ? compileColumn(field.type, column, byId) : compileSkip(field.type) }
  })
  return (cursor) => {
    const row: DecodedValue[] = [...absent]
    for (const { targets, read } of steps) {
      const value = read(cursor)
      for (const target of targets) row[target] = value ?? null
    }
    return row
  }
}

const absentOf = ({ source }: ScanColumn): DecodedValue =>
  source.from === 'field-id' ? (source.absent ?? null) : null

const findField = (
  fields: readonly AvroField[],
  { source }: ScanColumn,
  byId: boolean,
): AvroField | undefined => {
  if (source.from !== 'field-id') return undefined
  if (byId) return fields.find((field) => field.fieldId === source.id)
  const { names } = source
  return fields.find((field) => names?.includes(field.name))
}

const compileColumn = (type: AvroType, column: ScanColumn, byId: boolean): Read => {
  if (type.kind === 'union') {
    const branches = type.branches.map((branch) => compileColumn(branch, column, byId))
    return (cursor) => {
      const branch = branches[readLength(cursor)]
      if (!branch) throw new RangeError('An Avro union has no such branch')
      return branch(cursor)
    }
  }
  if (type.kind === 'null') return () => null
  const [first, second] = column.children ?? []
  switch (column.type.type) {
    case 'struct': {
      if (type.kind !== 'record') throw mismatch(type, column)
      const children = column.children ?? []
      const read = compileFields(type.fields, children, byId)
      return (cursor) => {
        const values = read(cursor)
        return Object.fromEntries(children.map((child, index) => [child.name, values[index] ?? null]))
      }
    }
    case 'list': {
      if (type.kind !== 'array' || !first) throw mismatch(type, column)
      return compileList(compileColumn(type.items, first, byId))
    }
    case 'map':
      if (!first || !second) throw mismatch(type, column)
      return compileMap(type, column, [first, second], byId)
    default: {
      const read = compileShape(type, { kind: 'value' })
      const convert = conversion(type, column)
      return (cursor) => convert(read(cursor))
    }
  }
}

const compileList =
  (item: Read): Read =>
  (cursor) => {
    const items: DecodedValue[] = []
    readBlocks(cursor, () => items.push(item(cursor)))
    return items
  }

/** Avro's own maps have text keys; Iceberg writes others as lists of records of key and value. */
const compileMap = (
  type: AvroType,
  column: ScanColumn,
  [key, value]: readonly [ScanColumn, ScanColumn],
  byId: boolean,
): Read => {
  if (type.kind === 'map') {
    const read = compileColumn(type.values, value, byId)
    return compileList((cursor) => [readString(cursor), read(cursor)])
  }
  if (type.kind !== 'array' || type.items.kind !== 'record') throw mismatch(type, column)
  const [keyField, valueField] = type.items.fields
  if (!keyField || !valueField) throw mismatch(type, column)
  const readKey = compileColumn(keyField.type, key, byId)
  const readValue = compileColumn(valueField.type, value, byId)
  return compileList((cursor) => [readKey(cursor), readValue(cursor)])
}

const mismatch = (type: AvroType, column: ScanColumn): TypeError =>
  new TypeError(`Column "${column.name}" is ${type.kind} in the file, not ${column.type.type}`)

/** From the file's value to the form of the table's type, promotions included. */
const conversion = (type: AvroType, column: ScanColumn): ((value: unknown) => DecodedValue) => {
  const accepts = expectedKinds[column.type.type]
  if (!accepts?.includes(type.kind)) throw mismatch(type, column)
  const factor = column.type.type === 'timestamp' ? timestampFactor(type, column.type) : 1n
  if (factor !== 1n) return (value) => (value as bigint) * factor
  if (column.type.type === 'uuid')
    return (value) => (value instanceof Uint8Array ? uuidToText(value) : (value as DecodedValue))
  if (column.type.type === 'time' && logicalName(type) === 'time-millis')
    return (value) => (value as bigint) * 1000n
  return (value) => value as DecodedValue
}

const expectedKinds: Partial<Record<LogicalType['type'], readonly AvroType['kind'][]>> = {
  boolean: ['boolean'],
  int: ['int', 'long'],
  float: ['float'],
  double: ['float', 'double'],
  decimal: ['bytes', 'fixed'],
  date: ['int'],
  time: ['int', 'long'],
  timestamp: ['int', 'long'],
  string: ['string', 'enum'],
  uuid: ['fixed', 'string'],
  binary: ['bytes', 'fixed'],
}

const logicalName = (type: AvroType): string | undefined =>
  'logical' in type ? type.logical?.name : undefined

const unitsPerSecond = { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n } as const

/** What a value is multiplied by; a date (int) stands for its first moment. */
const timestampFactor = (type: AvroType, target: Extract<LogicalType, { type: 'timestamp' }>): bigint => {
  const wanted = unitsPerSecond[target.unit]
  if (type.kind === 'int') return 86_400n * wanted
  const unit = logicalName(type)?.endsWith('-millis')
    ? 'ms'
    : logicalName(type)?.endsWith('-nanos')
      ? 'ns'
      : 'us'
  if (unitsPerSecond[unit] > wanted) throw new TypeError('A timestamp of the file is finer than its column')
  return wanted / unitsPerSecond[unit]
}

const hasIds = (type: AvroType): boolean => {
  switch (type.kind) {
    case 'record':
      return type.fields.some((field) => field.fieldId !== undefined || hasIds(field.type))
    case 'array':
      return type.elementId !== undefined || hasIds(type.items)
    case 'map':
      return type.valueId !== undefined || hasIds(type.values)
    case 'union':
      return type.branches.some(hasIds)
    default:
      return false
  }
}
