import type { DuckDBConnection } from '@duckdb/node-api'
import type { FileEntry, LedgerComparison, LedgerCount } from '@penstock/core'
import { type Bookkeeping, tableKey } from './bookkeeping.ts'
import { findTable, qualifiedTemp } from './catalog.ts'
import { createEntriesTable, entryColumns, entryOf } from './entries-table.ts'
import { quoteText, rowsOf } from './sql.ts'

/** Entries of a page that `entries` gives. */
const pageSize = 1_000
/** Positions that one statement looks at. */
const windowSize = 10_000

export interface CompareContext {
  readonly connection: DuckDBConnection
  readonly books: Bookkeeping
  /** False where the database has no books yet: then nothing was ever loaded. */
  readonly hasBooks: boolean
  /** Tells the tables of this comparison from those of others in the same transaction. */
  readonly ordinal: number
  /** Runs a read of the comparison in the transaction's turn. */
  readonly read: <Result>(operation: () => Promise<Result>) => Promise<Result>
}

export interface Comparison {
  readonly result: LedgerComparison
  /** TEMP table of positions, kinds and entries; qualified. */
  readonly comparisonTable: string
}

/** Compares a listing with the ledger, in one hash join; only the page at hand is ever in JavaScript's memory. */
export const compareListing = async (
  context: CompareContext,
  table: string,
  listing: AsyncIterable<readonly FileEntry[]>,
): Promise<Comparison> => {
  const { connection, ordinal } = context
  const listed = await createEntriesTable(connection, `penstock_listing_${ordinal}`)
  try {
    for await (const page of listing) listed.append(page)
  } finally {
    listed.close()
  }

  const comparisonTable = qualifiedTemp(`penstock_comparison_${ordinal}`)
  await connection.run(
    `CREATE TEMP TABLE ${comparisonTable} AS
     WITH listed AS (
       -- Two pages may tell of one object: the later wins.
       SELECT * FROM ${listed.name}
       ${
         (await holdsDuplicates(connection, listed.name))
           ? 'QUALIFY row_number() OVER (PARTITION BY container, key ORDER BY ordinal DESC) = 1'
           : ''
       }
     ), loaded AS (${await loadedEntries(context, table)})
     SELECT row_number() OVER (ORDER BY key, container) AS position, * FROM (
       SELECT
         CASE WHEN loaded.key IS NULL THEN 'added' WHEN listed.key IS NULL THEN 'deleted'
              WHEN listed.version = loaded.version THEN 'unchanged' ELSE 'changed' END AS kind,
         coalesce(listed.container, loaded.container) AS container,
         coalesce(listed.key, loaded.key) AS key,
         coalesce(listed.version, loaded.version) AS version,
         CASE WHEN listed.key IS NULL THEN loaded.version_id ELSE listed.version_id END AS version_id,
         coalesce(listed.size, loaded.size) AS size,
         coalesce(listed.modified, loaded.modified) AS modified,
         loaded.url AS url
       FROM listed FULL OUTER JOIN loaded
         ON listed.key = loaded.key AND listed.container = loaded.container
     )`,
  )
  await connection.run(`DROP TABLE ${listed.name}`)

  const counts = new Map<unknown, LedgerCount>()
  for (const [kind, objects, bytes] of await rowsOf(
    connection,
    `SELECT kind, count(*), sum(size) FROM ${comparisonTable} GROUP BY kind`,
  ))
    counts.set(kind, { objects: Number(objects), bytes: Number(bytes) })
  const count = (kind: string): LedgerCount => counts.get(kind) ?? { objects: 0, bytes: 0 }
  const present = ['added', 'changed', 'unchanged'].map(count)
  const result: LedgerComparison = Object.freeze({
    listed: {
      objects: present.reduce((sum, { objects }) => sum + objects, 0),
      bytes: present.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    added: count('added'),
    changed: count('changed'),
    deleted: count('deleted'),
    unchanged: count('unchanged'),
    sample: async (kind: string, limit: number) => {
      const rows = await context.read(() =>
        rowsOf(
          connection,
          `SELECT ${entryColumns} FROM ${comparisonTable} WHERE kind = ${quoteText(kind)}
           ORDER BY position LIMIT ${Math.max(0, Math.floor(limit))}`,
        ),
      )
      return rows.map(entryOf)
    },
    entries: (kinds: readonly string[]) => readPages(context, comparisonTable, kinds),
  })
  return { result, comparisonTable }
}

const holdsDuplicates = async (connection: DuckDBConnection, listing: string): Promise<boolean> => {
  const [row] = await rowsOf(
    connection,
    `SELECT count(*) > (SELECT count(*) FROM (SELECT DISTINCT container, key FROM ${listing})) FROM ${listing}`,
  )
  return row?.[0] === true
}

/** What the ledger holds of a table. A table that somebody dropped holds nothing, whatever the ledger says. */
const loadedEntries = async (context: CompareContext, table: string): Promise<string> => {
  const columns = `${entryColumns}, url`
  const exists = context.hasBooks && (await findTable(context.connection, table)) !== undefined
  return exists
    ? `SELECT ${columns} FROM ${context.books.ledger} WHERE table_name = ${quoteText(tableKey(table))} AND current`
    : `SELECT NULL::VARCHAR AS container, NULL::VARCHAR AS key, NULL::VARCHAR AS version,
         NULL::VARCHAR AS version_id, NULL::BIGINT AS size, NULL::BIGINT AS modified, NULL::VARCHAR AS url
       WHERE false`
}

/**
 * Pages in key order. Each is read by a statement of its own, since the same connection loads in between, and one
 * window ahead, so that a reader seldom waits for a load.
 */
async function* readPages(
  context: CompareContext,
  comparisonTable: string,
  kinds: readonly string[],
): AsyncGenerator<readonly FileEntry[]> {
  const wanted = kinds.map(quoteText).join(', ')
  if (wanted === '') return
  const readWindow = (from: number) =>
    context.read(() =>
      rowsOf(
        context.connection,
        `SELECT ${entryColumns} FROM ${comparisonTable}
         WHERE position > ${from} AND position <= ${from + windowSize} AND kind IN (${wanted}) ORDER BY position`,
      ),
    )
  const [bounds] = await context.read(() =>
    rowsOf(
      context.connection,
      `SELECT min(position) - 1, max(position) FROM ${comparisonTable} WHERE kind IN (${wanted})`,
    ),
  )
  if (bounds?.[1] === null || bounds === undefined) return
  const last = Number(bounds[1])
  let next = readWindow(Number(bounds[0]))
  for (let from = Number(bounds[0]); from < last; from += windowSize) {
    const rows = await next
    if (from + windowSize < last) {
      next = readWindow(from + windowSize)
      // Its failure is thrown where it is awaited; a reader that stops early never does.
      next.catch(() => {})
    }
    for (let start = 0; start < rows.length; start += pageSize)
      yield rows.slice(start, start + pageSize).map(entryOf)
  }
}
