import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { openS3 } from '@penstock/aws'
import { type AnyZeroCopy, connectUnknown } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { query } from '@penstock/runtime'
import { zeroCopyGlue } from '@penstock/zero-copy-glue'
import { bucket, database, icebergTable, region, table } from './zero-copy-names.ts'

/* One query in a process of its own. Prints one JSON line. */

export interface ZeroCopyTask {
  /** `floor`: the files are on local disk. `whole`: they are downloaded first. */
  readonly kind: 'floor' | 'whole' | 'penstock' | 'iceberg'
  readonly sql: string
  readonly days: readonly string[]
  /** Local folder of the files. */
  readonly folder: string
  /** DuckDB file with the table of customers. */
  readonly customers: string
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Folder for what is downloaded. */
  readonly work: string
  /** Folder of what is kept between queries; absent: nothing is. */
  readonly cache?: string
}

export interface ZeroCopyMeasurement {
  readonly ms: number
  readonly rows: unknown
  readonly peakMemory: number
  /** CPU time of the process meanwhile, all threads. */
  readonly cpuMs: number
  /** Bytes of footers and of the chunks that no statistics exclude, as Penstock's receipt has them. */
  readonly bytesNeeded?: number
  /** Of `ms` what the download took. */
  readonly downloadMs?: number
}

const memoryLimit = '600MiB'

const readLocal = async (task: ZeroCopyTask, folder: string): Promise<unknown> => {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: memoryLimit })
  const connection = await instance.connect()
  await connection.run(`ATTACH '${task.customers}' AS local (READ_ONLY)`)
  const orders = `read_parquet('${folder}/*/*.parquet', hive_partitioning = true, hive_types = {'day': DATE})`
  const sql = task.sql.replaceAll('{orders}', orders).replaceAll('{customers}', 'local.customers')
  const rows = (await connection.runAndReadAll(sql)).getRowsJson()
  connection.closeSync()
  instance.closeSync()
  return rows
}

const download = async (task: ZeroCopyTask): Promise<string> => {
  const { endpoint, accessKeyId, secretAccessKey } = task
  const access = openS3({
    config: { region, bucket, endpoint, forcePathStyle: true },
    auth: { method: 'access-key', provider: () => async () => ({ accessKeyId, secretAccessKey }) },
    access: 'read-only',
    signal: new AbortController().signal,
    clock: () => new Date(),
    concurrency: 64,
  })
  const folder = join(task.work, 'whole')
  const listed = await Promise.all(
    task.days.map(async (day) =>
      (await Array.fromAsync(access.list({ prefix: `${table}/day=${day}/` }))).flatMap(
        (page) => page.entries,
      ),
    ),
  )
  const waiting = listed.flat()
  const lane = async () => {
    for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
      const path = join(folder, entry.key.slice(table.length + 1))
      await mkdir(dirname(path), { recursive: true })
      await access.file(entry).download(path)
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
  await access.close()
  return folder
}

const runPenstock = async (task: ZeroCopyTask) => {
  const { endpoint, accessKeyId, secretAccessKey } = task
  const connection = connectUnknown(
    zeroCopyGlue as unknown as AnyZeroCopy,
    {
      region,
      endpoint,
      stsEndpoint: endpoint,
      catalog: 'glue-api',
      catalogEndpoint: endpoint,
      auth: { method: 'access-key', accessKeyId, secretAccessKey },
    },
    { name: 'lake' },
  )
  const engine = await duckdb(task.customers, { readOnly: true, stagingFolder: join(task.work, 'staging') })
  const name = task.kind === 'iceberg' ? icebergTable : table
  const sql = task.sql.replaceAll('{orders}', `${database}.${name}`).replaceAll('{customers}', 'customers')
  const cache = task.cache === undefined ? undefined : { folder: task.cache, bytes: 4 * 1024 ** 3 }
  const running = await query({ sql, connections: [connection], engine, cache })
  const rows: unknown[] = []
  for await (const page of running.result.rows()) rows.push(...page)
  const receipt = running.receipt()
  await engine.close()
  return { rows, bytesNeeded: receipt.bytesNeeded + receipt.metadataBytes }
}

const task = JSON.parse(process.argv[2] ?? '{}') as ZeroCopyTask
const started = performance.now()
const cpuBefore = process.cpuUsage()
let downloadMs: number | undefined
const downloaded = async () => {
  const folder = await download(task)
  downloadMs = performance.now() - started
  return folder
}
const { rows, bytesNeeded } =
  task.kind === 'penstock' || task.kind === 'iceberg'
    ? await runPenstock(task)
    : {
        rows: await readLocal(task, task.kind === 'whole' ? await downloaded() : task.folder),
        bytesNeeded: undefined,
      }
const ms = performance.now() - started
const { user, system } = process.cpuUsage(cpuBefore)
await rm(join(task.work, 'whole'), { recursive: true, force: true })
const measurement: ZeroCopyMeasurement = {
  ms,
  cpuMs: (user + system) / 1000,
  rows: JSON.parse(
    JSON.stringify(rows, (_key, value) =>
      typeof value === 'bigint' || typeof value === 'number' ? String(value) : value,
    ),
  ),
  peakMemory: process.resourceUsage().maxRSS * 1024,
  ...(bytesNeeded !== undefined && { bytesNeeded }),
  ...(downloadMs !== undefined && { downloadMs }),
}
console.log(JSON.stringify(measurement))
