import type { QueryReceipt, RunRecord } from '@penstock/core'
import { createRunId } from '../extract/extract.ts'
import { type RecordOptions, recordRun } from '../project/record-run.ts'
import { type InPlaceOptions, query } from './query.ts'

export interface KeptRows {
  readonly record: RunRecord
  readonly rows: number
  readonly receipt: QueryReceipt
}

/**
 * Runs `CREATE TABLE ... AS` or `INSERT INTO ...` over tables in place: an extraction by SQL, kept in the project's
 * history and in the database that it writes to.
 */
export const keepRows = async (options: InPlaceOptions, record: RecordOptions): Promise<KeptRows> => {
  const [connection] = options.connections
  const started: RunRecord = {
    runId: createRunId(),
    command: 'query',
    connector: connection?.connector.name ?? 'sql',
    ...(connection?.name === undefined ? {} : { connection: connection.name }),
    status: 'running',
    startedAt: new Date().toISOString(),
    tables: [],
  }
  let kept: Pick<KeptRows, 'rows' | 'receipt'> | undefined
  const work = async (): Promise<RunRecord> => {
    const running = await query(options)
    let rows = 0
    for await (const page of running.result.rows()) for (const [count] of page) rows += Number(count)
    const receipt = running.receipt()
    kept = { rows, receipt }
    const finishedAt = new Date().toISOString()
    const { name, mode } = targetOf(options.sql)
    const finished: RunRecord = {
      ...started,
      status: 'succeeded',
      finishedAt,
      tables: [
        {
          name,
          mode,
          status: 'succeeded',
          objects: receipt.files,
          bytes: receipt.bytesFetched + receipt.bytesFromCache,
          rowsRead: rows,
          rowsLoaded: rows,
          rowsRejected: 0,
          rowsDeleted: 0,
          columns: [],
          durationMs: Date.parse(finishedAt) - Date.parse(started.startedAt),
        },
      ],
    }
    await options.engine.recordRun(finished)
    return finished
  }
  const finished = await recordRun(started, work, record)
  return { record: finished, ...(kept as Pick<KeptRows, 'rows' | 'receipt'>) }
}

/** The table that a statement writes: the first name behind TABLE or INTO. */
const targetOf = (sql: string): { readonly name: string; readonly mode: 'full' | 'delta' } => {
  const part = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`
  const found = new RegExp(
    String.raw`\b(?:table\s+(?:if\s+not\s+exists\s+)?|into\s+)(${part}(?:\s*\.\s*${part})*)`,
    'iu',
  ).exec(sql)
  return {
    name: found?.[1] ?? 'table',
    mode: /\binsert\b/i.test(sql.slice(0, found?.index)) ? 'delta' : 'full',
  }
}
