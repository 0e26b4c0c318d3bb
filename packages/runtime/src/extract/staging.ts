import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ByteRange,
  ConnectorError,
  type FileEntry,
  type FileFormat,
  type FileTable,
  type StagedFile,
  type TransferOptions,
} from '@penstock/core'
import { type Budget, createBudget } from './budget.ts'
import { fileInMemory, fileOnDisk } from './local-copy.ts'

/** Default ceiling of the staging disk: 4 GiB (s3-connectors.md, resources). */
export const defaultStagingBytes = 4 * 1024 ** 3

/** Share of the ceiling, and most bytes, that are left to the engine for copies that it makes of files. */
const copyShare = 0.25
const maxCopyBytes = 128 * 1024 ** 2

/** Share of the ceiling in which parts of an object that is larger than it are staged, while others are on their way. */
const partShare = 0.5

/**
 * Bytes of memory that small objects have together, and size up to which an object is small. To make a file, to open it
 * and to delete it takes longer than all else about a small object. What finds no room there goes to the disk.
 */
const memoryBytes = 64 * 1024 ** 2
const smallBytes = 64 * 1024

/** How often an object that changes underneath is looked up again before the run gives up on it. */
const maxRefreshes = 3

/** A folder with a ceiling, in which local copies of objects live for a short time. */
export interface Staging {
  readonly folder: string
  /** Ceiling of the local copies of objects in bytes: what was asked for, or less where the disk has less. */
  readonly ceiling: number
  /** Bytes beside those that the engine may use for copies of its own. */
  readonly copyBytes: number
  readonly budget: Budget
  /** Bytes of memory that copies of small objects have, instead of files. */
  readonly memory: Budget
  remove(): Promise<void>
}

/**
 * Makes a staging folder below `parent`. The ceiling is lowered to 80 % of the free disk, so that a full disk slows
 * a run down instead of breaking it.
 */
export const createStaging = async (
  parent: string,
  bytes: number = defaultStagingBytes,
): Promise<Staging> => {
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'run-'))
  const disk = await statfs(folder)
  const whole = Math.max(1, Math.min(bytes, Math.floor(disk.bavail * disk.bsize * 0.8)))
  const copyBytes = Math.min(Math.floor(whole * copyShare), maxCopyBytes)
  const ceiling = whole - copyBytes
  return Object.freeze({
    folder,
    ceiling,
    copyBytes,
    budget: createBudget(ceiling),
    memory: createBudget(memoryBytes),
    remove: () => rm(folder, { recursive: true, force: true }),
  })
}

/** A staged file that has to be released when the engine is done with it. */
export interface HeldFile {
  readonly file: StagedFile
  /** Staging bytes that it holds. */
  readonly held: number
  release(): Promise<void>
}

export interface StageOptions extends TransferOptions {
  readonly signal: AbortSignal
  /** Name of the local file: a number, never a part of the key. */
  readonly ordinal: number
  readonly streamable: (format: FileFormat) => boolean
}

/**
 * Brings one object to the staging folder, or, when it is larger than the ceiling, prepares it to be streamed.
 * An object that changed since it was listed is looked up again and read anew. What it holds of the budget it keeps
 * meanwhile, and it never waits for more: those behind it, who would take that, are loaded after it.
 */
export const stageFile = async (
  table: FileTable,
  listed: FileEntry,
  staging: Staging,
  options: StageOptions,
): Promise<HeldFile> => {
  let room = roomFor(table, listed, staging, options)
  await staging.budget.take(room.bytes, options.signal)
  try {
    for (let entry = listed, refreshes = 0; ; refreshes++) {
      try {
        return await stageVersion(table, entry, room, staging, options)
      } catch (error) {
        entry = await refresh(table, entry, error, refreshes, options.signal)
        const other = resized(room, roomFor(table, entry, staging, options), staging.budget)
        if (!other) throw error
        room = other
        options.onRetry?.({
          attempt: refreshes + 1,
          delayMs: 0,
          reason: 'the object changed after it was listed',
        })
      }
    }
  } catch (error) {
    staging.budget.give(room.bytes)
    throw error
  }
}

/** What one object takes of the staging budget. */
interface Room {
  readonly bytes: number
  /** There is no local copy of the whole object. */
  readonly isStreamed: boolean
  /** It can also be streamed with any room, or none. */
  readonly canStream: boolean
}

const roomFor = (table: FileTable, entry: FileEntry, staging: Staging, options: StageOptions): Room => {
  const format = formatOf(table, entry)
  const isParquet = format.type === 'parquet'
  const isStreamable = options.streamable(format)
  const canStream = isStreamable && !isParquet
  if (entry.size <= staging.ceiling) return { bytes: entry.size, isStreamed: false, canStream }
  if (!isStreamable) throw tooLarge(table.open(entry).url, entry.size, staging)
  return { bytes: isParquet ? Math.ceil(staging.ceiling * partShare) : 0, isStreamed: true, canStream }
}

/** The room of an object that has another size now; undefined where it would have to wait for it. */
const resized = (room: Room, wanted: Room, budget: Budget): Room | undefined => {
  if (wanted.bytes > room.bytes && !budget.tryGrow(wanted.bytes - room.bytes))
    return wanted.canStream ? { ...wanted, bytes: room.bytes, isStreamed: true } : undefined
  budget.give(Math.max(0, room.bytes - wanted.bytes))
  return wanted
}

const stageVersion = async (
  table: FileTable,
  entry: FileEntry,
  { bytes: held, isStreamed }: Room,
  { budget, memory, folder }: Staging,
  options: StageOptions,
): Promise<HeldFile> => {
  const format = formatOf(table, entry)
  const remote = table.open(entry)
  const common = { entry, url: remote.url, format, constants: table.constants?.(entry) ?? {} }
  if (isStreamed) {
    const file = { ...common, stream: () => remote.read(undefined, options) }
    const release = async () => budget.give(held)
    if (format.type !== 'parquet') return { file, held, release }
    const ranges = { read: (range: ByteRange) => remote.read(range, options), stagingBytes: held }
    return { file: { ...file, ranges }, held, release }
  }
  const { size } = entry
  const path = join(folder, `${options.ordinal}${suffixOf(format)}`)
  const isInMemory = size <= smallBytes && format.type !== 'parquet' && memory.tryTake(size)
  const giveBack = () => isInMemory && memory.give(size)
  try {
    const copy = await (isInMemory ? fileInMemory : fileOnDisk)(remote, common, path, options)
    const release = async () => {
      await copy.remove()
      giveBack()
      budget.give(held)
    }
    return { file: copy.file, held, release }
  } catch (error) {
    giveBack()
    throw error
  }
}

const refresh = async (
  table: FileTable,
  entry: FileEntry,
  error: unknown,
  refreshes: number,
  signal: AbortSignal,
): Promise<FileEntry> => {
  const changed = ConnectorError.isInstance(error) && error.kind === 'conflict'
  if (!changed || !table.refresh || refreshes >= maxRefreshes) throw error
  const found = await table.refresh(entry, { signal })
  if (found && found.version !== entry.version) return found
  throw error
}

const formatOf = (table: FileTable, entry: FileEntry): FileFormat => {
  const format = table.format(entry)
  if (format) return format
  throw new ConnectorError('data', `The file type of ${entry.key} is not known from its name.`, {
    place: { object: entry.key },
    hint: 'Say it with --format (format: csv), or leave the object out with --exclude.',
  })
}

const tooLarge = (url: string, size: number, { ceiling }: Staging): ConnectorError =>
  new ConnectorError(
    'resource',
    `${url} has ${size} bytes; the staging ceiling leaves ${ceiling} bytes for copies of objects.`,
    {
      place: { object: url },
      hint: `A file of this type is read at random places, so it has to fit: raise --staging to ${Math.ceil((size + maxCopyBytes) / 1024 ** 3)}GiB or more.`,
    },
  )

const suffixOf = (format: FileFormat): string => {
  const compression = { none: '', gzip: '.gz', zstd: '.zst' }[format.compression]
  return `.${format.type}${format.type === 'parquet' ? '' : compression}`
}
