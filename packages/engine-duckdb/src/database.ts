import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { ConnectorError } from '@penstock/core'
import { type Bookkeeping, bookkeepingOf, createBookkeeping, hasBookkeeping } from './bookkeeping.ts'
import { translateError } from './errors.ts'
import { explainFile } from './foreign-file.ts'
import { createQueue } from './interruptible.ts'
import { firstRow, quoteText, quoteTextList } from './sql.ts'
import { createStagingFolder, type StagingFolder } from './staging-folder.ts'
import { createThreadShare, type ThreadShare } from './thread-share.ts'

export interface DuckDBOptions {
  /** DuckDB's share of memory in bytes (default 600 MiB). What does not fit is spilled to the staging folder. */
  readonly memoryLimitBytes?: number
  /** Threads (default: one per core). */
  readonly threads?: number
  /**
   * Folder below which this engine stages files and spills (default: next to the database; below the system's
   * temporary folder for an in-memory or read-only one).
   */
  readonly stagingFolder?: string
  /** Opens for reading only: several processes can, as long as none writes (default false). */
  readonly readOnly?: boolean
  /**
   * SQL reaches neither files nor other databases nor the network: only this database, and the engine's own staging
   * (default false).
   */
  readonly contained?: boolean
  /** Ceiling in bytes of what DuckDB spills (default: 90 % of the free disk). */
  readonly maxTempBytes?: number
}

/** An open database with its books and its staging folder. */
export interface Database {
  /** Path as the user gave it, or `:memory:`. */
  readonly location: string
  readonly readOnly: boolean
  /** DuckDB's name of the database. */
  readonly catalog: string
  readonly books: Bookkeeping
  readonly staging: StagingFolder
  /** Threads that DuckDB has. */
  readonly threads: number
  readonly threadShare: ThreadShare
  /** A new connection; it is disconnected at the latest when the database is closed. */
  connect(): Promise<DuckDBConnection>
  disconnect(connection: DuckDBConnection): void
  /** A number that no other load of this database has: transactions that run at once make tables side by side. */
  nextOrdinal(): number
  /** Registers what has to end before the database can be closed; returns the removal of the registration. */
  onClose(end: () => Promise<void>): () => void
  /** Makes the books if there are none. Returns whether there are some now: never in a new read-only database. */
  ensureBookkeeping(): Promise<boolean>
  hasBookkeeping(): Promise<boolean>
  close(): Promise<void>
}

const defaultMemoryBytes = 600 * 1024 ** 2

export const openDatabase = async (location: string, options: DuckDBOptions): Promise<Database> => {
  const readOnly = options.readOnly ?? false
  refuseInvalid(options)
  const path = location === ':memory:' ? undefined : resolve(location)
  if (path === undefined && readOnly)
    throw new ConnectorError('config', 'An in-memory database can not be read-only: it would stay empty.')
  const instance = await openInstance(location, path, options)
  const connections = new Set<DuckDBConnection>()
  const endings = new Set<() => Promise<void>>()
  const connect = async () => {
    const connection = await instance.connect()
    connections.add(connection)
    return connection
  }
  const disconnect = (connection: DuckDBConnection) => {
    if (connections.delete(connection)) connection.disconnectSync()
  }
  let staging: StagingFolder | undefined
  try {
    const connection = await connect()
    // Zoned timestamps without an offset, and their text, must not depend on the machine.
    await connection.run("SET GLOBAL TimeZone = 'UTC'")
    const [name, threadCount] =
      (await firstRow(connection, "SELECT current_database(), current_setting('threads')")) ?? []
    const catalog = String(name)
    const threads = Number(threadCount)
    const books = bookkeepingOf(catalog)
    let known = await hasBookkeeping(connection, books, location)
    staging = await createStagingFolder({ database: path, readOnly, given: options.stagingFolder })
    await connection.run(`SET GLOBAL temp_directory = ${quoteText(join(staging.path, 'spill'))}`)
    if (options.maxTempBytes !== undefined)
      await connection.run(`SET GLOBAL max_temp_directory_size = '${bytes(options.maxTempBytes)}'`)
    if (options.contained) await contain(connection, [staging.path, options.stagingFolder])
    disconnect(connection)

    let ordinal = 0
    const enqueue = createQueue()
    const close = async () => {
      await Promise.all([...endings].map((end) => end()))
      for (const open of [...connections]) {
        open.interrupt()
        disconnect(open)
      }
      if (!readOnly && path !== undefined) await checkpoint(instance)
      instance.closeSync()
      await staging?.remove()
    }
    const withConnection = async <Result>(use: (connection: DuckDBConnection) => Promise<Result>) => {
      const own = await connect()
      try {
        return await use(own)
      } finally {
        disconnect(own)
      }
    }
    const setThreads = (count: number) =>
      withConnection(async (own) => {
        // Where settings are sealed it stays as it is, and takes longer.
        await own.run(`SET GLOBAL threads = ${count}`).catch(() => {})
      })
    return Object.freeze({
      location,
      readOnly,
      catalog,
      books,
      staging,
      threads,
      threadShare: createThreadShare(setThreads, threads),
      connect,
      disconnect,
      nextOrdinal: () => ordinal++,
      onClose: (end: () => Promise<void>) => {
        endings.add(end)
        return () => void endings.delete(end)
      },
      hasBookkeeping: async () => known,
      ensureBookkeeping: () =>
        enqueue(async () => {
          if (!known && !readOnly) {
            await withConnection((own) => createBookkeeping(own, books))
            known = true
          }
          return known
        }),
      close,
    })
  } catch (error) {
    for (const open of [...connections]) disconnect(open)
    instance.closeSync()
    await staging?.remove()
    throw translateError(error, { action: 'open', location })
  }
}

/** Can't be undone for this instance, whatever SQL says. */
export const contain = async (
  connection: DuckDBConnection,
  folders: readonly (string | undefined)[],
): Promise<void> => {
  const allowed = folders.filter((folder) => folder !== undefined).map((folder) => `${resolve(folder)}/`)
  await connection.run(`SET GLOBAL allowed_directories = ${quoteTextList(allowed)}`)
  await connection.run('SET GLOBAL enable_external_access = false')
}

/** Below that DuckDB can't even read a table. */
const smallestMemoryBytes = 32 * 1024 ** 2

const refuseInvalid = ({ memoryLimitBytes, threads, maxTempBytes }: DuckDBOptions): void => {
  const refuse = (message: string) => {
    throw new ConnectorError('config', message, { code: 'InvalidOption' })
  }
  if (memoryLimitBytes !== undefined && !(memoryLimitBytes >= smallestMemoryBytes))
    refuse(`memoryLimitBytes is ${memoryLimitBytes}; it has to be at least ${smallestMemoryBytes} (32 MiB).`)
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    refuse(`threads is ${threads}; it has to be a whole number from 1.`)
  if (maxTempBytes !== undefined && !(maxTempBytes >= 0))
    refuse(`maxTempBytes is ${maxTempBytes}; it must not be negative.`)
}

const openInstance = async (
  location: string,
  path: string | undefined,
  options: DuckDBOptions,
): Promise<DuckDBInstance> => {
  const memoryLimit = options.memoryLimitBytes ?? defaultMemoryBytes
  const settings: Record<string, string> = {
    access_mode: options.readOnly ? 'READ_ONLY' : 'AUTOMATIC',
    memory_limit: bytes(memoryLimit),
    // Nothing is ever downloaded or loaded behind the user's back.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // A file lock does not hold within one process, and a second instance on the same file would corrupt it.
    // DuckDB's own cache refuses to open a file again with other settings, so every engine gets its own.
    custom_user_agent: `penstock/${randomUUID()}`,
    ...(options.threads !== undefined && { threads: String(options.threads) }),
  }
  try {
    return path === undefined
      ? await DuckDBInstance.create(':memory:', settings)
      : await DuckDBInstance.fromCache(path, settings)
  } catch (error) {
    throw (
      (path && (await explainFile(path, location, error))) ??
      translateError(error, { action: 'open', location })
    )
  }
}

const bytes = (count: number): string => `${Math.max(1, Math.ceil(count / 1024))}KiB`

/** Moves the write-ahead log into the file, so that closing has nothing left to do. The rows are safe without it. */
const checkpoint = async (instance: DuckDBInstance): Promise<void> => {
  const connection = await instance.connect()
  try {
    await connection.run('CHECKPOINT')
  } catch {
    // A full disk: the log stays and is replayed at the next opening.
  } finally {
    connection.disconnectSync()
  }
}
