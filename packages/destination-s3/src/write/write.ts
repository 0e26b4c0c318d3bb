import type { S3Written } from '@penstock/aws'
import { describeType, toConnectorError, type WriteRequest, type WriteResult } from '@penstock/core'
import { accessForCleanUp } from '../access.ts'
import type { S3Context } from '../config.ts'
import { eachOf, requestsAtOnce } from '../each.ts'
import { namesOf } from '../names.ts'
import { lossWarning, type S3ExportOptions } from '../options.ts'
import { type RunRecord, recordSchema } from '../state/documents.ts'
import { finishRun, keysOfRecord, recordsOf, settleTries, tidy } from '../state/finish.ts'
import { takeLease } from '../state/lease.ts'
import { isConflict, isUploadGone, readNote, writeNote } from '../state/notes.ts'
import { storeOf } from '../state/store.ts'
import { unnotedUploads } from '../state/tries.ts'
import { createPublication, type Publication } from './publish.ts'
import { stageStreams } from './stage-streams.ts'
import type { HoldLimits, StagedFile } from './staged.ts'
import type { Try } from './try.ts'

/**
 * Writes the streams of a run. All bytes are sent first, into uploads that nobody sees; when the last one is there, the
 * objects are made. Then the run counts: an overwrite removes what it replaces, and the manifest comes last. A failure
 * before that leaves what was there; what the end of a process leaves is settled by the next run.
 */
export const writeRun = async (
  context: S3Context,
  request: WriteRequest<S3ExportOptions>,
  hold?: HoldLimits,
): Promise<WriteResult> => {
  const { run, options, streams } = request
  const names = namesOf(context.config, options, run)
  const manifestKey = options.manifest ? names.manifestKey(streams) : undefined
  const loss = lossWarning(options)
  if (loss !== undefined && !run.retried) context.notice(loss)
  const store = storeOf(context, run.exportId)
  const { exportName, commitId, retried } = run
  const lease = await takeLease({ ...store, exportName, commitId, retried, signal: context.signal })
  const signal = AbortSignal.any([context.signal, lease.signal])
  let open = true
  try {
    const runs = await settleTries(store, lease, signal)
    const done = runs.find((other) => other.commitId === commitId)
    if (done) {
      const record = await readNote(store.access, store.keys.record(done), recordSchema, signal)
      if (record) return { ...resultOf(record.content, context, []), alreadyWritten: true }
    }
    const former = run.mode === 'overwrite' ? await recordsOf(store.access, store.keys, runs, signal) : []
    const author = { exportId: run.exportId, commitId, attempt: lease.attempt }
    const record = await writeFiles({
      context,
      request,
      store,
      lease,
      author,
      names,
      manifestKey,
      runs,
      own: new Set(former.flatMap(keysOfRecord)),
      begin: {
        version: 1,
        commitId,
        attempt: lease.attempt,
        started: context.clock().toISOString(),
        folders: [...names.folders(streams)],
        patterns: streams.map((stream) => names.pattern(stream)),
      },
      uploads: new Map(),
      signal,
      hold,
    })
    const { change, removed } = await finishRun(store, record, runs, signal)
    await lease.release({ change })
    open = false
    await tidy(store, [store.keys.notes(author)], change.runs, context.signal)
    return resultOf(record, context, removed)
  } catch (error) {
    // Who takes a lease over aborts the uploads of whoever had it, who may learn of that first.
    if (isUploadGone(error)) await lease.confirm().catch(() => undefined)
    throw lease.signal.aborted ? lease.signal.reason : toConnectorError(error)
  } finally {
    // Whatever ended the run is thrown; a lease that can't be given back runs out by itself.
    if (open) await lease.release({ access: accessForCleanUp(context) }).catch(() => undefined)
  }
}

/** Sends and publishes the files, up to the moment when the run counts. Leaves nothing behind when it fails before. */
const writeFiles = async (current: Try): Promise<RunRecord> => {
  const { request, store, lease, author, begin, own, runs, signal } = current
  const { access, keys, object } = store
  const staged: StagedFile[] = []
  let publication: Publication | undefined
  let counts = false
  try {
    await writeNote(access, keys.begin(author), begin, { ...object, signal })
    await stageStreams(current, staged)
    await abortUnnoted(current)
    const visible = staged.map(({ key }) => key)
    await writeNote(access, keys.keys(author), { keys: visible }, { ...object, signal })
    await lease.confirm()
    const { retried } = request.run
    publication = createPublication(staged, { access, author, own, retried, signal })
    const record = recordOf(current, staged, await publication.publish())
    await writeNote(access, keys.record(author), record, { ...object, signal })
    const { commitId, attempt } = author
    // From here on the state tells whether the run counts, also when the answer is lost: the next run goes by it.
    counts = true
    await lease.set({ runs, finishing: { commitId, attempt } }).catch((error: unknown) => {
      counts = !isConflict(error)
      throw error
    })
    return record
  } catch (error) {
    if (!counts) await discard(current, publication)
    throw error
  }
}

/** An answer to CreateMultipartUpload that got lost leaves an upload that nobody knows. */
const abortUnnoted = async ({ store, begin, uploads, signal }: Try): Promise<void> => {
  const { access } = store
  if (access.stats().retries === 0) return
  for (const { key, uploadId } of await unnotedUploads(access, begin, uploads, signal))
    await access.abortUpload(key, uploadId, { signal })
}

/** Removes everything of the try. What can't be removed is noted: the next run, or a sweep, does it. */
const discard = async (
  { context, store, author, begin, uploads }: Try,
  publication: Publication | undefined,
): Promise<void> => {
  const access = accessForCleanUp(context)
  const { signal } = new AbortController()
  try {
    await publication?.withdraw(access)
    await eachOf(uploads, requestsAtOnce, ([uploadId, key]) => access.abortUpload(key, uploadId))
    for (const { key, uploadId } of await unnotedUploads(access, begin, uploads, signal))
      await access.abortUpload(key, uploadId)
    await tidy({ access, keys: store.keys }, [store.keys.notes(author)], undefined)
  } catch (error) {
    context.notice(
      `Not everything that was sent could be removed (${toConnectorError(error).message}) The next run does it, or penstock sweep.`,
    )
  }
}

const recordOf = (
  { request, author, manifestKey }: Try,
  staged: readonly StagedFile[],
  written: ReadonlyMap<StagedFile, S3Written>,
): RunRecord => {
  const { run, streams } = request
  return {
    version: 1,
    commitId: author.commitId,
    attempt: author.attempt,
    mode: run.mode,
    loadTime: run.loadTime.toISOString(),
    ...(run.scheduledTime === undefined ? {} : { scheduledTime: run.scheduledTime.toISOString() }),
    files: staged.map((file) => {
      const { stream, key, rows, size } = file
      const { etag = '', crc64nvme } = written.get(file) ?? {}
      const checksum = crc64nvme === undefined ? {} : { checksum: `CRC64NVME:${crc64nvme}` }
      return { stream, key, rows, size, etag, ...checksum }
    }),
    schemas: Object.fromEntries(
      streams.map(({ name, schema }) => [
        name,
        schema.columns.map((column) => ({ name: column.name, type: describeType(column.type) })),
      ]),
    ),
    ...(manifestKey === undefined ? {} : { manifestKey }),
  }
}

const resultOf = (record: RunRecord, { config }: S3Context, removed: readonly string[]): WriteResult => ({
  files: record.files.map(({ key, ...file }) => ({
    ...file,
    name: key,
    url: `s3://${config.bucket}/${key}`,
  })),
  ...(record.manifestKey === undefined ? {} : { manifest: record.manifestKey }),
  removed,
})
