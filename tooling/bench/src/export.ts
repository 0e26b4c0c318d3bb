import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnAws } from '@penstock/testkit'
import { makeTable } from './dataset.ts'
import type { CopyTask, ExportTask } from './export-worker.ts'
import { median, runWorker } from './run-task.ts'
import type { Measurement } from './worker.ts'

export interface ExportBenchOptions {
  /** Size of the data as plain CSV, in bytes. */
  readonly bytes: number
  readonly rounds: number
  readonly only: readonly string[]
  /** Folder for the generated files: kept between runs. */
  readonly folder: string
}

interface Case {
  readonly name: string
  readonly from: ExportTask['from']
  /** Options of the floor's COPY. */
  readonly copy: string
  readonly options: Readonly<Record<string, unknown>>
}

const csv = { copy: 'FORMAT csv, HEADER', options: { fileType: 'csv' } }
const cases: readonly Case[] = [
  { name: 'csv', from: 'table', ...csv },
  { name: 'csv.query', from: 'query', ...csv },
  {
    name: 'csv.gz',
    from: 'table',
    copy: 'FORMAT csv, HEADER, COMPRESSION gzip',
    options: { fileType: 'csv', compression: 'gzip' },
  },
  { name: 'ndjson', from: 'table', copy: 'FORMAT json', options: { fileType: 'json' } },
  {
    name: 'parquet',
    from: 'table',
    copy: 'FORMAT parquet, COMPRESSION zstd',
    options: { fileType: 'parquet', compression: 'zstd' },
  },
  {
    name: '100 parts',
    from: 'table',
    copy: 'FORMAT csv, HEADER',
    options: { fileType: 'csv', maxRows: 0 },
  },
]

const bucket = 'bench'

/** Exports to the embedded AWS against DuckDB copying the same rows to one file on the local disk. */
export const benchExport = async (options: ExportBenchOptions): Promise<void> => {
  await mkdir(options.folder, { recursive: true })
  const { database, rows } = await makeTable(options.folder, options.bytes)
  const seed = join(options.folder, 'seed.json')
  await writeFile(seed, JSON.stringify({ buckets: [{ name: bucket }] }))
  console.log(
    ['format', 'floor s', 'export s', 'ratio', 'MB/s', 'rows/s', 'memory', 'staging'].map(pad).join(''),
  )
  for (const entry of cases)
    if (options.only.length === 0 || options.only.includes(entry.name))
      await benchCase(entry, { ...options, database, rows, seed })
}

const benchCase = async (
  entry: Case,
  bench: ExportBenchOptions & { readonly database: string; readonly rows: number; readonly seed: string },
): Promise<void> => {
  const data = join(bench.folder, 'aws')
  const floors: Measurement[] = []
  const exports: Measurement[] = []
  const maxRows = Math.ceil(bench.rows / 100)
  const options = entry.options.maxRows === 0 ? { ...entry.options, maxRows } : entry.options
  for (let round = 0; round < bench.rounds; round++) {
    const copy: CopyTask = {
      kind: 'copy',
      database: bench.database,
      options: entry.copy,
      target: join(bench.folder, 'floor.out'),
    }
    floors.push(await runWorker('./export-worker.ts', copy))
    await rm(data, { recursive: true, force: true })
    const aws = await spawnAws({ seed: bench.seed, data, timeoutMs: 600_000 })
    try {
      const { endpoint, root } = aws
      const task: ExportTask = {
        kind: 'export',
        database: bench.database,
        endpoint,
        ...root,
        bucket,
        from: entry.from,
        options,
      }
      exports.push(await runWorker('./export-worker.ts', task))
    } finally {
      await aws.close()
    }
  }
  const wrong = [...floors, ...exports].find((measurement) => measurement.rows !== bench.rows)
  if (wrong) throw new Error(`${entry.name}: ${wrong.rows} rows instead of ${bench.rows}`)
  const seconds = median(exports.map(({ ms }) => ms)) / 1000
  const ratios = exports.map(({ ms }, round) => ms / (floors[round]?.ms ?? ms))
  const mebibytes = (of: (measurement: Measurement) => number) =>
    `${(Math.max(...exports.map(of)) / 1024 ** 2).toFixed(0)}M`
  console.log(
    [
      entry.name,
      (median(floors.map(({ ms }) => ms)) / 1000).toFixed(2),
      seconds.toFixed(2),
      median(ratios).toFixed(2),
      (bench.bytes / 1e6 / seconds).toFixed(0),
      `${(bench.rows / 1e6 / seconds).toFixed(2)}M`,
      mebibytes(({ peakMemory }) => peakMemory),
      mebibytes(({ peakStaging }) => peakStaging),
    ]
      .map(pad)
      .join(''),
  )
}

const pad = (text: string) => text.padStart(10)
