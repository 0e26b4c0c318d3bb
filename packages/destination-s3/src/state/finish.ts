import type { S3WriteAccess } from '@penstock/aws'
import { eachOf, requestsAtOnce } from '../each.ts'
import { manifestOf } from '../manifest.ts'
import { isWrittenBy } from '../objects.ts'
import { type NoteKeys, type RunRecord, recordSchema, type State, type UploadNote } from './documents.ts'
import type { HeldLease } from './lease.ts'
import { keysBelow, readNote, removeKeys } from './notes.ts'
import type { Store } from './store.ts'
import { headOf, type OpenTry, openTries, uploadsOf, visibleFilesOf } from './tries.ts'

/** Records of the runs that are in the bucket. */
export const recordsOf = async (
  access: S3WriteAccess,
  keys: NoteKeys,
  runs: State['runs'],
  signal: AbortSignal,
): Promise<RunRecord[]> => {
  const records: RunRecord[] = []
  for (const run of runs) {
    const record = await readNote(access, keys.record(run), recordSchema, signal)
    if (record) records.push(record.content)
  }
  return records
}

/** Every key that a run has made: its files and its manifest. */
export const keysOfRecord = (record: RunRecord): readonly string[] => [
  ...record.files.map(({ key }) => key),
  ...(record.manifestKey === undefined ? [] : [record.manifestKey]),
]

/** Keys that an overwrite would remove: those of former runs that it does not write itself. */
export const keysToRemove = (former: readonly RunRecord[], written: ReadonlySet<string>): string[] => [
  ...new Set(former.flatMap(keysOfRecord).filter((key) => !written.has(key))),
]

export interface FinishedRun {
  /** What is in the bucket then. */
  readonly change: Pick<State, 'runs' | 'finishing'>
  readonly removed: readonly string[]
}

/**
 * What is left to do for a run whose record is there: an overwrite removes what it replaces, then comes the manifest.
 * Doing it twice does no harm.
 */
export const finishRun = async (
  store: Store,
  record: RunRecord,
  runs: State['runs'],
  signal: AbortSignal,
): Promise<FinishedRun> => {
  const { access, keys, exportId, clock, notice } = store
  const others = runs.filter(({ commitId }) => commitId !== record.commitId)
  const replaces = record.mode === 'overwrite'
  const removed: string[] = []
  if (replaces) {
    const former = await recordsOf(access, keys, others, signal)
    const candidates = keysToRemove(former, new Set(keysOfRecord(record)))
    await eachOf(candidates, requestsAtOnce, async (key) => {
      const head = await headOf(access, key, signal)
      if (!head) return
      if (isWrittenBy(head, { exportId })) removed.push(key)
      else notice(`${key} was replaced by somebody else: it stays.`)
    })
    removed.sort()
    // First what lists the others: nobody must be led to files that are gone.
    const manifests = new Set(former.map(({ manifestKey }) => manifestKey))
    await removeKeys(
      access,
      removed.filter((key) => manifests.has(key)),
      signal,
    )
    await removeKeys(
      access,
      removed.filter((key) => !manifests.has(key)),
      signal,
    )
  }
  if (record.manifestKey !== undefined)
    await access.put(record.manifestKey, Buffer.from(manifestOf(record)), {
      ...store.object,
      metadata: store.metadata(record),
      signal,
    })
  const { commitId, attempt } = record
  const entry = { commitId, attempt, finished: clock().toISOString() }
  return { change: { runs: replaces ? [entry] : [...others, entry], finishing: undefined }, removed }
}

/** Removes records of runs that do not count, or no longer, and notes of runs that are through. */
export const tidy = async (
  { access, keys }: Pick<Store, 'access' | 'keys'>,
  folders: readonly string[],
  runs: State['runs'] | undefined,
  signal?: AbortSignal,
): Promise<void> => {
  if (runs) {
    const kept = new Set(runs.map((run) => keys.record(run)))
    const records = await Array.fromAsync(keysBelow(access, keys.runs, signal))
    await removeKeys(
      access,
      records.filter((key) => !kept.has(key)),
      signal,
    )
  }
  // Last: as long as there are notes, the next run comes by here.
  for (const folder of folders) await removeKeys(access, keysBelow(access, folder, signal), signal)
}

/** What a dead try has left. */
export interface TryLeftovers {
  readonly uploads: readonly (UploadNote & { readonly initiated?: number })[]
  /** None of a run that counts: these are its files. */
  readonly files: readonly { readonly key: string; readonly size: number; readonly modified: number }[]
}

/** Finds what a dead try has left. */
export const leftoversOf = async (
  { access, keys, exportId }: Store,
  open: OpenTry,
  runs: State['runs'],
  signal: AbortSignal,
): Promise<TryLeftovers> => {
  // Also of a run that counts: an answer that got lost may have left an upload.
  const uploads = await uploadsOf(access, open, signal)
  if (runs.some(({ commitId }) => commitId === open.begin?.commitId)) return { uploads, files: [] }
  const visible = await visibleFilesOf(access, open, exportId, signal)
  if (visible.length === 0) return { uploads, files: [] }
  // A file that it has replaced is one of a run that counts: removing it would leave none.
  const listed = new Set((await recordsOf(access, keys, runs, signal)).flatMap(keysOfRecord))
  return { uploads, files: visible.filter(({ key }) => !listed.has(key)) }
}

/** Removes what a dead try has left, its notes last. */
export const removeLeftovers = async (
  store: Store,
  open: OpenTry,
  { uploads, files }: TryLeftovers,
  runs: State['runs'],
  signal: AbortSignal,
): Promise<void> => {
  const { access } = store
  await eachOf(uploads, requestsAtOnce, ({ key, uploadId }) => access.abortUpload(key, uploadId, { signal }))
  await removeKeys(
    access,
    files.map(({ key }) => key),
    signal,
  )
  await tidy(store, [open.folder], runs, signal)
}

/** Finishes a run that counts and was not finished. The caller holds the lease. Returns the runs that are there then. */
export const finishFormer = async (
  store: Store,
  lease: HeldLease,
  signal: AbortSignal,
): Promise<State['runs']> => {
  const { finishing, runs } = lease.state
  if (!finishing) return runs
  const record = await readNote(store.access, store.keys.record(finishing), recordSchema, signal)
  if (!record) return runs
  const { change } = await finishRun(store, record.content, runs, signal)
  await lease.set(change)
  return change.runs
}

/**
 * Brings what dead tries have left to an end: a run that counts is finished, anything else is removed. The caller
 * holds the lease: whoever has notes is dead. Returns the runs that are in the bucket then.
 */
export const settleTries = async (
  store: Store,
  lease: HeldLease,
  signal: AbortSignal,
): Promise<State['runs']> => {
  const runs = await finishFormer(store, lease, signal)
  for await (const open of openTries(store.access, store.keys, signal))
    await removeLeftovers(store, open, await leftoversOf(store, open, runs, signal), runs, signal)
  return runs
}
