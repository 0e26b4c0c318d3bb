import type { FileLayout } from '@penstock/core'
import { firstRow, rowsOf } from '../sql.ts'
import { countOf, type ExportSession, type PreparedStream } from './open.ts'
import { averageRowBytes, type RowSource } from './rows.ts'
import { rowsSql } from './selection.ts'

/** What a query is made of that costs a scan alone: counting its rows first is cheap. */
const scanning = new Set(['SEQ_SCAN', 'TABLE_SCAN', 'FILTER', 'PROJECTION', 'RANGE', 'EMPTY_RESULT'])

/** Text that is compressed or recoded grows by batches; a limit in bytes needs small pieces. */
const isWrittenAtOnce = ({ format, maxBytes }: FileLayout): boolean =>
  maxBytes === undefined &&
  (format.type === 'parquet' ||
    (format.compression === 'none' && (format.type === 'ndjson' || format.encoding !== 'utf-16')))

/**
 * The rows of a query as one slice, which one COPY writes straight to its file; undefined where they are not known to
 * fit one file and a quarter of the staging folder, or where knowing it would mean to run an expensive query twice.
 */
export const wholeRows = async (
  session: ExportSession,
  { sql }: PreparedStream,
  layout: FileLayout,
): Promise<{ readonly source: RowSource; readonly rowBytes: number } | undefined> => {
  const { connection, space } = session
  if (!isWrittenAtOnce(layout)) return undefined
  const query = rowsSql(sql)
  if (!(await isScan(session, query))) return undefined
  const rows = await countOf(session, `SELECT count(*) FROM (${query})`)
  if (rows > (layout.maxRows ?? Number.POSITIVE_INFINITY)) return undefined
  const rowBytes = await averageRowBytes(connection, `(${query})`, sql.columns)
  if (rows * rowBytes > space.ceiling / 4) return undefined
  let left = rows > 0
  const slice = {
    rows,
    partition: {},
    connection,
    from: (offset = 0, count = rows) =>
      offset === 0 && count === rows ? query : `${query} LIMIT ${count} OFFSET ${offset}`,
    release: async () => {},
  }
  const take = async () => {
    const taken = left ? slice : undefined
    left = false
    return taken
  }
  return { source: Object.freeze({ take, close: async () => {} }), rowBytes }
}

interface PlanNode {
  readonly name: string
  readonly children: readonly PlanNode[]
}

const isScan = async ({ connection }: ExportSession, query: string): Promise<boolean> => {
  const [, json = ''] = (await firstRow(connection, `EXPLAIN (FORMAT json) ${query}`)) ?? []
  const text = String(json)
  const holds = (node: PlanNode): boolean => scanning.has(node.name.trim()) && node.children.every(holds)
  if (!(JSON.parse(text) as PlanNode[]).every(holds)) return false
  if (!text.includes('(')) return true
  // Twice the same query has to be twice the same rows.
  const names = await rowsOf(
    connection,
    "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE'",
  )
  return !names.some(([name]) => text.includes(`${name}(`))
}
