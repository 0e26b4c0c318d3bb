import {
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  DuckDBUUIDValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { DecodedValue, LogicalType, ScanColumn } from '@penstock/core'
import { duckdbType } from '../../logical-types.ts'
import { quoteIdentifier, quoteText } from '../../sql.ts'

const table = '__penstock_decoded'
/** Rows of an appended chunk: DuckDB's vector size. */
const chunkRows = 2048

/** Writes pages of decoded rows as a Parquet file, in their order. */
export const writeDecoded = async (
  connection: DuckDBConnection,
  pages: AsyncIterable<readonly (readonly DecodedValue[])[]>,
  columns: readonly ScanColumn[],
  /** Positions of the columns in a row. */
  indexes: readonly number[],
  path: string,
): Promise<void> => {
  // A table needs a column, also where only rows are counted.
  const read = columns.length > 0 ? columns : [rowMark]
  const list = read.map(({ name, type }) => `${quoteIdentifier(name)} ${duckdbType(type)}`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (${list.join(', ')})`)
  const statement = await connection.prepare(`FROM temp.${table}`)
  const types = read.map((_, index) => statement.columnType(index))
  statement.destroySync()
  const appender = await connection.createAppender(table, 'main', 'temp')
  for await (const page of pages)
    for (let start = 0; start < page.length; start += chunkRows) {
      const rows = page.slice(start, start + chunkRows)
      const chunk = DuckDBDataChunk.create(types, rows.length)
      chunk.setColumns(
        read.map(({ type }, index) =>
          rows.map((row) => duckdbValue(row[indexes[index] ?? -1] ?? null, type)),
        ),
      )
      appender.appendDataChunk(chunk)
    }
  appender.closeSync()
  await connection.run(`COPY temp.${table} TO ${quoteText(path)} (FORMAT parquet)`)
  await connection.run(`DROP TABLE temp.${table}`)
}

const rowMark: Pick<ScanColumn, 'name' | 'type'> = { name: '__penstock_row', type: { type: 'boolean' } }

const duckdbValue = (value: DecodedValue, type: LogicalType): DuckDBValue => {
  if (value === null) return null
  switch (type.type) {
    case 'int':
      return type.bits >= 64 ? BigInt(value as bigint) : Number(value)
    case 'decimal':
      return new DuckDBDecimalValue(value as bigint, type.precision, type.scale)
    case 'binary':
      return new DuckDBBlobValue(value as Uint8Array)
    case 'uuid':
      return DuckDBUUIDValue.fromUint128(BigInt(`0x${(value as string).replaceAll('-', '')}`))
    case 'date':
      return new DuckDBDateValue(Number(value))
    case 'time':
      return new DuckDBTimeValue(value as bigint)
    case 'timestamp':
      return timestamp(value as bigint, type)
    case 'list':
      return new DuckDBListValue(
        (value as readonly DecodedValue[]).map((item) => duckdbValue(item, type.element)),
      )
    case 'map':
      return new DuckDBMapValue(
        (value as readonly DecodedValue[]).map((pair) => {
          const [key, item] = pair as readonly DecodedValue[]
          return { key: duckdbValue(key ?? null, type.key), value: duckdbValue(item ?? null, type.value) }
        }),
      )
    case 'struct': {
      const fields = value as { readonly [field: string]: DecodedValue }
      return new DuckDBStructValue(
        Object.fromEntries(
          type.fields.map((field) => [field.name, duckdbValue(fields[field.name] ?? null, field.type)]),
        ),
      )
    }
    default:
      return value as DuckDBValue
  }
}

const timestamp = (value: bigint, type: Extract<LogicalType, { type: 'timestamp' }>): DuckDBValue => {
  if (type.zoned) return new DuckDBTimestampTZValue(type.unit === 'ns' ? value / 1000n : value)
  switch (type.unit) {
    case 's':
      return new DuckDBTimestampSecondsValue(value)
    case 'ms':
      return new DuckDBTimestampMillisecondsValue(value)
    case 'us':
      return new DuckDBTimestampValue(value)
    case 'ns':
      return new DuckDBTimestampNanosecondsValue(value)
  }
}
