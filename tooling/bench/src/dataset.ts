import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'

export const formats = ['csv', 'csv.gz', 'ndjson', 'parquet', 'small'] as const
export type BenchFormat = (typeof formats)[number]

/** Columns of an order line, with the types that extraction finds and that the floor is given. */
export const columns = {
  order_id: 'BIGINT',
  customer_id: 'BIGINT',
  order_date: 'DATE',
  created_at: 'TIMESTAMP',
  amount: 'DECIMAL(18,2)',
  status: 'VARCHAR',
  note: 'VARCHAR',
  express: 'BOOLEAN',
  quantity: 'BIGINT',
  zip: 'VARCHAR',
} as const

const rowSql = (first: number, count: number) => `
  SELECT i AS order_id,
    (i * 7919) % 100000 AS customer_id,
    DATE '2020-01-01' + (i % 2000)::INTEGER AS order_date,
    TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND AS created_at,
    (((i * 31) % 1000000) / 100)::DECIMAL(18,2) AS amount,
    ['open', 'paid', 'shipped', 'returned'][1 + i % 4] AS status,
    'note number ' || i || ' of an order, "quoted", with a comma' AS note,
    i % 3 = 0 AS express,
    i % 50 AS quantity,
    lpad((i % 99999)::VARCHAR, 5, '0') AS zip
  FROM range(${first}, ${first + count}) rows(i)`

/** Bytes of one such row as CSV, about. */
const csvRowBytes = 128

export interface Dataset {
  readonly folder: string
  readonly files: number
  readonly rows: number
  readonly bytes: number
}

/** Makes the files of one format below `root`, or finds those of an earlier run. `bytes`: size as plain CSV. */
export const makeDataset = async (
  root: string,
  format: BenchFormat,
  bytes: number,
  objects: number,
): Promise<Dataset> => {
  const rows = Math.floor(bytes / csvRowBytes / objects) * objects
  const folder = join(root, `${format}-${bytes}-${objects}`)
  if (!existsSync(folder)) {
    const unfinished = `${folder}.tmp`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    await writeFiles(unfinished, format, rows / objects, objects)
    await rename(unfinished, folder)
  }
  const names = await readdir(folder)
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return { folder, files: names.length, rows, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** Many objects of one row each, to list and not to read; their count is all that matters. */
export const makeTinyObjects = async (root: string, objects: number): Promise<string> => {
  const folder = join(root, `tiny-${objects}`)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.tmp`
  await mkdir(unfinished, { recursive: true })
  for (let index = 0; index < objects; index++)
    await writeFile(join(unfinished, `part-${String(index).padStart(6, '0')}.csv`), `id,x\n${index},1\n`)
  await rename(unfinished, folder)
  return folder
}

/** A database with one table `bench` of such rows. */
export const makeTable = async (root: string, bytes: number): Promise<{ database: string; rows: number }> => {
  const rows = Math.floor(bytes / csvRowBytes)
  const database = join(root, `table-${bytes}.duckdb`)
  if (!existsSync(database)) {
    const unfinished = `${database}.tmp`
    await rm(unfinished, { force: true })
    const instance = await DuckDBInstance.create(unfinished, { threads: '2' })
    const connection = await instance.connect()
    await connection.run(`CREATE TABLE bench AS ${rowSql(0, rows)}`)
    connection.closeSync()
    instance.closeSync()
    await rename(unfinished, database)
  }
  return { database, rows }
}

const writeFiles = async (
  folder: string,
  format: BenchFormat,
  rowsPerFile: number,
  objects: number,
): Promise<void> => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  const options = { csv: '(FORMAT csv, HEADER)', ndjson: '(FORMAT json)', parquet: '(FORMAT parquet)' }
  for (let index = 0; index < objects; index++) {
    const type = format === 'csv.gz' || format === 'small' ? 'csv' : format
    const path = join(folder, `part-${String(index).padStart(5, '0')}.${type}`)
    await connection.run(`COPY (${rowSql(index * rowsPerFile, rowsPerFile)}) TO '${path}' ${options[type]}`)
    if (format !== 'csv.gz') continue
    await pipeline(createReadStream(path), createGzip({ level: 4 }), createWriteStream(`${path}.gz`))
    await rm(path)
  }
  connection.closeSync()
  instance.closeSync()
}
