import {
  ConnectorError,
  type FileLayout,
  type PlannedStream,
  requireCsvNames,
  type TableSchema,
  type WritePlan,
  type WritePlanRequest,
} from '@penstock/core'
import type { S3Context } from './config.ts'
import { eachOf, requestsAtOnce } from './each.ts'
import { namesOf, type RunNames } from './names.ts'
import { isWrittenBy } from './objects.ts'
import { readRecipientKey } from './openpgp.ts'
import { layoutOf, lossWarning, type S3ExportOptions } from './options.ts'
import { stateSchema } from './state/documents.ts'
import { keysOfRecord, keysToRemove, recordsOf } from './state/finish.ts'
import { isAlive } from './state/lease.ts'
import { readNote } from './state/notes.ts'
import { storeOf } from './state/store.ts'
import { headOf } from './state/tries.ts'

type Request = WritePlanRequest<S3ExportOptions>

/** Files of one stream that are named before the run. */
const maxPlanned = 1000

/** Refuses, before anything is read, what can't work: templates, collisions, columns, keys. Throws `config` errors. */
export const checkRun = async (context: S3Context, request: Request): Promise<void> => {
  planKeys(context, request)
  const publicKey = request.options.publicKey ?? context.config.publicKey
  if (publicKey !== undefined) await readRecipientKey(publicKey, context.clock())
}

type PlannedFile = WritePlan['files'][number]

interface PlannedKeys {
  readonly names: RunNames
  readonly files: readonly PlannedFile[]
  readonly manifest: string | undefined
}

const planKeys = ({ config }: S3Context, { run, options, streams }: Request): PlannedKeys => {
  const names = namesOf(config, options, run)
  for (const stream of streams) {
    requireColumns(stream, options)
    names.requireValues(stream)
  }
  const layout = layoutOf(options)
  const { format } = layout
  if (format.type === 'csv')
    for (const { schema } of streams) requireCsvNames(format, fileColumns(schema, options))
  const files = streams.flatMap((stream) => filesOf(names, stream, layout))
  const manifest = options.manifest ? names.manifestKey(streams) : undefined
  return { names, files, manifest }
}

/** Parts of a stream whose rows nobody has counted, as far as collisions go. */
const partsIfUnknown = 100

/** Files that a stream may become. Two with one key are refused, and so is a key that breaks a rule. */
const filesOf = (names: RunNames, stream: PlannedStream, layout: FileLayout): readonly PlannedFile[] => {
  const { maxRows = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, partitionBy = [] } = layout
  const { rows, estimatedBytes = 0 } = stream
  if (rows === 0 && layout.empty === 'nothing') return []
  const parts =
    rows === undefined ? 1 : Math.max(1, Math.ceil(rows / maxRows), Math.ceil(estimatedBytes / maxBytes))
  const splits = Number.isFinite(maxRows) || Number.isFinite(maxBytes)
  const possible = rows === undefined && splits ? partsIfUnknown : Math.min(parts, maxPlanned)
  const partition = Object.fromEntries(partitionBy.map((column) => [column, 'x']))
  const keys = Array.from({ length: possible }, (_, index) =>
    names.fileKey(stream, { part: index + 1, partition }),
  )
  // Bytes and partitions cut at rows that nobody knows.
  const exact = rows !== undefined && partitionBy.length === 0 && !Number.isFinite(maxBytes)
  return keys.slice(0, parts).map((key, index) => ({
    stream: stream.name,
    name: partitionBy.length === 0 ? key : withAnyPartition(key, partitionBy),
    ...(exact
      ? { rows: index === 0 ? Math.min(rows, maxRows) : Math.min(maxRows, rows - index * maxRows) }
      : {}),
  }))
}

/** Which values there are, only the run tells. */
const withAnyPartition = (key: string, partitionBy: readonly string[]): string => {
  const segments = key.split('/')
  const file = segments.pop() ?? ''
  const folders = segments.slice(0, -partitionBy.length)
  return [...folders, ...partitionBy.map((column) => `${column}=*`), file].join('/')
}

const requireColumns = ({ name, schema }: PlannedStream, { partitionBy = [] }: S3ExportOptions): void => {
  const columns = schema.columns.map((column) => column.name)
  const missing = partitionBy.find((column) => !columns.includes(column))
  if (missing !== undefined)
    throw new ConnectorError('config', `${name} has no column ${missing} to partition by.`, {
      code: 'NoSuchColumn',
      hint: `Columns: ${columns.join(', ')}.`,
      place: { table: name, column: missing },
    })
  if (partitionBy.length === columns.length)
    throw new ConnectorError(
      'config',
      `All columns of ${name} are partitions: nothing is left for the files.`,
      {
        code: 'NoColumnsLeft',
        hint: 'Partition by fewer columns.',
        place: { table: name },
      },
    )
}

/** Names of the columns that stand in the files. */
const fileColumns = (schema: TableSchema, { partitionBy = [] }: S3ExportOptions): readonly string[] =>
  schema.columns.map(({ name }) => name).filter((name) => !partitionBy.includes(name))

/** What a run would write and remove; reads the bucket, and writes nothing. */
export const planRun = async (context: S3Context, request: Request): Promise<WritePlan> => {
  const { run } = request
  const { names, files, manifest } = planKeys(context, request)
  const { access, keys, exportId } = storeOf(context, run.exportId)
  const { signal, clock } = context
  const state = await readNote(access, keys.state, stateSchema, signal)
  const { runs = [], lease } = state?.content ?? {}
  const warnings: string[] = []
  if (lease && lease.commitId !== run.commitId && isAlive(lease, clock()))
    warnings.push(`Another run of this export is writing now: ${lease.commitId}. This one would be refused.`)
  const loss = lossWarning(request.options)
  if (loss !== undefined) warnings.push(loss)
  if (names.template.isStatic) warnings.push(staticWarning(request))
  const former = run.mode === 'overwrite' ? await recordsOf(access, keys, runs, signal) : []
  const own = new Set(former.flatMap(keysOfRecord))
  // With partitions the names are not known, and each has a folder of its own.
  if (!request.options.partitionBy)
    await eachOf(files.slice(0, maxLooked), requestsAtOnce, async ({ name }) => {
      const head = await headOf(access, name, signal)
      if (!head || (own.has(name) && isWrittenBy(head, { exportId }))) return
      warnings.push(`There is an object ${name}, which the run may not replace: it would be refused.`)
    })
  const written = new Set([...files.map(({ name }) => name), ...(manifest === undefined ? [] : [manifest])])
  return {
    files,
    ...(manifest === undefined ? {} : { manifest }),
    removes: keysToRemove(former, written),
    warnings,
  }
}

/** Keys whose objects a plan looks for. */
const maxLooked = 100

const staticWarning = ({ run }: Request): string =>
  run.mode === 'overwrite'
    ? 'The key template has neither a time nor an id of the run: each export overwrites the files of the last one.'
    : 'The key template has neither a time nor an id of the run: the next export will find its names taken, and be refused. Use mode overwrite, or add {date_time} or {run_id}.'
