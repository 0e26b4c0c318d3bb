import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnAws } from '@penstock/testkit'
import { type BenchFormat, type Dataset, formats, makeDataset, makeTinyObjects } from './dataset.ts'
import { median, runTask } from './run-task.ts'
import type { Measurement } from './worker.ts'

export interface ExtractBenchOptions {
  /** Size of the data as plain CSV, in bytes. */
  readonly bytes: number
  readonly rounds: number
  /** Added to each request of the second pass. */
  readonly latencyMs: number
  readonly only: readonly string[]
  /** Folder for the generated files: kept between runs. */
  readonly folder: string
}

const bucket = 'bench'
const smallObjects = 20_000
const largeObjects = 64
const idleObjects = 100_000

/** Extraction against DuckDB reading the same files, with the same types, from local disk. */
export const benchExtract = async (options: ExtractBenchOptions): Promise<void> => {
  const chosen = formats.filter((format) => options.only.length === 0 || options.only.includes(format))
  await mkdir(options.folder, { recursive: true })
  const datasets = new Map<BenchFormat, Dataset>()
  for (const format of chosen) {
    const small = format === 'small'
    const bytes = small ? Math.min(options.bytes, smallObjects * 10_240) : options.bytes
    datasets.set(
      format,
      await makeDataset(options.folder, format, bytes, small ? smallObjects : largeObjects),
    )
  }
  heading()
  for (const latencyMs of new Set([0, options.latencyMs]))
    for (const [format, dataset] of datasets) await benchFormat(format, dataset, latencyMs, options)
  if (options.only.length === 0 || options.only.includes('idle')) await benchIdle(options)
}

const heading = () =>
  console.log(
    ['data', 'latency', 'floor s', 'extract s', 'ratio', 'cpu', 'MB/s', 'rows/s', 'memory', 'staging']
      .map(pad)
      .join(''),
  )

const benchFormat = async (
  format: BenchFormat,
  dataset: Dataset,
  latencyMs: number,
  options: ExtractBenchOptions,
): Promise<void> => {
  const database = join(options.folder, 'bench.duckdb')
  const seed = join(options.folder, 'seed.json')
  const folder = { bucket, prefix: `${format}/`, folder: dataset.folder }
  await writeFile(seed, JSON.stringify({ buckets: [{ name: bucket }], objects: [folder] }))
  const data = join(options.folder, 'aws')
  await rm(data, { recursive: true, force: true })
  const aws = await spawnAws({ seed, data, latencyMs, timeoutMs: 600_000 })
  const floors: Measurement[] = []
  const extracts: Measurement[] = []
  try {
    for (let round = 0; round < options.rounds; round++) {
      floors.push(await runTask({ kind: 'floor', format, folder: dataset.folder, database }))
      const connection = { endpoint: aws.endpoint, bucket, ...aws.root }
      extracts.push(await runTask({ kind: 'extract', format, ...connection, database, mode: 'full' }))
    }
  } finally {
    await aws.close()
  }
  const wrong = [...floors, ...extracts].find((measurement) => measurement.rows !== dataset.rows)
  if (wrong) throw new Error(`${format}: ${wrong.rows} rows instead of ${dataset.rows}`)
  const seconds = median(extracts.map(({ ms }) => ms)) / 1000
  const ratios = extracts.map(({ ms }, round) => ms / (floors[round]?.ms ?? ms))
  const cpuRatios = extracts.map(({ cpuMs }, round) => cpuMs / (floors[round]?.cpuMs ?? cpuMs))
  const row = [
    format,
    `${latencyMs} ms`,
    (median(floors.map(({ ms }) => ms)) / 1000).toFixed(2),
    seconds.toFixed(2),
    median(ratios).toFixed(2),
    median(cpuRatios).toFixed(2),
    (dataset.bytes / 1e6 / seconds).toFixed(0),
    `${(dataset.rows / 1e6 / seconds).toFixed(2)}M`,
    `${(Math.max(...extracts.map(({ peakMemory }) => peakMemory)) / 1024 ** 2).toFixed(0)}M`,
    `${(Math.max(...extracts.map(({ peakStaging }) => peakStaging)) / 1024 ** 2).toFixed(0)}M`,
  ]
  console.log(row.map(pad).join(''))
}

/** A delta run with nothing new should cost the listing alone. */
const benchIdle = async (options: ExtractBenchOptions): Promise<void> => {
  const database = join(options.folder, 'idle.duckdb')
  const tiny = await makeTinyObjects(options.folder, idleObjects)
  const seed = join(options.folder, 'seed.json')
  const folder = { bucket, prefix: 'small/', folder: tiny }
  await writeFile(seed, JSON.stringify({ buckets: [{ name: bucket }], objects: [folder] }))
  const aws = await spawnAws({ seed, timeoutMs: 300_000 })
  try {
    const task = {
      kind: 'extract',
      format: 'small',
      endpoint: aws.endpoint,
      bucket,
      ...aws.root,
      database,
      mode: 'delta',
    } as const
    const first = await runTask(task)
    const idle: Measurement[] = []
    for (let round = 0; round < options.rounds; round++) idle.push(await runTask({ ...task, keep: true }))
    console.log(`\nDelta over ${idleObjects} objects: first ${(first.ms / 1000).toFixed(1)} s,`)
    console.log(
      `with nothing new ${(median(idle.map(({ ms }) => ms)) / 1000).toFixed(2)} s, peak memory ${(Math.max(...idle.map(({ peakMemory }) => peakMemory)) / 1024 ** 2).toFixed(0)}M.`,
    )
  } finally {
    await aws.close()
  }
}

const pad = (text: string) => text.padStart(10)
