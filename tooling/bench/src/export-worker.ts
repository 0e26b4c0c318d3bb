import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import { cpuMs } from './cpu.ts'
import type { Measurement } from './worker.ts'

/* One measured task in a process of its own, so that its peak memory is its own. Prints one JSON line. */

export interface CopyTask {
  readonly kind: 'copy'
  readonly database: string
  readonly options: string
  readonly target: string
}

export interface ExportTask {
  readonly kind: 'export'
  readonly database: string
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
  readonly from: { readonly table: string } | { readonly sql: string; readonly name: string }
  readonly options: Readonly<Record<string, unknown>>
}

const memoryLimit = '600MiB'

const measureCopy = async (task: CopyTask): Promise<Measurement> => {
  const started = performance.now()
  const instance = await DuckDBInstance.create(task.database, { memory_limit: memoryLimit })
  const connection = await instance.connect()
  const copied = await connection.run(`COPY (FROM bench) TO '${task.target}' (${task.options})`)
  connection.closeSync()
  instance.closeSync()
  const ms = performance.now() - started
  await rm(task.target)
  return { ms, cpuMs: cpuMs(atStart), rows: copied.rowsChanged, peakMemory: peakMemory(), peakStaging: 0 }
}

const measureExport = async (task: ExportTask): Promise<Measurement> => {
  const started = performance.now()
  const engine = await duckdb(task.database)
  const watch = watchFolder(engine.stagingFolder)
  const { endpoint, bucket, accessKeyId, secretAccessKey } = task
  const record = await exportTo({
    destination: s3Destination({
      region: 'us-east-1',
      bucket,
      endpoint,
      forcePathStyle: true,
      auth: { method: 'access-key', accessKeyId, secretAccessKey },
    }),
    streams: [task.from],
    options: task.options,
    engine,
  })
  const peakStaging = await watch()
  await engine.close()
  const ms = performance.now() - started
  if (record.status !== 'succeeded') throw new Error(JSON.stringify(record.error))
  return {
    ms,
    cpuMs: cpuMs(atStart),
    rows: record.export?.streams[0]?.rows ?? 0,
    peakMemory: peakMemory(),
    peakStaging,
  }
}

/** Measures a folder every 50 ms; what it returns ends that and tells the highest size, in bytes. */
const watchFolder = (folder: string) => {
  let peak = 0
  let measuring = Promise.resolve()
  const measure = async () => {
    const names = await readdir(folder, { recursive: true }).catch(() => [])
    const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))))
    peak = Math.max(
      peak,
      sizes.reduce((sum, size) => sum + size, 0),
    )
  }
  const timer = setInterval(() => {
    measuring = measuring.then(measure)
  }, 50)
  return async () => {
    clearInterval(timer)
    await measuring
    return peak
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (info) => (info.isFile() ? info.size : 0),
    () => 0,
  )

const peakMemory = () => process.resourceUsage().maxRSS * 1024

const atStart = process.cpuUsage()
const task = JSON.parse(process.argv[2] ?? '{}') as CopyTask | ExportTask
console.log(JSON.stringify(task.kind === 'copy' ? await measureCopy(task) : await measureExport(task)))
