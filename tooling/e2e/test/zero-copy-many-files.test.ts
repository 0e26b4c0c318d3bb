import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mount, TableEngine } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { type FileReader, planScan, selectVersion, tableSchemaOf } from '@penstock/iceberg'
import { expect, test } from 'vitest'
import { longBound, tableOf } from '../../../packages/iceberg/test/write/table.ts'

/* 10,000 data files in 1,000 manifests, of which two are there: whoever asks for another one fails. */

const days = 1000
const filesPerDay = 10
const rowsPerFile = 100

const dayBound = (day: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(day)
  return bytes
}

const pathOf = (day: number, file: number) => `s3://b/day-${day}-${file}.parquet`

const manifestOf = (day: number, sizeOf: (path: string) => number) => ({
  liveFiles: BigInt(filesPerDay),
  partitions: [{ containsNull: false, containsNaN: undefined, lower: dayBound(day), upper: dayBound(day) }],
  files: Array.from({ length: filesPerDay }, (_, file) => ({
    path: pathOf(day, file),
    size: BigInt(sizeOf(pathOf(day, file))),
    partition: { 1000: BigInt(day) },
    records: BigInt(rowsPerFile),
    valueCounts: new Map([[1, BigInt(rowsPerFile)]]),
    nullCounts: new Map([[1, 0n]]),
    lower: new Map([[1, longBound(BigInt(file * rowsPerFile))]]),
    upper: new Map([[1, longBound(BigInt(file * rowsPerFile + rowsPerFile - 1))]]),
  })),
})

/** The file of ids 300 to 399 of a day. */
const writeFileOf = async (engine: TableEngine, folder: string, day: number): Promise<Uint8Array> => {
  const path = join(folder, `${day}.parquet`)
  const rows = `SELECT i AS id, DATE '1970-01-01' + ${day} AS day FROM range(300, 400) t(i)`
  await engine.copyTo(rows, path, { type: 'parquet' })
  return readFile(path)
}

/** The files have no field ids. */
const nameMapping = JSON.stringify([
  { 'field-id': 1, names: ['id'] },
  { 'field-id': 2, names: ['day'] },
])

test('of 10,000 files in 1,000 manifests a query reads those that matter', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-many-'))
  const engine = await duckdb(':memory:')
  const real = new Map<string, Uint8Array>()
  for (const day of [998, 999]) real.set(pathOf(day, 3), await writeFileOf(engine, folder, day))
  const { metadata, reader } = tableOf({
    columns: { id: { type: 'long' }, day: { type: 'date' } },
    specs: [{ day: 'day' }],
    metadata: { properties: { 'schema.name-mapping.default': nameMapping } },
    manifests: Array.from({ length: days }, (_, day) =>
      manifestOf(day, (path) => real.get(path)?.length ?? 1000),
    ),
  })
  const files: FileReader = {
    read: reader.read,
    open: (url, size) => ({
      url,
      size,
      async *read({ start, end }) {
        const bytes = real.get(url)
        if (!bytes) throw new Error(`${url} was not to be read.`)
        yield bytes.subarray(start, end)
      },
    }),
  }
  const version = selectVersion(metadata)
  const mount: Mount = {
    name: 'lake',
    open: async ({ namespace, name }) => ({
      namespace,
      name,
      schema: tableSchemaOf(version.schema),
      scan: (request) => planScan({ metadata, version, reader: files, request }),
    }),
  }
  try {
    const ask = async (sql: string) => {
      const query = await engine.queryMounted(sql, { mounts: [mount] })
      const rows = (await Array.fromAsync(query.result.rows())).flat()
      return { rows, receipt: query.receipt() }
    }
    const point = await ask(
      "SELECT id, day::VARCHAR FROM shop.orders WHERE day >= DATE '1972-09-25' AND id = 350 ORDER BY day",
    )
    expect(point.rows).toEqual([
      [350, '1972-09-25'],
      [350, '1972-09-26'],
    ])
    expect(point.receipt).toMatchObject({ manifests: 2, manifestsSkipped: 998, files: 2, filesSkipped: 9998 })
    // A small file comes in one request; of the metadata the list and two manifests are read.
    expect(point.receipt).toMatchObject({ requests: 2, metadataRequests: 3 })

    const count = await ask('SELECT count(*), min(id), max(id) FROM shop.orders')
    expect(count.rows).toEqual([[1_000_000, 0, 999]])
    expect(count.receipt).toMatchObject({ files: 10_000, bytesNeeded: 0 })
  } finally {
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
})
