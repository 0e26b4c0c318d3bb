import {
  ConnectorError,
  csvExportOptions,
  type ExportStream,
  type FileLayout,
  type WriteProgress,
  type WriteRequest,
  type WriteResult,
  type WrittenFile,
} from '@penstock/core'
import type { PostgresContext } from './config.ts'
import { isDatabaseError, translateError } from './errors.ts'
import { claimRun, completeRun, findRun, forgetOthers, prepareLedger } from './ledger.ts'
import { mergeStage, stageFor } from './merge.ts'
import { qualified, quoteNames } from './names.ts'
import type { PostgresExportOptions } from './options.ts'
import { requireOwn } from './ownership.ts'
import { rowAtLine } from './row-at-line.ts'
import { type Session, withSession } from './session.ts'
import {
  addColumns,
  newColumns,
  openTable,
  requireTypes,
  requireUniqueKey,
  shown,
  type Target,
} from './tables.ts'
import { targetsOf } from './targets.ts'

/** Bytes of a file that the engine writes and the server reads, about: what is on the disk at a time. */
const fileBytes = 32 * 1024 ** 2

/**
 * CSV as COPY reads it. A file of one column is apart: every value is quoted, since a lone `\.` would end a COPY, and a
 * null has a text of its own, since it would be an empty line.
 */
const csvFor = ({ rows }: Target) =>
  rows.columns.length === 1 ? { quoteAll: true, nullValue: '\\N' } : { quoteAll: false, nullValue: '' }

const layoutFor = (target: Target): FileLayout => ({
  format: {
    type: 'csv',
    compression: 'none',
    ...csvExportOptions.parse({ header: false, binary: 'hex', lists: 'braces', ...csvFor(target) }),
  },
  maxBytes: fileBytes,
  empty: 'nothing',
})

/**
 * Writes all streams in one transaction, with a row in the books. A reader sees the rows from before until it commits,
 * and all of the new ones afterwards; whatever ends it before leaves nothing.
 */
export const writeRun = (
  context: PostgresContext,
  request: WriteRequest<PostgresExportOptions>,
): Promise<WriteResult> =>
  withSession(context, async (session) => {
    const { run, options } = request
    const { schema } = context.config
    const targets = targetsOf(context, request)
    await prepareLedger(session, schema)
    const before = await findRun(session, schema, run)
    if (before) return { files: before, alreadyWritten: true }
    if (options.newColumns === 'add') for (const target of targets) await addColumns(session, target)
    return session.transaction(async () => {
      const tables = targets.map(({ table }) => table)
      if (!(await claimRun(session, schema, run, tables)))
        return { files: (await findRun(session, schema, run)) ?? [], alreadyWritten: true }
      for (const target of targets) await prepareTable(session, target, request)
      const files: WrittenFile[] = []
      for (const [index, target] of targets.entries()) {
        const stream = request.streams[index]
        if (stream) files.push(await load({ session, context, target, stream, request }))
      }
      await completeRun(session, schema, run, files)
      return { files }
    })
  })

/** Makes a table ready before any row is read: what can't work is told at once. */
const prepareTable = async (
  session: Session,
  target: Target,
  { run, options }: WriteRequest<PostgresExportOptions>,
): Promise<void> => {
  const { table, created } = await openTable(session, target)
  requireTypes(target, table)
  const missing = newColumns(target, table)
  if (missing.length > 0)
    throw new ConnectorError('config', `${shown(target)} lacks columns: ${missing.join(', ')}.`, {
      code: 'NewColumns',
      place: { table: target.stream, ...(missing[0] !== undefined && { column: missing[0] }) },
      hint: 'Add them, leave them out (--columns), or let them be added (--new-columns add).',
    })
  if (run.mode === 'merge') requireUniqueKey(target, target.rows.key ?? [], table)
  if (run.mode !== 'overwrite' || created) return
  const name = qualified(target.schema, target.table)
  // Keeps other writers out, so that no row of theirs is left between the old ones and the new ones.
  await session.query(
    `LOCK TABLE ${name} IN ${options.replace === 'truncate' ? 'ACCESS' : 'SHARE ROW'} EXCLUSIVE MODE`,
  )
  if (!options.adopt) await requireOwn(session, target, run.exportId)
  await session.query(options.replace === 'truncate' ? `TRUNCATE TABLE ${name}` : `DELETE FROM ${name}`)
  await forgetOthers(session, target.schema, target.table, run.exportId)
}

interface Loading {
  readonly session: Session
  readonly context: PostgresContext
  readonly target: Target
  readonly stream: ExportStream
  readonly request: WriteRequest<PostgresExportOptions>
}

const load = async (loading: Loading): Promise<WrittenFile> => {
  const { session, context, target, stream, request } = loading
  const { mode } = request.run
  const columns = target.rows.columns.map(({ name }) => name)
  const table = qualified(target.schema, target.table)
  const stage = mode === 'merge' ? await stageFor(session, target) : undefined
  const copy = `COPY ${stage ?? table} (${quoteNames(columns)}) FROM STDIN (FORMAT csv, NULL '${csvFor(target).nullValue}')`
  const { rows, bytes } = await copyFiles(loading, copy)
  if (stage !== undefined) await mergeStage(session, target, stage)
  const { host, port, database } = context.config
  return {
    stream: stream.name,
    name: shown(target),
    url: `postgresql://${host.startsWith('/') ? '' : host}:${port}/${[database, target.schema, target.table].map(encodeURIComponent).join('/')}`,
    rows,
    size: bytes,
  }
}

/** Hands the files of a stream to the server, each as soon as it is complete. */
const copyFiles = async (
  { session, context, stream, target, request }: Loading,
  sql: string,
): Promise<{ readonly rows: number; readonly bytes: number }> => {
  const done: { -readonly [Key in keyof WriteProgress]: WriteProgress[Key] } = {
    stream: stream.name,
    files: 0,
    bytes: 0,
    rows: 0,
  }
  for await (const file of stream.files(layoutFor(target))) {
    try {
      const taken = await session.copy(sql, file.path)
      if (taken !== file.rows)
        throw new ConnectorError(
          'internal',
          `The server took ${taken} rows of ${file.rows} of "${stream.name}".`,
          {
            code: 'RowCount',
            place: { table: stream.name },
          },
        )
    } catch (error) {
      throw await withRow(error, { context, stream: stream.name, path: file.path, rowsBefore: done.rows })
    } finally {
      await file.release()
    }
    done.files++
    done.bytes += file.size
    done.rows += file.rows
    request.onProgress({ ...done })
  }
  return done
}

/** COPY tells a line of a file; a user looks for a row of the stream. */
const withRow = async (
  error: unknown,
  file: {
    readonly context: PostgresContext
    readonly stream: string
    readonly path: string
    readonly rowsBefore: number
  },
): Promise<ConnectorError> => {
  const translated = translateError(error, file.context)
  const { place, kind, hint, code } = translated
  if (!isDatabaseError(error) || place?.line === undefined) return translated
  const row = file.rowsBefore + (await rowAtLine(file.path, place.line))
  return new ConnectorError(kind, `Row ${row} of ${file.stream}: ${translated.message}`, {
    place: { ...place, table: file.stream, line: row },
    cause: error,
    ...(hint !== undefined && { hint }),
    ...(code !== undefined && { code }),
  })
}
