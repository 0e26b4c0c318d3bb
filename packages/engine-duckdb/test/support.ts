import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  type BeginLoadOptions,
  ConnectorError,
  describeType,
  detectFormat,
  type FileFormat,
  type LoadProgress,
  type LoadResult,
  type RunRecord,
  type StagedFile,
  type TableEngine,
} from '@penstock/core'
import { onTestFinished } from 'vitest'
import { duckdb } from '../src/index.ts'

/** An engine and a folder for files, both gone when the test ends. */
export interface Bench {
  readonly folder: string
  readonly engine: TableEngine
}

export const openBench = async (path?: string): Promise<Bench> => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-engine-'))
  const engine = await duckdb(path ?? ':memory:', {
    stagingFolder: join(folder, 'staging'),
    threads: 2,
  })
  onTestFinished(async () => {
    await engine.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, engine }
}

interface FileOptions {
  readonly format?: Partial<FileFormat>
  readonly constants?: Readonly<Record<string, string | null>>
  readonly modified?: number
  /** Only as a stream, without a local copy. */
  readonly streamed?: boolean
}

let versions = 0

/** A staged file with these bytes; format and compression by the name, the bytes as given. */
export const file = (
  { folder }: Bench,
  key: string,
  content: string | Uint8Array,
  options: FileOptions = {},
): StagedFile => {
  const path = join(folder, `file-${versions++}-${key.replaceAll(/[^A-Za-z0-9.]/g, '_').slice(-60)}`)
  writeFileSync(path, content)
  const version = `v${versions}`
  return {
    entry: {
      container: 'bucket',
      key,
      version,
      size: statSync(path).size,
      modified: options.modified ?? Date.UTC(2026, 0, 1),
    },
    url: `s3://bucket/${key}`,
    format: {
      ...(detectFormat(key) ?? { type: 'csv', compression: 'none' }),
      ...options.format,
    } as FileFormat,
    constants: options.constants ?? {},
    ...(options.streamed
      ? { stream: () => createReadStream(path, { highWaterMark: 64 * 1024 }) as AsyncIterable<Uint8Array> }
      : { path }),
  }
}

export const gzip = (content: string | Uint8Array): Buffer => gzipSync(content)
export const zstd = (content: string | Uint8Array): Buffer => zstdCompressSync(content)

const record = (runId: string): RunRecord => ({
  runId,
  command: 'test',
  connector: 'test',
  status: 'succeeded',
  startedAt: '2026-01-01T00:00:00Z',
  tables: [],
})

let runs = 0

export interface Loaded extends LoadResult {
  readonly progress: readonly LoadProgress[]
  /** Types by column, as people read them. */
  readonly types: Readonly<Record<string, string>>
}

/** Loads batches of files in one committed transaction; rolls back on failure. */
export const loadBatches = async (
  engine: TableEngine,
  batches: readonly (readonly StagedFile[])[],
  options: Partial<BeginLoadOptions> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Loaded> => {
  const runId = `run-${runs++}`
  const transaction = await engine.begin({ runId, signal })
  try {
    const load = await transaction.load({
      table: 't',
      mode: 'full',
      schemaPolicy: 'strict',
      onBadRow: 'fail',
      ...options,
    })
    const progress: LoadProgress[] = []
    for (const files of batches) progress.push(await load.addFiles(files, { signal }))
    const result = await load.finish()
    await transaction.commit(record(runId))
    const types = Object.fromEntries(
      result.schema.columns.map(({ name, type }) => [name, describeType(type)]),
    )
    return { ...result, progress, types }
  } finally {
    await transaction.rollback()
  }
}

export const load = (
  engine: TableEngine,
  files: readonly StagedFile[],
  options: Partial<BeginLoadOptions> = {},
): Promise<Loaded> => loadBatches(engine, [files], options)

/** The failure of a load, which has to be a ConnectorError. */
export const failure = async (promise: Promise<unknown>): Promise<ConnectorError> => {
  try {
    await promise
  } catch (error) {
    if (ConnectorError.isInstance(error)) return error
    throw error
  }
  throw new Error('nothing failed')
}

/** Rows of a query, plain. */
export const rows = async (engine: TableEngine, sql: string): Promise<unknown[][]> => {
  const result = await engine.query(sql)
  const all: unknown[][] = []
  for await (const chunk of result.rows()) for (const row of chunk) all.push([...row])
  return all
}

/** All values of a table as text, rows in order of loading. */
export const texts = (engine: TableEngine, table = 't'): Promise<unknown[][]> =>
  rows(engine, `SELECT COLUMNS(*)::VARCHAR FROM "${table}" ORDER BY rowid`)
