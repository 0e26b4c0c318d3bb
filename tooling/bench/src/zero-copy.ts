import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { type SpawnedAws, spawnAws } from '@penstock/testkit'
import { median } from './run-task.ts'
import {
  type BenchQuery,
  benchQueries,
  columns,
  customersSql,
  makeZeroCopyData,
  type ZeroCopyData,
} from './zero-copy-data.ts'
import { bucket, database, region, table } from './zero-copy-names.ts'
import type { ZeroCopyMeasurement, ZeroCopyTask } from './zero-copy-worker.ts'

export interface ZeroCopyBenchOptions {
  /** Size of the table, in bytes, about. */
  readonly bytes: number
  readonly files: number
  readonly rounds: number
  readonly latencies: readonly number[]
  readonly only: readonly string[]
  readonly folder: string
  /** Python with `duckdb` and `duckdb-extension-httpfs`; undefined leaves httpfs out. */
  readonly python: string | undefined
}

/** `again`: Penstock with what the same query has kept. */
const kinds = ['floor', 'penstock', 'again', 'whole', 'httpfs'] as const
type Kind = (typeof kinds)[number]

interface Result extends Omit<ZeroCopyMeasurement, 'rows'> {
  readonly rows: unknown
  readonly requests: number
  readonly bytes: number
}

/** Queries in place against the same files on local disk, downloaded whole, and read by DuckDB's httpfs. */
export const benchZeroCopy = async (options: ZeroCopyBenchOptions): Promise<void> => {
  await mkdir(options.folder, { recursive: true })
  const data = await makeZeroCopyData(options.folder, options.bytes, options.files)
  console.log(
    `${data.rows} rows, ${data.files} files, ${megabytes(data.bytes)} MB; medians of ${options.rounds}. Bytes and requests are the server's count.`,
  )
  const problem = await httpfsProblem(options.python)
  if (problem !== undefined) console.log(`httpfs is left out: ${problem}`)
  const customers = join(options.folder, 'customers.duckdb')
  await makeCustomers(customers)
  for (const latencyMs of options.latencies) {
    const aws = await startServer(options, data, latencyMs)
    try {
      console.log(`\nLatency ${latencyMs} ms`)
      console.log(
        [
          'query',
          'floor s',
          'penstock',
          'again',
          'whole',
          'httpfs',
          'cpu s',
          'httpfs cpu',
          'MB',
          'needed',
          'requests',
          'httpfs MB',
          'reqs',
          'memory',
        ]
          .map(pad)
          .join(''),
      )
      for (const query of benchQueries(data))
        if (options.only.length === 0 || options.only.includes(query.name))
          await benchQuery(query, data, aws, options, customers, problem === undefined)
    } finally {
      await aws.close()
    }
  }
}

const startServer = async (
  { folder }: ZeroCopyBenchOptions,
  data: ZeroCopyData,
  latencyMs: number,
): Promise<SpawnedAws> => {
  const seed = join(folder, 'zero-copy-seed.json')
  const objects = [{ bucket, prefix: `${table}/`, folder: data.folder }]
  await writeFile(seed, JSON.stringify({ buckets: [{ name: bucket, region }], objects }))
  const store = join(folder, 'aws')
  await rm(store, { recursive: true, force: true })
  const aws = await spawnAws({ seed, data: store, latencyMs, timeoutMs: 600_000 })
  const location = `s3://${bucket}/${table}/`
  await aws.control.createDatabase({ name: database })
  await aws.control.createTable({
    database,
    name: table,
    format: 'parquet',
    location,
    columns: columns.map(({ name, type }) => ({ name, type })),
    partitionKeys: [{ name: 'day', type: 'date' }],
    partitions: data.days.map((day) => ({ values: [day], location: `${location}day=${day}/` })),
  })
  return aws
}

const benchQuery = async (
  query: BenchQuery,
  data: ZeroCopyData,
  aws: SpawnedAws,
  { rounds, folder, python }: ZeroCopyBenchOptions,
  customers: string,
  withHttpfs: boolean,
): Promise<void> => {
  const results = new Map<Kind, Result[]>()
  const work = join(folder, 'work')
  const { endpoint, root } = aws
  for (let round = 0; round < rounds; round++)
    for (const kind of kinds) {
      if (kind === 'httpfs' && !withHttpfs) continue
      const { sql, days } = query
      const task = { kind, sql, days, folder: data.folder, customers, endpoint, ...root, work }
      const again = { ...task, kind: 'penstock', cache: join(folder, 'kept') } as ZeroCopyTask
      if (kind === 'again' && round === 0) await runWorker(again)
      await aws.control.clearLog()
      const measured =
        kind === 'httpfs'
          ? await runPython(python ?? '', task)
          : await runWorker(kind === 'again' ? again : (task as ZeroCopyTask))
      const log = await aws.control.log()
      const result = {
        ...measured,
        requests: log.length,
        bytes: log.reduce((sum, entry) => sum + entry.bytesSent, 0),
      }
      results.set(kind, [...(results.get(kind) ?? []), result])
    }
  await rm(work, { recursive: true, force: true })
  await rm(join(folder, 'kept'), { recursive: true, force: true })
  refuseDifferent(query, results)
  const seconds = (kind: Kind) => {
    const all = results.get(kind)
    return all ? median(all.map(({ ms }) => ms)) / 1000 : undefined
  }
  const own = seconds('penstock') ?? 0
  const ratio = (kind: Kind) => {
    const time = seconds(kind)
    return time === undefined ? '-' : `${time.toFixed(2)} ${(time / own).toFixed(1)}x`
  }
  const first = results.get('penstock')?.[0]
  const other = results.get('httpfs')?.[0]
  console.log(
    [
      query.name,
      (seconds('floor') ?? 0).toFixed(2),
      own.toFixed(2),
      (seconds('again') ?? 0).toFixed(2),
      ratio('whole'),
      ratio('httpfs'),
      ((first?.cpuMs ?? 0) / 1000).toFixed(2),
      other ? (other.cpuMs / 1000).toFixed(2) : '-',
      megabytes(first?.bytes ?? 0),
      megabytes(first?.bytesNeeded ?? 0),
      String(first?.requests ?? 0),
      other ? megabytes(other.bytes) : '-',
      other ? String(other.requests) : '-',
      `${((first?.peakMemory ?? 0) / 1024 ** 2).toFixed(0)}M`,
    ]
      .map(pad)
      .join(''),
  )
}

/** The floor decides what is right. */
const refuseDifferent = (query: BenchQuery, results: ReadonlyMap<Kind, readonly Result[]>): void => {
  const expected = JSON.stringify(results.get('floor')?.[0]?.rows)
  for (const kind of ['penstock', 'again', 'whole'] as const)
    for (const { rows } of results.get(kind) ?? [])
      if (JSON.stringify(normal(rows)) !== JSON.stringify(normal(JSON.parse(expected))))
        throw new Error(`${query.name}: ${kind} gives ${JSON.stringify(rows)}, the floor ${expected}`)
}

/** Times as one text, whichever program wrote them. */
const normal = (rows: unknown): unknown =>
  JSON.parse(JSON.stringify(rows).replaceAll(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/g, '$1 $2'))

const worker = fileURLToPath(new URL('./zero-copy-worker.ts', import.meta.url))
const script = fileURLToPath(new URL('./httpfs.py', import.meta.url))
const run = promisify(execFile)

const runWorker = async (task: ZeroCopyTask): Promise<ZeroCopyMeasurement> => {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=penstock:source', worker, JSON.stringify(task)],
    { maxBuffer: 64 * 1024 ** 2 },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ZeroCopyMeasurement
}

const runPython = async (python: string, task: object): Promise<ZeroCopyMeasurement> => {
  const { stdout } = await run(python, [script, JSON.stringify(task)], { maxBuffer: 64 * 1024 ** 2 })
  return JSON.parse(stdout) as ZeroCopyMeasurement
}

const httpfsProblem = async (python: string | undefined): Promise<string | undefined> => {
  if (python === undefined) return 'give a Python with duckdb and duckdb-extension-httpfs as --python'
  try {
    await run(python, ['-c', 'import duckdb, duckdb_extension_httpfs'])
    return undefined
  } catch {
    return `${python} has not both duckdb and duckdb-extension-httpfs`
  }
}

const makeCustomers = async (path: string): Promise<void> => {
  await rm(path, { force: true })
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  await connection.run(customersSql)
  connection.closeSync()
  instance.closeSync()
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)
const pad = (text: string) => text.padStart(13)
