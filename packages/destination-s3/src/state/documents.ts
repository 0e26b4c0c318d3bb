import type { ExportMode } from '@penstock/core'
import { z } from 'zod'

/** Who is writing, and until when that holds without a renewal. */
const lease = z.object({
  attempt: z.string(),
  commitId: z.string(),
  /** Machine and process, to tell at once that a holder is dead. */
  host: z.string(),
  process: z.int(),
  acquired: z.iso.datetime(),
  expires: z.iso.datetime(),
})
export type Lease = z.output<typeof lease>

/** One try of a run. */
const runId = z.object({ commitId: z.string(), attempt: z.string() })
export type RunId = z.output<typeof runId>

/** `state.json` of an export: what of it is in the bucket, and who writes now. */
export const stateSchema = z.object({
  version: z.literal(1),
  exportId: z.string(),
  lease: lease.optional(),
  /** Runs whose files are there, oldest first: what an overwrite replaces. */
  runs: z.array(runId.extend({ finished: z.iso.datetime() })),
  /** A run all of whose files are there, and that counts: what is left to do, whoever comes next does. */
  finishing: runId.optional(),
})
export type State = z.output<typeof stateSchema>

const file = z.object({
  stream: z.string(),
  key: z.string(),
  rows: z.int(),
  size: z.int(),
  etag: z.string(),
  checksum: z.string().exactOptional(),
})

/** `runs/COMMIT-TRY.json`: the files of a run. */
export const recordSchema = runId.extend({
  version: z.literal(1),
  mode: z.enum(['append', 'overwrite', 'merge'] satisfies readonly ExportMode[]),
  loadTime: z.iso.datetime(),
  scheduledTime: z.iso.datetime().optional(),
  files: z.array(file),
  /** Columns of each stream. */
  schemas: z.record(z.string(), z.array(z.object({ name: z.string(), type: z.string() }))),
  manifestKey: z.string().optional(),
})
export type RunRecord = z.output<typeof recordSchema>

/** `pending/COMMIT/begin.json`: a try that writes. */
export const beginSchema = runId.extend({
  version: z.literal(1),
  started: z.iso.datetime(),
  /** Prefixes and patterns of its keys, to find an upload whose id could not be noted any more. */
  folders: z.array(z.string()),
  patterns: z.array(z.string()),
})
export type Begin = z.output<typeof beginSchema>

/** `pending/COMMIT/upload-N.json`: an upload in parts. */
export const uploadSchema = z.object({ key: z.string(), uploadId: z.string() })
export type UploadNote = z.output<typeof uploadSchema>

/** `pending/COMMIT/keys.json`: what is about to become visible. */
export const keysSchema = z.object({ keys: z.array(z.string()) })

/** Keys of the notes of one export. */
export interface NoteKeys {
  readonly root: string
  readonly state: string
  readonly runs: string
  readonly pending: string
  record(run: RunId): string
  /** Folder of the notes of a run that is being written. */
  notes(run: RunId): string
  begin(run: RunId): string
  upload(run: RunId, number: number): string
  keys(run: RunId): string
}

export const noteKeys = (stateRoot: string, exportId: string): NoteKeys => {
  const root = `${stateRoot}${encodeURIComponent(exportId.toWellFormed())}/`
  const name = ({ commitId }: RunId): string => encodeURIComponent(commitId.toWellFormed())
  const notes = (run: RunId): string => `${root}pending/${name(run)}/`
  return Object.freeze<NoteKeys>({
    root,
    state: `${root}state.json`,
    runs: `${root}runs/`,
    pending: `${root}pending/`,
    record: (run) => `${root}runs/${name(run)}-${run.attempt}.json`,
    notes,
    begin: (run) => `${notes(run)}begin.json`,
    upload: (run, number) => `${notes(run)}upload-${run.attempt}-${number}.json`,
    keys: (run) => `${notes(run)}keys-${run.attempt}.json`,
  })
}
