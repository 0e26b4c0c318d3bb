import { icebergFixture } from '@penstock/iceberg-fixtures'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTableMetadata, planScan, selectVersion } from '../src/index.ts'
import { fixtureBytes, fixtureReader, memoryReader } from './local-reader.ts'
import { executeFiles } from './reference/engine.ts'
import { tableOf } from './write/table.ts'

const { signal } = new AbortController()
const request = { columns: [['id'] as const], signal }

const open = (table: string) => {
  const { metadata: path } = icebergFixture(table)
  const metadata = parseTableMetadata(fixtureBytes(path), path)
  return { metadata, version: selectVersion(metadata) }
}

describe('refused by name', () => {
  test('ORC files, when rows of them are needed', async () => {
    await expect(planScan({ ...open('orc_data'), reader: fixtureReader(), request })).rejects.toMatchObject({
      kind: 'data',
      code: 'UnsupportedIcebergFeature',
      message: expect.stringMatching(
        /^The ORC file s3:\/\/fixtures\/iceberg\/orc_data\/.*\.orc can't be read\.$/,
      ),
    })
  })

  test('columns of types of later formats, when they are asked for', async () => {
    const schema = {
      type: 'struct',
      'schema-id': 0,
      fields: [
        { id: 1, name: 'id', required: false, type: 'long' },
        { id: 2, name: 'v', required: false, type: 'variant' },
        { id: 3, name: 'g', required: false, type: 'geometry(srid:4326)' },
        { id: 4, name: 'nothing', required: false, type: 'unknown' },
      ],
    }
    const { scan } = tableOf({
      version: 3,
      manifests: [{ files: [{ path: 'a' }] }],
      metadata: { schemas: [schema] },
    })
    await expect(scan(undefined, { columns: [['v']] })).rejects.toThrow('Column "v" of type variant')
    await expect(scan(undefined, { columns: [['g']] })).rejects.toThrow('geometry(srid:4326)')
    expect((await scan(undefined, { columns: [['id'], ['nothing']] })).files[0]?.columns).toMatchObject([
      { source: { from: 'field-id', id: 1 } },
      { source: { from: 'constant', value: null } },
    ])
  })

  test('encrypted files and snapshots', async () => {
    const file = { path: 'a', keyMetadata: Uint8Array.of(1) }
    await expect(tableOf({ manifests: [{ files: [file] }] }).scan()).rejects.toThrow('The encrypted file a')
    const snapshots = [{ 'snapshot-id': 1, 'timestamp-ms': 1, 'manifest-list': 'x', 'key-id': 'k' }]
    await expect(tableOf({ version: 3, manifests: [], metadata: { snapshots } }).scan()).rejects.toThrow(
      'encrypted',
    )
  })
})

describe('damaged', () => {
  test.each([
    [
      'an existing file without a sequence number',
      { status: 0 as const, sequenceNumber: null },
      'no sequence number',
    ],
    ['a content that is not known', { content: 3 as 2 }, '"content"'],
  ])('manifest: %s', async (_, change, message) => {
    const { scan } = tableOf({ manifests: [{ files: [{ path: 'a', ...change }] }] })
    await expect(scan()).rejects.toMatchObject({ kind: 'data', message: expect.stringContaining(message) })
    await expect(scan()).rejects.toThrow('s3://b/m0.avro')
  })

  test('manifest of a partition spec that the table does not have', async () => {
    const { scan } = tableOf({ manifests: [{ specId: 7, partitions: [], files: [{ path: 'a' }] }] })
    await expect(scan()).rejects.toMatchObject({ kind: 'data', message: expect.stringContaining('spec 7') })
  })

  test('manifest with a codec that is not known', async () => {
    const { objects, scan } = tableOf({ manifests: [{ files: [{ path: 'a' }] }] })
    const text = Buffer.from(objects.get('s3://b/m0.avro') ?? []).toString('latin1')
    objects.set(
      's3://b/m0.avro',
      Buffer.from(text.replace('avro.codec\u0008null', 'avro.codec\u0008lzo9'), 'latin1'),
    )
    await expect(scan()).rejects.toThrow('The Avro codec "lzo9" of s3://b/m0.avro')
  })

  test.each([
    ['manifest list', 'snap-'],
    ['manifest', '-m0'],
  ])(
    '%s: any changed or missing byte gives the same plan or an error that names the file',
    async (_, part) => {
      const table = open('position_deletes')
      const paths = fixtureReader()
      await planScan({ ...table, reader: paths, request })
      const damagedPath = paths.paths.find((path) => path.includes(part)) ?? ''
      const good = new Uint8Array(fixtureBytes(damagedPath))
      await fc.assert(
        fc.asyncProperty(
          fc.nat(good.length - 1),
          fc.integer({ min: 1, max: 255 }),
          fc.boolean(),
          async (at, flip, cut) => {
            const bad = cut
              ? good.subarray(0, at)
              : Uint8Array.from(good, (byte, index) => (index === at ? byte ^ flip : byte))
            const reader = memoryReader((path) => (path === damagedPath ? bad : fixtureBytes(path)))
            try {
              await planScan({ ...table, reader, request })
            } catch (error) {
              // A flipped byte within a path or an id is no damage of the format: it leads to another file.
              if (!(error instanceof Error && error.message.includes('ENOENT')))
                expect(error).toMatchObject({ kind: 'data', place: { object: expect.any(String) } })
            }
          },
        ),
        { numRuns: 150 },
      )
    },
  )

  test.each([
    ['deletion_vectors', '.puffin'],
    ['avro_data', '.avro'],
  ])('data of %s: a changed byte in a %s file is an error, and no row', async (table, suffix) => {
    const opened = open(table)
    const scan = await planScan({ ...opened, reader: fixtureReader(), request })
    const rows = await executeFiles(scan.files, fixtureBytes)
    const reader = memoryReader((path) => {
      const bytes = new Uint8Array(fixtureBytes(path))
      // Within the body of a vector, and in the marker that ends an Avro block.
      const at = suffix === '.puffin' ? 20 : bytes.length - 3
      if (path.endsWith(suffix)) bytes[at] = (bytes[at] ?? 0) ^ 1
      return bytes
    })
    const { files } = await planScan({
      ...opened,
      reader: { ...reader, read: fixtureReader().read },
      request,
    })
    expect(rows.length).toBeGreaterThan(0)
    await expect(executeFiles(files, fixtureBytes)).rejects.toMatchObject({ kind: 'data' })
  })
})
