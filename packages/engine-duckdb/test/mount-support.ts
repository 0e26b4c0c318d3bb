import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import {
  type ByteRange,
  ConnectorError,
  type LogicalType,
  type Mount,
  type MountedQueryOptions,
  type QueryReceipt,
  type RangedFile,
  type ScanColumn,
  type ScanDelete,
  type ScanFile,
  type ScanRequest,
  type TableEngine,
  type TableSchema,
  type ZeroCopyTable,
} from '@penstock/core'
import { afterEach } from 'vitest'
import { duckdb } from '../src/index.ts'
import { columnsOf } from '../src/logical-types.ts'

/** A file of bytes that counts what is read of it. */
export interface TestFile extends RangedFile {
  readonly reads: ByteRange[]
}

export const memoryFile = (url: string, bytes: Uint8Array, version?: string): TestFile => {
  const reads: ByteRange[] = []
  return {
    url,
    size: bytes.length,
    ...(version !== undefined && { version }),
    reads,
    async *read(range) {
      reads.push(range)
      yield bytes.subarray(range.start, range.end)
    },
  }
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-mount-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes Parquet files with DuckDB, apart from the engine under test. */
export const openWriter = async () => {
  const folder = temporaryFolder()
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  cleanups.push(() => {
    connection.disconnectSync()
    instance.closeSync()
  })
  let ordinal = 0
  return {
    connection,
    /** The file of a SELECT. `options` are those of COPY. */
    parquet: async (select: string, options = ''): Promise<Uint8Array> => {
      const path = join(folder, `${ordinal++}.parquet`)
      await connection.run(
        `COPY (${select}) TO '${path}' (FORMAT parquet${options === '' ? '' : `, ${options}`})`,
      )
      return new Uint8Array(readFileSync(path))
    },
    schema: async (select: string): Promise<TableSchema> => ({
      columns: await columnsOf(connection, `(${select})`),
    }),
    rows: async (sql: string): Promise<unknown[][]> => (await connection.runAndReadAll(sql)).getRowsJson(),
  }
}

export interface TestFileEntry {
  readonly file: RangedFile
  readonly rows?: number
  readonly deletes?: readonly ScanDelete[]
  readonly format?: ScanFile['format']
  readonly decode?: ScanFile['decode']
  /** Where a column of the table is in the file; by name by default. */
  readonly sources?: Readonly<Record<string, ScanColumn['source']>>
  /** Columns that only deletes need. */
  readonly more?: readonly ScanColumn[]
}

const scanColumn = (
  name: string,
  type: LogicalType,
  path: readonly (readonly string[])[],
  source: ScanColumn['source'],
): ScanColumn => {
  if (type.type !== 'struct') return { name, type, source }
  const isWhole = path.some((rest) => rest.length === 0)
  const fields = type.fields.filter((field) => isWhole || path.some((rest) => rest[0] === field.name))
  const children = fields.map((field) =>
    scanColumn(
      field.name,
      field.type,
      isWhole ? [[]] : path.filter((rest) => rest[0] === field.name).map((rest) => rest.slice(1)),
      { from: 'name', name: field.name },
    ),
  )
  return { name, type, source, children }
}

/** A table over files: it prunes nothing itself, so that the engine does. */
export const fileTable = (
  schema: TableSchema,
  files: readonly TestFileEntry[],
): ZeroCopyTable & { readonly requests: ScanRequest[] } => {
  const requests: ScanRequest[] = []
  return {
    namespace: ['sales'],
    name: 'orders',
    schema,
    requests,
    scan: async (request) => {
      requests.push(request)
      const names = [...new Set(request.columns.map(([name]) => name))]
      return {
        kind: 'files',
        files: files.map(
          ({ file, rows, deletes = [], format, decode, sources, more = [] }): ScanFile => ({
            file,
            format: format ?? { type: 'parquet', compression: 'none' },
            ...(rows !== undefined && { rows }),
            ...(decode && { decode }),
            columns: [
              ...names.map((name) => {
                const type = schema.columns.find((column) => column.name === name)?.type ?? { type: 'null' }
                const paths = request.columns.filter(([first]) => first === name).map((path) => path.slice(1))
                return scanColumn(name, type, paths, sources?.[name] ?? { from: 'name', name })
              }),
              ...more.filter((column) => !names.includes(column.name)),
            ],
            deletes,
            residual: true,
          }),
        ),
        receipt: {
          manifests: 0,
          manifestsSkipped: 0,
          files: files.length,
          filesSkipped: 0,
          deleteFiles: 0,
          bytesTotal: files.reduce((sum, { file }) => sum + file.size, 0),
          metadataRequests: 0,
          metadataBytes: 0,
          skipped: {},
        },
      }
    },
  }
}

/** A mount of tables by `namespace.name`. */
export const mountOf = (tables: Readonly<Record<string, ZeroCopyTable>>, name = 'lake'): Mount => ({
  name,
  open: async ({ namespace, name: table }) => {
    const found = tables[`${namespace.join('.')}.${table}`]
    if (found) return found
    throw new ConnectorError('not-found', `There is no table ${table}.`)
  },
})

export const openEngine = async (path = ':memory:', options = {}): Promise<TableEngine> => {
  const engine = await duckdb(path, options)
  cleanups.push(() => engine.close())
  return engine
}

export interface Answer {
  readonly rows: unknown[][]
  readonly receipt: QueryReceipt
}

/** All rows of a query and what it cost. */
export const ask = async (
  engine: TableEngine,
  sql: string,
  options: MountedQueryOptions,
): Promise<Answer> => {
  const query = await engine.queryMounted(sql, options)
  const rows: unknown[][] = []
  for await (const page of query.result.rows()) rows.push(...page.map((row) => [...row]))
  return { rows, receipt: query.receipt() }
}
