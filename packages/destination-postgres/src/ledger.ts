import type { ExportRun, WrittenFile } from '@penstock/core'
import { z } from 'zod'
import { qualified, quoteName } from './names.ts'
import type { Session } from './session.ts'

/** Table of the books, in the schema that is written to: one row for each complete run. */
export const ledgerTable = 'penstock_exports'

/** Runs of one export that are remembered: a run is tried again soon, or never. */
const keptRuns = 100

const writtenFiles = z.array(
  z.object({
    stream: z.string(),
    name: z.string(),
    url: z.string().optional(),
    rows: z.number(),
    size: z.number(),
  }),
)

/** Lock of all who create something in a schema: `CREATE ... IF NOT EXISTS` of two at once makes one of them fail. */
export const lockCreation = (session: Session, schema: string): Promise<unknown> =>
  session.query('SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))', [
    `penstock:${schema}`,
  ])

/** Makes schema and books where they are missing. */
export const prepareLedger = async (session: Session, schema: string): Promise<void> => {
  if (await hasLedger(session, schema)) return
  await session.transaction(async () => {
    await lockCreation(session, schema)
    const schemas = await session.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
    if (schemas.length === 0) await session.query(`CREATE SCHEMA ${quoteName(schema)}`)
    if (!(await hasLedger(session, schema))) await session.query(ledgerSql(schema))
  })
}

export const hasLedger = async (session: Session, schema: string): Promise<boolean> => {
  const rows = await session.query(
    `SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, ledgerTable],
  )
  return rows.length > 0
}

const ledgerSql = (schema: string): string =>
  `CREATE TABLE ${qualified(schema, ledgerTable)} (
     export_id text NOT NULL,
     commit_id text NOT NULL,
     export_name text NOT NULL,
     mode text NOT NULL,
     tables text[] NOT NULL,
     written jsonb,
     written_at timestamp with time zone NOT NULL DEFAULT now(),
     PRIMARY KEY (export_id, commit_id)
   );
   COMMENT ON TABLE ${qualified(schema, ledgerTable)} IS 'Runs that Penstock has written, so that none is written twice'`

/** What an earlier try of the run has written; undefined when none was complete. */
export const findRun = async (
  session: Session,
  schema: string,
  { exportId, commitId }: ExportRun,
): Promise<readonly WrittenFile[] | undefined> => {
  const [row] = await session.query<{ written: unknown }>(
    `SELECT written FROM ${qualified(schema, ledgerTable)} WHERE export_id = $1 AND commit_id = $2`,
    [exportId, commitId],
  )
  if (!row) return undefined
  return writtenFiles
    .parse(row.written)
    .map(({ url, ...file }) => ({ ...file, ...(url !== undefined && { url }) }))
}

/**
 * Notes the run within its transaction. Another try of it that is still going on is waited for; false when that one has
 * written everything.
 */
export const claimRun = async (
  session: Session,
  schema: string,
  { exportId, commitId, exportName, mode }: ExportRun,
  tables: readonly string[],
): Promise<boolean> => {
  const rows = await session.query(
    `INSERT INTO ${qualified(schema, ledgerTable)} (export_id, commit_id, export_name, mode, tables)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1`,
    [exportId, commitId, exportName, mode, tables],
  )
  return rows.length > 0
}

export const completeRun = async (
  session: Session,
  schema: string,
  { exportId, commitId }: ExportRun,
  written: readonly WrittenFile[],
): Promise<void> => {
  const ledger = qualified(schema, ledgerTable)
  await session.query(
    `UPDATE ${ledger} SET written = $3, written_at = pg_catalog.clock_timestamp() WHERE export_id = $1 AND commit_id = $2`,
    [exportId, commitId, JSON.stringify(written)],
  )
  await session.query(
    `DELETE FROM ${ledger} WHERE export_id = $1 AND commit_id IN (
       SELECT commit_id FROM ${ledger} WHERE export_id = $1 ORDER BY written_at DESC OFFSET ${keptRuns})`,
    [exportId],
  )
}

/** Who has written to a table, as far as the books tell. */
export const writersOf = async (
  session: Session,
  schema: string,
  table: string,
  exportId: string,
): Promise<{ readonly own: boolean; readonly others: readonly string[] }> => {
  const rows = await session.query<{ export_id: string; export_name: string }>(
    `SELECT DISTINCT export_id, export_name FROM ${qualified(schema, ledgerTable)}
     WHERE $1 = ANY(tables) AND written IS NOT NULL`,
    [table],
  )
  return {
    own: rows.some((row) => row.export_id === exportId),
    others: rows.filter((row) => row.export_id !== exportId).map((row) => row.export_name),
  }
}

/** After an overwrite that adopted a table nothing of the others is in it. */
export const forgetOthers = (
  session: Session,
  schema: string,
  table: string,
  exportId: string,
): Promise<unknown> =>
  session.query(
    `UPDATE ${qualified(schema, ledgerTable)} SET tables = pg_catalog.array_remove(tables, $1)
     WHERE export_id <> $2 AND $1 = ANY(tables)`,
    [table, exportId],
  )
