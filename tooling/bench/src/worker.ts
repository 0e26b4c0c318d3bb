import { rm } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { s3 } from '@penstock/source-s3'
import { cpuMs } from './cpu.ts'
import { type BenchFormat, columns } from './dataset.ts'

/* One measured task in a process of its own, so that its peak memory is its own. Prints one JSON line. */

export interface FloorTask {
  readonly kind: 'floor'
  readonly format: BenchFormat
  readonly folder: string
  readonly database: string
}

export interface ExtractTask {
  readonly kind: 'extract'
  readonly format: BenchFormat
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
  readonly database: string
  readonly mode: 'full' | 'delta'
  /** Keep the database of an earlier task: a delta on top. */
  readonly keep?: boolean
}

export interface Measurement {
  readonly ms: number
  /** Ms of processor time, of user and system together: steadier than the clock where others work as well. */
  readonly cpuMs: number
  readonly rows: number
  /** Highest resident memory of the process, in bytes. */
  readonly peakMemory: number
  /** Highest use of the staging disk, in bytes. */
  readonly peakStaging: number
}

/** Share of DuckDB in the memory ceiling: the same for the floor and for Penstock. */
const memoryLimit = '600MiB'

const reader = (format: BenchFormat, folder: string): string => {
  const struct = `{${Object.entries(columns).map(([name, type]) => `'${name}': '${type}'`)}}`
  const csv = `auto_detect=false, header=true, delim=',', quote='"', escape='"', columns=${struct}`
  switch (format) {
    case 'csv':
    case 'small':
      return `read_csv('${folder}/*.csv', ${csv})`
    case 'csv.gz':
      return `read_csv('${folder}/*.csv.gz', compression='gzip', ${csv})`
    case 'ndjson':
      return `read_json('${folder}/*.ndjson', format='newline_delimited', columns=${struct})`
    case 'parquet':
      return `read_parquet('${folder}/*.parquet')`
  }
}

const measureFloor = async (task: FloorTask): Promise<Measurement> => {
  const started = performance.now()
  const instance = await DuckDBInstance.create(task.database, { memory_limit: memoryLimit })
  const connection = await instance.connect()
  await connection.run(`CREATE TABLE bench AS SELECT * FROM ${reader(task.format, task.folder)}`)
  const result = await connection.runAndReadAll('SELECT count(*)::DOUBLE FROM bench')
  connection.closeSync()
  instance.closeSync()
  const ms = performance.now() - started
  return {
    ms,
    cpuMs: cpuMs(atStart),
    rows: Number(result.getRows()[0]?.[0]),
    peakMemory: peakMemory(),
    peakStaging: 0,
  }
}

const measureExtract = async (task: ExtractTask): Promise<Measurement> => {
  const started = performance.now()
  let peakStaging = 0
  const engine = await duckdb(task.database)
  const source = s3({
    region: 'us-east-1',
    bucket: task.bucket,
    endpoint: task.endpoint,
    forcePathStyle: true,
    auth: { method: 'access-key', accessKeyId: task.accessKeyId, secretAccessKey: task.secretAccessKey },
  })
  const folder = { folder: `${task.format}/`, table: 'bench', mode: task.mode }
  const record = await extract({
    source,
    tables: [folder],
    engine,
    onProgress: (event) => {
      if (event.type === 'progress') peakStaging = Math.max(peakStaging, event.stagedBytes)
    },
  })
  await engine.close()
  const ms = performance.now() - started
  if (record.status !== 'succeeded') throw new Error(JSON.stringify(record.error))
  return {
    ms,
    cpuMs: cpuMs(atStart),
    rows: record.tables[0]?.rowsLoaded ?? 0,
    peakMemory: peakMemory(),
    peakStaging,
  }
}

const peakMemory = () => process.resourceUsage().maxRSS * 1024

const atStart = process.cpuUsage()
const task = JSON.parse(process.argv[2] ?? '{}') as FloorTask | ExtractTask
if (!(task.kind === 'extract' && task.keep))
  for (const suffix of ['', '.wal']) await rm(`${task.database}${suffix}`, { force: true })
const measurement = task.kind === 'floor' ? await measureFloor(task) : await measureExtract(task)
console.log(JSON.stringify(measurement))
