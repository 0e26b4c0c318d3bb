import type { z } from 'zod'
import type { AuthMethod } from './auth.ts'
import type { ConnectorContext, ConnectorDefinition, MaybePromise, ResolvedAuth } from './connector.ts'
import type { ExportFormat } from './export-format.ts'
import type { TableSchema } from './types.ts'

export const exportModes = ['append', 'overwrite', 'merge'] as const
/**
 * `append`: adds to what is there. `overwrite`: replaces what this destination wrote before, and nothing else.
 * `merge`: upserts by the stream's key.
 */
export type ExportMode = (typeof exportModes)[number]

/** How the engine cuts a stream into files. */
export interface FileLayout {
  readonly format: ExportFormat
  /** Rows of one file at most (default: no limit). */
  readonly maxRows?: number
  /** Bytes of one file at most, as far as the format allows to tell before it is written (default: no limit). */
  readonly maxBytes?: number
  /** Columns that become `key=value/` folders and leave the rows. */
  readonly partitionBy?: readonly string[]
  /** A stream without rows gives one file with a header or schema alone, or no file (default `header`). */
  readonly empty?: 'header' | 'nothing'
}

/** One file of a stream, complete on the local disk. */
export interface ExportFile {
  /** Number of the part within its stream and partition, from 1. */
  readonly part: number
  /** Values of the `partitionBy` columns as text, in that order. */
  readonly partition: Readonly<Record<string, string | null>>
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly rows: number
  /** Removes the local copy. Staging is bounded: what is not released stops the engine from writing more. */
  release(): Promise<void>
}

/** How far a file has been written. */
export interface FileGrowth {
  /** Bytes that are in the file, and stay as they are. */
  readonly bytes: number
  /** Whether that is all of it. */
  readonly complete: boolean
}

/** One file of a stream that the engine may still be writing: it is only appended to. */
export interface GrowingFile extends Omit<ExportFile, 'size' | 'rows'> {
  /**
   * Waits until the file has more than `beyond` bytes or is complete, whichever comes first. Before that there may be
   * nothing at `path`. Rejects when the file will never be complete, with the reason, and when `signal` aborts.
   */
  grown(beyond: number, signal?: AbortSignal): Promise<FileGrowth>
  /** What the file is in the end. Rejects when it will never be complete; it may be left alone. */
  readonly finished: Promise<Pick<ExportFile, 'size' | 'rows'>>
}

/** Rows of an incremental export: those whose cursor is beyond `after`, up to and including `to`. */
export interface ExportCursor {
  readonly column: string
  /** Cursor saved by the last complete export, as text; absent on the first one, which is full. */
  readonly after?: string
  /** Highest cursor value of this export, as text; absent when there are no rows. */
  readonly to?: string
}

/** A table or a query on its way to a destination. It is read once: as files, as growing files, or as rows. */
export interface ExportStream {
  /** Stable between runs: a uuid. */
  readonly id: string
  readonly name: string
  readonly schema: TableSchema
  readonly cursor?: ExportCursor
  /** The rows as files that the engine writes: no JavaScript per row. Runs ahead while earlier files are taken. */
  files(layout: FileLayout): AsyncIterable<ExportFile>
  /**
   * Like `files`, for a destination that sends the first bytes of a file while the last ones are written: a file is
   * given as soon as it is begun. What was sent of one that fails must never be visible. Absent where files are given
   * complete alone.
   */
  growingFiles?(layout: FileLayout): AsyncIterable<GrowingFile>
  /** The rows as pages of plain objects. */
  rows(): AsyncIterable<readonly Readonly<Record<string, unknown>>[]>
}

/** What identifies one run of an export. All of it is the same when the run is tried again. */
export interface ExportRun {
  /** Run id of the first try: files, keys and manifest are named after it. */
  readonly commitId: string
  /** Id of the export in its project: what `overwrite` and the manifest are about. Stable between runs. */
  readonly exportId: string
  readonly exportName: string
  readonly mode: ExportMode
  readonly loadTime: Date
  /** Time that the schedule asked for, where it was a schedule. */
  readonly scheduledTime?: Date
  /** True when an earlier try with this `commitId` may have written something. */
  readonly retried: boolean
}

export interface WriteRequest<Options = unknown> {
  readonly run: ExportRun
  readonly options: Options
  readonly streams: readonly ExportStream[]
  readonly onProgress: (event: WriteProgress) => void
}

/** Totals so far of one stream. */
export interface WriteProgress {
  readonly stream: string
  readonly files: number
  readonly bytes: number
  readonly rows: number
}

/** Something that was written: an object, a table. */
export interface WrittenFile {
  readonly stream: string
  /** Where it is: a key, a path, a table name. */
  readonly name: string
  readonly url?: string
  readonly rows: number
  /** Bytes as stored. */
  readonly size: number
  readonly etag?: string
  /** Algorithm and value: `CRC64NVME:...` in base64. */
  readonly checksum?: string
}

export interface WriteResult {
  readonly files: readonly WrittenFile[]
  readonly manifest?: string
  /** What an overwrite removed. */
  readonly removed?: readonly string[]
  /** True when an earlier try with this `commitId` has written all of it, and no stream was read again. */
  readonly alreadyWritten?: boolean
}

/** A stream as it is known before the run. */
export interface PlannedStream {
  readonly id: string
  readonly name: string
  readonly schema: TableSchema
  readonly cursor?: ExportCursor
  /** Absent where counting would be a pass over a query: a plan counts, the check before a run does not. */
  readonly rows?: number
  /** Estimated bytes, before compression. */
  readonly estimatedBytes?: number
}

export interface WritePlanRequest<Options = unknown> {
  readonly run: ExportRun
  readonly options: Options
  readonly streams: readonly PlannedStream[]
}

export interface WritePlan {
  /** What the run would write, in order; at most the first 1,000 of each stream. */
  readonly files: readonly { readonly stream: string; readonly name: string; readonly rows?: number }[]
  readonly manifest?: string
  /** What an overwrite would remove. */
  readonly removes: readonly string[]
  readonly warnings: readonly string[]
}

/** Something that a failed run left behind. */
export interface Leftover {
  readonly kind: 'upload' | 'file'
  readonly name: string
  /** Bytes, where known. */
  readonly size?: number
  readonly started?: Date
  readonly removed: boolean
}

/**
 * Codes of `conflict` errors of `write` that tell the runtime how it goes on. With both, nothing of the run may be left.
 *
 * - `KeyTaken`: a name that the run needs is somebody else's, or of a run that stays. The same run would fail again: the
 *   next one is a new run, with a time and an id of its own.
 * - `WriteRace`: another writer got in the way in that moment. The same run is tried again at once, a few times.
 */
export const writeConflicts = Object.freeze({ nameTaken: 'KeyTaken', race: 'WriteRace' } as const)

export interface DestinationCapabilities {
  readonly modes: readonly ExportMode[]
  /** File types that it takes; empty for one that takes rows. */
  readonly fileTypes: readonly ExportFormat['type'][]
}

export interface DestinationDefinition<
  Config extends z.ZodType,
  Methods extends readonly AuthMethod[],
  Options extends z.ZodType,
> extends ConnectorDefinition<Config, Methods> {
  readonly capabilities: DestinationCapabilities
  /** Schema of the options of one export: file type, key template. They become flags and YAML. */
  readonly options?: Options
  /** Refuses options that can't work, before anything is read: throws `config` errors. */
  checkOptions?(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    request: WritePlanRequest<z.output<Options>>,
  ): MaybePromise<void>
  /** What a run would write and remove. Writes nothing. */
  plan?(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    request: WritePlanRequest<z.output<Options>>,
  ): Promise<WritePlan>
  /**
   * Writes the streams. Nothing may be visible in part: a failure leaves what was there before. Called again with
   * the same `commitId`, it leaves one copy; when an earlier try has written everything, it may tell that result
   * without reading a stream (`alreadyWritten`). See {@link writeConflicts} for how a conflict is told.
   */
  write(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    request: WriteRequest<z.output<Options>>,
  ): Promise<WriteResult>
  /** Finds what failed runs left behind, and removes it unless `dryRun`. */
  sweep?(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    options: { readonly dryRun: boolean },
  ): AsyncIterable<Leftover>
}

/** A destination connector. `specificationVersion` is raised only when the contract breaks. */
export interface Destination<
  Config extends z.ZodType = z.ZodType,
  Methods extends readonly AuthMethod[] = readonly AuthMethod[],
  Options extends z.ZodType = z.ZodType,
> extends DestinationDefinition<Config, Methods, Options> {
  readonly kind: 'destination'
  readonly specificationVersion: 1
}

/** A destination of any configuration, as the runtime and the command line handle it. */
// biome-ignore lint/suspicious/noExplicitAny: variance: contexts of all configurations meet here
export type AnyDestination = Destination<any, any, any>

export const defineDestination = <
  Config extends z.ZodType,
  const Methods extends readonly AuthMethod[] = readonly [],
  Options extends z.ZodType = z.ZodUndefined,
>(
  definition: DestinationDefinition<Config, Methods, Options>,
): Destination<Config, Methods, Options> =>
  Object.freeze({ ...definition, kind: 'destination' as const, specificationVersion: 1 as const })
