import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
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
import { writeIcebergMetadata } from './zero-copy-iceberg.ts'
import {
  bucket,
  database,
  icebergFolder,
  icebergMetadata,
  icebergTable,
  region,
  table,
} from './zero-copy-names.ts'
import type { ZeroCopyMeasurement, ZeroCopyTask } from './zero-copy-worker.ts'

export interface ZeroCopyBenchOptions {
  /** Size of the table, in bytes, about. */
  readonly bytes: number
  readonly files: number
  readonly rounds: number
  readonly latencies: readonly number[]
  readonly only: readonly string[]
  readonly folder: string
  /** Python with `duckdb` and its extensions as packages; undefined leaves them out. */
  readonly python: string | undefined
  /** Kinds that are left out. */
  readonly without: readonly string[]
}

/**
 * `again`: Penstock with what the same query has kept. `iceberg`: Penstock over the same files as an Iceberg table, and
 * `extension` DuckDB's iceberg extension over it.
 */
const kinds = ['floor', 'penstock', 'again', 'whole', 'httpfs', 'iceberg', 'extension'] as const
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
  const left = new Set(options.without)
  for (const [kind, packages] of Object.entries(peers)) {
    const problem = await peerProblem(options.python, packages)
    if (problem === undefined) continue
    console.log(`${kind} is left out: ${problem}`)
    left.add(kind)
  }
  const measured = kinds.filter((kind) => !left.has(kind))
  const iceberg = await writeIcebergMetadata(data)
  const kept = join(options.folder, 'kept')
  await rm(kept, { recursive: true, force: true })
  const customers = join(options.folder, 'customers.duckdb')
  await makeCustomers(customers)
  for (const latencyMs of options.latencies) {
    const aws = await startServer(options, data, iceberg, latencyMs)
    const sums = { bytes: 0, needed: 0 }
    const downloads = new Map<string, Result>()
    try {
      console.log(`\nLatency ${latencyMs} ms`)
      console.log(heading)
      for (const query of benchQueries(data))
        if (options.only.length === 0 || options.only.includes(query.name))
          await benchQuery(query, data, aws, options, { customers, measured, sums, downloads })
      console.log(
        `Bytes fetched: ${(sums.bytes / sums.needed).toFixed(3)} of those needed, over these queries.`,
      )
    } finally {
      await aws.close()
    }
  }
  await rm(kept, { recursive: true, force: true })
}

const startServer = async (
  { folder }: ZeroCopyBenchOptions,
  data: ZeroCopyData,
  iceberg: string,
  latencyMs: number,
): Promise<SpawnedAws> => {
  const seed = join(folder, 'zero-copy-seed.json')
  const objects = [
    { bucket, prefix: `${table}/`, folder: data.folder },
    { bucket, prefix: `${icebergFolder}/`, folder: iceberg },
  ]
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
  await aws.control.createTable({ database, name: icebergTable, metadataLocation: icebergMetadata })
  return aws
}

interface Measuring {
  readonly customers: string
  readonly measured: readonly Kind[]
  /** Download of these folders, as it was measured: it is the same for all queries. */
  readonly downloads: Map<string, Result>
  /** Over all queries. */
  readonly sums: { bytes: number; needed: number }
}

const benchQuery = async (
  query: BenchQuery,
  data: ZeroCopyData,
  aws: SpawnedAws,
  { rounds, folder, python }: ZeroCopyBenchOptions,
  { customers, measured, sums, downloads }: Measuring,
): Promise<void> => {
  const results = new Map<Kind, Result[]>()
  const work = join(folder, 'work')
  const { endpoint, root } = aws
  for (let round = 0; round < rounds; round++)
    for (const kind of measured) {
      const { sql, days, overIceberg } = query
      if (!overIceberg && (kind === 'iceberg' || kind === 'extension')) continue
      const known = kind === 'whole' ? downloads.get(days.join()) : undefined
      const floor = results.get('floor')?.at(-1)
      if (known && floor) {
        results.set(kind, [
          ...(results.get(kind) ?? []),
          { ...known, ms: (known.downloadMs ?? 0) + floor.ms, rows: floor.rows },
        ])
        continue
      }
      const common = { kind, sql, days, folder: data.folder, customers, endpoint, ...root, work }
      const task = { ...common, iceberg: icebergMetadata }
      const again = {
        ...task,
        kind: 'penstock',
        cache: join(folder, 'kept', query.name.replaceAll(' ', '-')),
      } as ZeroCopyTask
      // What is kept serves all latencies: entries are told by name, size and ETag.
      if (kind === 'again' && !existsSync(again.cache ?? '')) await runWorker(again)
      await aws.control.clearLog()
      const measurement =
        kind === 'httpfs' || kind === 'extension'
          ? await runPython(python ?? '', task)
          : await runWorker(kind === 'again' ? again : (task as ZeroCopyTask))
      const log = await aws.control.log()
      const result = {
        ...measurement,
        requests: log.length,
        bytes: log.reduce((sum, entry) => sum + entry.bytesSent, 0),
      }
      results.set(kind, [...(results.get(kind) ?? []), result])
      if (kind === 'whole') downloads.set(days.join(), result)
    }
  await rm(work, { recursive: true, force: true })
  refuseDifferent(query, results)
  const seconds = (kind: Kind) => {
    const all = results.get(kind)
    return all ? median(all.map(({ ms }) => ms)) / 1000 : undefined
  }
  const text = (kind: Kind) => seconds(kind)?.toFixed(2) ?? '-'
  const ratio = (kind: Kind, to: Kind = 'penstock') => {
    const time = seconds(kind)
    const own = seconds(to)
    if (time === undefined || own === undefined) return text(kind)
    return `${time.toFixed(2)} ${(time / own).toFixed(1)}x`
  }
  const cpu = (kind: Kind) => {
    const found = results.get(kind)?.[0]
    return found ? (found.cpuMs / 1000).toFixed(2) : '-'
  }
  const first = results.get('penstock')?.[0]
  const other = results.get('httpfs')?.[0]
  const own = results.get('iceberg')?.[0]
  sums.bytes += first?.bytes ?? 0
  sums.needed += first?.bytesNeeded ?? 0
  console.log(
    [
      query.name,
      text('floor'),
      text('penstock'),
      text('again'),
      ratio('whole'),
      ratio('httpfs'),
      cpu('penstock'),
      cpu('httpfs'),
      megabytes(first?.bytes ?? 0),
      megabytes(first?.bytesNeeded ?? 0),
      String(first?.requests ?? 0),
      other ? megabytes(other.bytes) : '-',
      other ? String(other.requests) : '-',
      `${((first?.peakMemory ?? 0) / 1024 ** 2).toFixed(0)}M`,
      text('iceberg'),
      ratio('extension', 'iceberg'),
      own ? String(own.requests) : '-',
      String(results.get('extension')?.[0]?.requests ?? '-'),
    ]
      .map(pad)
      .join(''),
  )
}

/** The floor decides what is right. */
const refuseDifferent = (query: BenchQuery, results: ReadonlyMap<Kind, readonly Result[]>): void => {
  const expected: string | undefined = JSON.stringify(results.get('floor')?.[0]?.rows)
  if (expected === undefined) return
  for (const kind of ['penstock', 'again', 'whole', 'iceberg'] as const)
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

/** Modules of Python that a kind needs. */
const peers = {
  httpfs: 'duckdb, duckdb_extension_httpfs',
  extension: 'duckdb, duckdb_extension_httpfs, duckdb_extension_avro, duckdb_extension_iceberg',
}

const peerProblem = async (python: string | undefined, modules: string): Promise<string | undefined> => {
  if (python === undefined) return `give a Python with ${modules} as --python`
  try {
    await run(python, ['-c', `import ${modules}`])
    return undefined
  } catch {
    return `${python} has not all of ${modules}`
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

const pad = (text: string) => text.padStart(13)

const heading = [
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
  'iceberg',
  'extension',
  'requests',
  'ext reqs',
]
  .map(pad)
  .join('')

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)
