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

const table = { table: 'bench' }
const csv = { copy: 'FORMAT csv, HEADER', options: { fileType: 'csv' } }
const cases: readonly Case[] = [
  { name: 'csv', from: table, ...csv },
  { name: 'csv.query', from: { sql: 'FROM bench', name: 'query' }, ...csv },
  {
    name: 'csv.gz',
    from: table,
    copy: 'FORMAT csv, HEADER, COMPRESSION gzip',
    options: { fileType: 'csv', compression: 'gzip' },
  },
  { name: 'ndjson', from: table, copy: 'FORMAT json', options: { fileType: 'json' } },
  {
    name: 'parquet',
    from: table,
    copy: 'FORMAT parquet, COMPRESSION zstd',
    options: { fileType: 'parquet', compression: 'zstd' },
  },
  {
    name: '100 parts',
    from: table,
    copy: 'FORMAT csv, HEADER',
    options: { fileType: 'csv', maxRows: 0 },
  },
]

/** Rows of 1 KiB that a query makes up, for sizes of which nobody wants a table: measured alone, and only when named. */
const generated: readonly { readonly name: string; readonly parts: number }[] = [
  { name: 'large', parts: 40 },
  { name: '10,000 parts', parts: 10_000 },
]

const bucket = 'bench'

/** Exports to the embedded AWS against DuckDB copying the same rows to one file on the local disk. */
export const benchExport = async (options: ExportBenchOptions): Promise<void> => {
  await mkdir(options.folder, { recursive: true })
  const seed = join(options.folder, 'seed.json')
  await writeFile(seed, JSON.stringify({ buckets: [{ name: bucket }] }))
  console.log(
    ['format', 'floor s', 'export s', 'ratio', 'cpu', 'MB/s', 'rows/s', 'memory', 'staging']
      .map(pad)
      .join(''),
  )
  const chosen = cases.filter(({ name }) => options.only.length === 0 || options.only.includes(name))
  if (chosen.length > 0) {
    const { database, rows } = await makeTable(options.folder, options.bytes)
    for (const entry of chosen) await benchCase(entry, { ...options, database, rows, seed })
  }
  for (const entry of generated)
    if (options.only.includes(entry.name)) await benchGenerated(entry, { ...options, seed })
}

/** Exports to an embedded AWS of its own, which keeps its objects on the disk. */
const measureExport = async (
  task: Pick<ExportTask, 'database' | 'from' | 'options'>,
  { folder, seed }: { readonly folder: string; readonly seed: string },
): Promise<Measurement> => {
  const data = join(folder, 'aws')
  await rm(data, { recursive: true, force: true })
  const aws = await spawnAws({ seed, data, timeoutMs: 600_000 })
  try {
    const { endpoint, root } = aws
    const whole: ExportTask = { kind: 'export', endpoint, ...root, bucket, ...task }
    return await runWorker('./export-worker.ts', whole)
  } finally {
    await aws.close()
    await rm(data, { recursive: true, force: true })
  }
}

const benchGenerated = async (
  { name, parts }: (typeof generated)[number],
  { bytes, ...bench }: ExportBenchOptions & { readonly seed: string },
): Promise<void> => {
  const rows = Math.ceil(bytes / 1024)
  const sql = `SELECT i, repeat(md5(i::VARCHAR), 31) AS text FROM range(${rows}) r(i)`
  const measured = await measureExport(
    {
      database: ':memory:',
      from: { sql, name: 'generated' },
      options: { fileType: 'csv', maxRows: Math.ceil(rows / parts) },
    },
    bench,
  )
  if (measured.rows !== rows) throw new Error(`${name}: ${measured.rows} rows instead of ${rows}`)
  printLine(name, { bytes, rows, exports: [measured], floors: [] })
}

const benchCase = async (
  entry: Case,
  bench: ExportBenchOptions & { readonly database: string; readonly rows: number; readonly seed: string },
): Promise<void> => {
  const floors: Measurement[] = []
  const exports: Measurement[] = []
  const { database, rows, bytes } = bench
  const maxRows = Math.ceil(rows / 100)
  const options = entry.options.maxRows === 0 ? { ...entry.options, maxRows } : entry.options
  for (let round = 0; round < bench.rounds; round++) {
    const target = join(bench.folder, 'floor.out')
    const copy: CopyTask = { kind: 'copy', database, options: entry.copy, target }
    floors.push(await runWorker('./export-worker.ts', copy))
    exports.push(await measureExport({ database, from: entry.from, options }, bench))
  }
  const wrong = [...floors, ...exports].find((measurement) => measurement.rows !== rows)
  if (wrong) throw new Error(`${entry.name}: ${wrong.rows} rows instead of ${rows}`)
  printLine(entry.name, { bytes, rows, exports, floors })
}

const printLine = (
  name: string,
  measured: {
    readonly bytes: number
    readonly rows: number
    readonly exports: readonly Measurement[]
    readonly floors: readonly Measurement[]
  },
): void => {
  const { bytes, rows, exports, floors } = measured
  const seconds = median(exports.map(({ ms }) => ms)) / 1000
  const ratio = (of: (measurement: Measurement) => number) =>
    floors.length === 0
      ? ''
      : median(floors.map((floor, round) => of(exports[round] ?? floor) / of(floor))).toFixed(2)
  const mebibytes = (of: (measurement: Measurement) => number) =>
    `${(Math.max(...exports.map(of)) / 1024 ** 2).toFixed(0)}M`
  console.log(
    [
      name,
      floors.length === 0 ? '' : (median(floors.map(({ ms }) => ms)) / 1000).toFixed(2),
      seconds.toFixed(2),
      ratio(({ ms }) => ms),
      ratio(({ cpuMs }) => cpuMs),
      (bytes / 1e6 / seconds).toFixed(0),
      `${(rows / 1e6 / seconds).toFixed(2)}M`,
      mebibytes(({ peakMemory }) => peakMemory),
      mebibytes(({ peakStaging }) => peakStaging),
    ]
      .map(pad)
      .join(''),
  )
}

const pad = (text: string) => text.padStart(13)
