import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { PartitionSpec } from '../../../packages/iceberg/src/metadata/spec.ts'
import type { PrimitiveType } from '../../../packages/iceberg/src/types.ts'
import type { Value } from '../../../packages/iceberg/src/values/value.ts'
import { writeManifest, writeManifestList } from '../../../packages/iceberg/test/write/manifests.ts'
import { boundBytes, truncateBound } from '../../../packages/iceberg/test/write/values.ts'
import { columns, type ZeroCopyData } from './zero-copy-data.ts'
import { bucket, icebergFolder, icebergMetadata, table } from './zero-copy-names.ts'

/* The files of the bench as an Iceberg table: one manifest a week, with the bounds that writers give by default. */

const types: readonly PrimitiveType[] = [
  { type: 'long' },
  { type: 'long' },
  { type: 'timestamp' } as PrimitiveType,
  { type: 'decimal', precision: 18, scale: 2 },
  { type: 'string' },
  { type: 'string' },
  { type: 'int' },
  { type: 'double' },
]
const typeNames = ['long', 'long', 'timestamp', 'decimal(18, 2)', 'string', 'string', 'int', 'double']
/** Smallest and largest values as Iceberg's bounds have them. */
const plain = (name: string, index: number): string =>
  ({ 2: `epoch_us(${name})`, 3: `(${name} * 100)::BIGINT` })[index] ?? name

const dayId = columns.length + 1
const spec = {
  specId: 0,
  fields: [{ sourceIds: [dayId], fieldId: 1000, name: 'day', transform: { kind: 'identity' } }],
} as PartitionSpec
const daysPerManifest = 7
const boundLength = 16

/** Writes the metadata into a folder of its own, which belongs at `icebergFolder` of the bucket. Its path. */
export const writeIcebergMetadata = async (data: ZeroCopyData): Promise<string> => {
  const folder = `${data.folder}-iceberg`
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const put = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes)
    return { path: `s3://${bucket}/${icebergFolder}/${name}`, length: BigInt(bytes.length) }
  }
  const dayOf = (day: string) => BigInt(Date.parse(day) / 86_400_000)
  const manifests = []
  for (let start = 0; start < data.days.length; start += daysPerManifest) {
    const days = data.days.slice(start, start + daysPerManifest)
    const files = (await Promise.all(days.map((day) => filesOf(data, day, dayOf(day))))).flat()
    const bytes = writeManifest(files, spec, () => ({ type: 'date' }), { version: 2 })
    const bounds = [days[0], days.at(-1)].map((day) => boundBytes({ type: 'date' }, dayOf(day ?? '')))
    manifests.push({
      ...(await put(`${start}-m0.avro`, bytes)),
      liveFiles: BigInt(files.length),
      partitions: [{ containsNull: false, containsNaN: false, lower: bounds[0], upper: bounds[1] }],
    })
  }
  const list = await put('snap-1.avro', writeManifestList(manifests))
  await put(basename(icebergMetadata), Buffer.from(JSON.stringify(metadataOf(list.path))))
  return folder
}

const filesOf = async (data: ZeroCopyData, day: string, value: bigint) => {
  const folder = join(data.folder, `day=${day}`)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const files = []
  for (const name of (await readdir(folder)).toSorted()) {
    const path = join(folder, name)
    const bounds = columns.flatMap((column, index) =>
      ['min', 'max'].map((end) => `${end}(${plain(column.name, index)})`),
    )
    const found = await connection.runAndReadAll(`SELECT count(*), ${bounds.join(', ')} FROM '${path}'`)
    const [rows, ...ends] = found.getRows()[0] as readonly Value[]
    const boundsOf = (side: 'lower' | 'upper') =>
      new Map(
        types.flatMap((type, index) => {
          const bound = truncateBound(
            ends[index * 2 + (side === 'lower' ? 0 : 1)] as Value,
            side,
            boundLength,
          )
          return bound === undefined ? [] : [[index + 1, boundBytes(type, bound)] as const]
        }),
      )
    const counts = (count: bigint) => new Map(types.map((_, index) => [index + 1, count]))
    files.push({
      path: `s3://${bucket}/${table}/day=${day}/${name}`,
      partition: { 1000: value },
      records: rows as bigint,
      size: BigInt((await stat(path)).size),
      snapshotId: 1n,
      valueCounts: counts(rows as bigint),
      nullCounts: counts(0n),
      lower: boundsOf('lower'),
      upper: boundsOf('upper'),
    })
  }
  connection.closeSync()
  instance.closeSync()
  return files
}

const metadataOf = (manifestList: string) => ({
  'format-version': 2,
  'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1',
  location: `s3://${bucket}/${icebergFolder}`,
  'last-sequence-number': 1,
  'last-updated-ms': 1,
  'last-column-id': dayId,
  'current-schema-id': 0,
  schemas: [
    {
      type: 'struct',
      'schema-id': 0,
      fields: [
        ...columns.map(({ name }, index) => ({
          id: index + 1,
          name,
          required: false,
          type: typeNames[index],
        })),
        { id: dayId, name: 'day', required: false, type: 'date' },
      ],
    },
  ],
  'default-spec-id': 0,
  'partition-specs': [
    {
      'spec-id': 0,
      fields: [{ 'source-id': dayId, 'field-id': 1000, name: 'day', transform: 'identity' }],
    },
  ],
  'last-partition-id': 1000,
  'default-sort-order-id': 0,
  'sort-orders': [{ 'order-id': 0, fields: [] }],
  properties: {},
  'current-snapshot-id': 1,
  snapshots: [
    {
      'snapshot-id': 1,
      'sequence-number': 1,
      'timestamp-ms': 1,
      'schema-id': 0,
      summary: { operation: 'append' },
      'manifest-list': manifestList,
    },
  ],
  'snapshot-log': [],
  'metadata-log': [],
  refs: { main: { 'snapshot-id': 1, type: 'branch' } },
})
