import { open } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, describeType, type LogicalType, type StagedFile } from '@penstock/core'
import { columnsOf } from '../logical-types.ts'
import { quoteIdentifier, quoteText, quoteTextList } from '../sql.ts'
import { corrupt } from './head.ts'
import type { Layout } from './reading.ts'

/** Layout of a Parquet file by its footer. Throws a `data` error for a file that is truncated or no Parquet at all. */
export const parquetLayout = async (connection: DuckDBConnection, file: StagedFile): Promise<Layout> => {
  if (file.path === undefined) throw new ConnectorError('internal', `${file.url} has no local copy.`)
  await checkMarks(file, file.path)
  const columns = await columnsOf(connection, `SELECT * FROM read_parquet(${quoteText(file.path)})`).catch(
    (error: unknown) => {
      throw corrupt(file, error)
    },
  )
  const names = columns.map((column) => column.name)
  const declared = columns.map((column) => column.type)
  return {
    type: 'parquet',
    id: JSON.stringify(columns.map(({ name, type }) => [name, describeType(type)])),
    names,
    declared,
    source: (paths) => ({
      from: `read_parquet(${quoteTextList(paths)})`,
      columns: names.map((name, index) => {
        const raw = quoteIdentifier(name)
        return {
          name,
          value: { raw, text: `${raw}::VARCHAR`, literal: `${raw}::VARCHAR` },
          declared: declared[index] as LogicalType,
        }
      }),
    }),
  }
}

/** Parquet begins and ends with `PAR1`; a cut upload lacks the end. A statement that fails would end the transaction. */
const checkMarks = async (file: StagedFile, path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const mark = Buffer.alloc(4)
    for (const position of [0, Math.max(0, size - 4)]) {
      await handle.read(mark, 0, 4, position)
      if (mark.toString('latin1') === 'PAR1') continue
      throw corrupt(
        file,
        new Error(
          position === 0 ? 'it does not begin with PAR1' : 'it does not end with PAR1, so it was cut',
        ),
      )
    }
  } finally {
    await handle.close()
  }
}
