import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import {
  type BeginLoadOptions,
  describeType,
  detectFormat,
  type FileFormat,
  type StagedFile,
} from '@penstock/core'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { rowsOf } from '../src/sql.ts'
import { createStage } from '../src/stage/stage.ts'

// A staging table in a database in memory, filled from files that a test writes: what the tests of the stage share.
export let connection: DuckDBConnection
let folder: string
const signal = new AbortController().signal

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-stage-'))
  connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
  await connection.run("SET TimeZone = 'UTC'")
})
afterAll(async () => {
  connection.closeSync()
  await rm(folder, { recursive: true, force: true })
})

let count = 0
export let ordinal = 0
beforeEach(() => {
  ordinal++
})

export const file = async (key: string, body: string | Buffer): Promise<StagedFile> => {
  const format = detectFormat(key) as FileFormat
  const path = join(folder, `${count++}.${format.type}`)
  await writeFile(path, body)
  const size = Buffer.byteLength(body)
  const entry = { container: 'b', key, version: 'v', size, modified: 1_750_000_000_000 }
  // As in a load, some small files are in memory: it must make no difference.
  const bytes = count % 2 === 0 && format.type !== 'parquet' ? { bytes: Buffer.from(body) } : {}
  return { entry, url: `s3://b/${key}`, format, constants: {}, path, ...bytes }
}

export const load = async (
  files: StagedFile[],
  options: Partial<BeginLoadOptions> = {},
  batches = [files],
  copyBytes = 1 << 24,
) => {
  // A test may load twice.
  await connection.run(`DROP TABLE IF EXISTS temp.__penstock_rejects_${ordinal}`)
  const stage = await createStage(
    connection,
    { table: 't', mode: 'full', schemaPolicy: 'strict', onBadRow: 'fail', runId: 'r', ...options },
    { existing: undefined, stagingFolder: folder, copyBytes, ordinal },
  )
  for (const batch of batches) await stage.addFiles(batch, { signal })
  await stage.seal()
  const columns = stage.schema().columns.map(({ name, type }) => `${name} ${describeType(type)}`)
  const names = stage.schema().columns.map(({ name }) => `"${name.replaceAll('"', '""')}"::VARCHAR`)
  const rows = names.length
    ? await rowsOf(connection, `SELECT ${names} FROM ${stage.table} ORDER BY rowid`)
    : []
  const rejects = stage.rejectsTable()
    ? await rowsOf(
        connection,
        `SELECT object, line::INT, byte_offset::INT, column_name, raw, reason FROM temp.${stage.rejectsTable()} ORDER BY ALL`,
      )
    : []
  const counted = await rowsOf(
    connection,
    `SELECT key, rows::INT, rejected::INT FROM temp.${stage.filesTable} ORDER BY ordinal`,
  )
  return { columns, rows, rejects, counted, ...stage.counts() }
}
