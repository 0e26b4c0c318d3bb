import type { ByteRange, ScanDelete } from '@penstock/core'
import { icebergFixture } from '@penstock/iceberg-fixtures'
import { describe, expect, test } from 'vitest'
import { parseTableMetadata, planScan, selectVersion } from '../src/index.ts'
import { fixtureBytes, fixtureReader } from './local-reader.ts'
import type { WrittenFile } from './write/manifests.ts'
import { longBound, tableOf, where } from './write/table.ts'

const pathId = 2147483546
const pathBounds = (lower: string, upper = lower): Partial<WrittenFile> => ({
  lower: new Map([[pathId, Buffer.from(lower)]]),
  upper: new Map([[pathId, Buffer.from(upper)]]),
})
const vector = (path: string, target: string, sequenceNumber: bigint): WrittenFile => ({
  content: 1,
  format: 'PUFFIN',
  path,
  sequenceNumber,
  referencedDataFile: target,
  contentOffset: 4n,
  contentSize: 40n,
})

const nameOf = (entry: ScanDelete): string =>
  entry.kind === 'positions' ? 'positions' : `${entry.kind} ${entry.file.file.url}`

/** What applies to each data file, in a table with these data and delete files. */
const assigned = async (
  data: readonly WrittenFile[],
  deletes: readonly WrittenFile[],
  options: { specs?: readonly Readonly<Record<string, string>>[]; version?: 2 | 3 } = {},
) => {
  const { scan } = tableOf({
    ...options,
    manifests: [
      { sequenceNumber: 9n, files: data },
      { content: 'deletes', sequenceNumber: 9n, files: deletes },
    ],
  })
  const { files } = await scan()
  return Object.fromEntries(files.map((file) => [file.file.url, file.deletes.map(nameOf)]))
}

describe('position deletes', () => {
  test('apply to data of the same commit and before', async () => {
    const data = [3n, 5n, 6n].map((sequenceNumber) => ({ path: `s3://b/${sequenceNumber}`, sequenceNumber }))
    expect(await assigned(data, [{ path: 'd', content: 1, sequenceNumber: 5n }])).toEqual({
      's3://b/3': ['position-file d'],
      's3://b/5': ['position-file d'],
      's3://b/6': [],
    })
  })

  test('of one file apply to it alone, however the scheme is spelled', async () => {
    const data = ['s3://b/x', 's3a://b/y', 's3://b/z'].map((path) => ({ path, sequenceNumber: 1n }))
    const deletes: WrittenFile[] = [
      { path: 'd1', content: 1, sequenceNumber: 2n, referencedDataFile: 's3n://b/x' },
      { path: 'd2', content: 1, sequenceNumber: 2n, ...pathBounds('s3://b/y') },
      { path: 'd3', content: 1, sequenceNumber: 2n, ...pathBounds('b/z') },
    ]
    expect(await assigned(data, deletes)).toEqual({
      's3://b/x': ['position-file d1'],
      's3a://b/y': ['position-file d2'],
      's3://b/z': ['position-file d3'],
    })
  })

  test('tell the path of the data file as they spell it', async () => {
    const { scan } = tableOf({
      manifests: [
        { files: [{ path: 's3://b/x', sequenceNumber: 1n }] },
        {
          content: 'deletes',
          files: [{ path: 'd', content: 1, sequenceNumber: 2n, ...pathBounds('s3a://b/a', 's3a://b/z') }],
        },
      ],
    })
    const [file] = (await scan()).files
    expect(file?.deletes).toMatchObject([{ kind: 'position-file', dataPath: 's3a://b/x' }])
  })

  test('with bounds of other paths do not apply', async () => {
    const deletes = [
      { path: 'd', content: 1 as const, sequenceNumber: 2n, ...pathBounds('s3://b/a', 's3://b/m') },
    ]
    const data = ['s3://b/k', 's3://b/x'].map((path) => ({ path, sequenceNumber: 1n }))
    expect(await assigned(data, deletes)).toEqual({ 's3://b/k': ['position-file d'], 's3://b/x': [] })
  })

  test('apply within their partition alone', async () => {
    const data = ['eu', 'us'].map((name) => ({ path: name, sequenceNumber: 1n, partition: { 1000: name } }))
    const deletes = [{ path: 'd', content: 1 as const, sequenceNumber: 2n, partition: { 1000: 'eu' } }]
    expect(await assigned(data, deletes, { specs: [{ region: 'identity' }] })).toEqual({
      eu: ['position-file d'],
      us: [],
    })
  })

  test('give way to a deletion vector, which applies to its own file', async () => {
    const data = ['s3://b/x', 's3://b/y'].map((path) => ({ path, sequenceNumber: 1n }))
    const deletes = [
      { path: 'd', content: 1 as const, sequenceNumber: 2n },
      vector('v.puffin', 's3a://b/x', 3n),
    ]
    expect(await assigned(data, deletes, { version: 3 })).toEqual({
      's3://b/x': ['positions'],
      's3://b/y': ['position-file d'],
    })
  })

  test('of a vector that is older than the data do not apply', async () => {
    const data = [{ path: 's3://b/x', sequenceNumber: 4n }]
    expect(await assigned(data, [vector('v.puffin', 's3://b/x', 3n)], { version: 3 })).toEqual({
      's3://b/x': [],
    })
  })

  test('of two vectors for one file are an error', async () => {
    const data = [{ path: 's3://b/x', sequenceNumber: 1n }]
    const deletes = [vector('v1.puffin', 's3://b/x', 2n), vector('v2.puffin', 's3://b/x', 3n)]
    await expect(assigned(data, deletes, { version: 3 })).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining('more than one deletion vector'),
    })
  })
})

test('sequence numbers count in manifests that do not say their format version, too', async () => {
  const { scan, objects } = tableOf({
    manifests: [
      { sequenceNumber: 9n, files: [{ path: 's3://b/new', sequenceNumber: 6n }] },
      { content: 'deletes', sequenceNumber: 9n, files: [{ path: 'd', content: 1, sequenceNumber: 5n }] },
    ],
  })
  for (const path of ['s3://b/m0.avro', 's3://b/m1.avro']) {
    const text = Buffer.from(objects.get(path) ?? []).toString('latin1')
    objects.set(path, Buffer.from(text.replace('format-version', 'no-such-header'), 'latin1'))
  }
  expect((await scan()).files[0]?.deletes).toEqual([])
})

describe('equality deletes', () => {
  const equality = (
    path: string,
    sequenceNumber: bigint,
    further: Partial<WrittenFile> = {},
  ): WrittenFile => ({
    path,
    content: 2,
    sequenceNumber,
    equalityIds: [1],
    ...further,
  })

  test('apply to data before their commit, not to data of it', async () => {
    const data = [3n, 5n].map((sequenceNumber) => ({ path: `f${sequenceNumber}`, sequenceNumber }))
    expect(await assigned(data, [equality('e', 5n)])).toEqual({ f3: ['equality e'], f5: [] })
  })

  test('apply within their partition, or everywhere when their spec has none', async () => {
    const { scan } = tableOf({
      specs: [{ region: 'identity' }, { region: 'void' }],
      manifests: [
        {
          sequenceNumber: 9n,
          files: ['eu', 'us'].map((name) => ({ path: name, sequenceNumber: 1n, partition: { 1000: name } })),
        },
        {
          content: 'deletes',
          sequenceNumber: 9n,
          files: [equality('of eu', 2n, { partition: { 1000: 'eu' } })],
        },
        { content: 'deletes', sequenceNumber: 9n, specId: 1, files: [equality('global', 2n)] },
      ],
    })
    const { files } = await scan()
    expect(files.map((file) => file.deletes.map(nameOf))).toEqual([
      ['equality of eu', 'equality global'],
      ['equality global'],
    ])
  })

  test('bring their columns into the files that they apply to', async () => {
    const { scan } = tableOf({
      manifests: [
        { files: [{ path: 'f', sequenceNumber: 1n }] },
        { content: 'deletes', sequenceNumber: 2n, files: [equality('e', 2n, { equalityIds: [2] })] },
      ],
    })
    const [file] = (await scan(undefined, { columns: [['id']] })).files
    expect(file?.columns.map(({ name }) => name)).toEqual(['id', 'region'])
    const [entry] = file?.deletes ?? []
    expect(entry?.kind === 'equality' && entry.columns).toMatchObject([
      { name: 'region', source: { from: 'field-id', id: 2 } },
    ])
  })

  test('are passed over when bounds of the row identity exclude a match', async () => {
    const bounds = (value: bigint): Partial<WrittenFile> => ({
      valueCounts: new Map([[1, 1n]]),
      nullCounts: new Map([[1, 0n]]),
      lower: new Map([[1, longBound(value)]]),
      upper: new Map([[1, longBound(value)]]),
    })
    const schema = {
      type: 'struct',
      'schema-id': 0,
      'identifier-field-ids': [1],
      fields: [{ id: 1, name: 'id', required: true, type: 'long' }],
    }
    const { scan } = tableOf({
      manifests: [
        { files: [1n, 2n].map((id) => ({ path: `f${id}`, sequenceNumber: 1n, ...bounds(id) })) },
        { content: 'deletes', sequenceNumber: 2n, files: [equality('e', 2n, bounds(2n))] },
      ],
      metadata: { schemas: [schema] },
    })
    expect((await scan()).files.map((file) => file.deletes.map(nameOf))).toEqual([[], ['equality e']])
  })

  test.each([
    ['without columns', [], 'names no columns'],
    ['on a field of no schema', [99], 'which no schema has'],
  ])('%s are an error', async (_, equalityIds, message) => {
    await expect(
      assigned([{ path: 'f', sequenceNumber: 1n }], [equality('e', 2n, { equalityIds })]),
    ).rejects.toMatchObject({ kind: 'data', message: expect.stringContaining(message) })
  })
})

describe('manifests of deletes', () => {
  const region = (name: string) => [
    { containsNull: false, containsNaN: undefined, lower: Buffer.from(name), upper: Buffer.from(name) },
  ]
  const deletes = (name: string, sequenceNumber: bigint) => ({
    content: 'deletes' as const,
    sequenceNumber,
    partitions: region(name),
    files: [{ path: `d-${name}`, content: 1 as const, sequenceNumber, partition: { 1000: name } }],
  })

  test('are read only when they can apply to a file that is left', async () => {
    const { scan, reader } = tableOf({
      specs: [{ region: 'identity' }],
      manifests: [
        {
          files: ['eu', 'us'].map((name) => ({ path: name, sequenceNumber: 5n, partition: { 1000: name } })),
        },
        deletes('eu', 7n),
        deletes('us', 7n),
        deletes('eu', 4n),
        deletes('ap', 7n),
      ],
    })
    const found = await scan(where('region', '=', 'eu'))
    expect(found.files.map((file) => file.deletes.map(nameOf))).toEqual([['position-file d-eu']])
    expect(reader.paths).toEqual(['s3://b/list.avro', 's3://b/m0.avro', 's3://b/m1.avro'])
    expect(found.receipt).toMatchObject({ manifests: 2, manifestsSkipped: 3, deleteFiles: 1 })

    reader.paths.length = 0
    await scan({ kind: 'in', column: ['region'], values: ['eu', 'us', 'ap'] })
    expect(reader.paths).toEqual(['s3://b/list.avro', 's3://b/m0.avro', 's3://b/m1.avro', 's3://b/m2.avro'])

    reader.paths.length = 0
    await scan(where('region', '=', 'xx'))
    expect(reader.paths).toEqual(['s3://b/list.avro', 's3://b/m0.avro'])
  })
})

test('of a Puffin file only the bytes of the vectors are read, and no vector before it is needed', async () => {
  const { metadata: path } = icebergFixture('deletion_vectors')
  const metadata = parseTableMetadata(fixtureBytes(path), path)
  const read: { readonly range: ByteRange; readonly size: number }[] = []
  const local = fixtureReader()
  const { files } = await planScan({
    metadata,
    version: selectVersion(metadata),
    request: { columns: [['id']], signal: new AbortController().signal },
    reader: {
      read: local.read,
      open: (url, size) => ({
        url,
        size,
        read(range, options) {
          read.push({ range, size })
          return local.open(url, size).read(range, options)
        },
      }),
    },
  })
  expect(read).toEqual([])
  const { signal } = new AbortController()
  const vectors = files.flatMap((file) => file.deletes).filter((entry) => entry.kind === 'positions')
  const positions = await Promise.all(vectors.map((vector) => vector.load({ signal })))
  // Ids 1, 3, 5 and the updated 7 of one file, 4 and 18 of the other.
  expect(positions.map((list) => list.length).sort()).toEqual([2, 4])
  expect(read).toHaveLength(2)
  for (const { range, size } of read) {
    expect(range.start).toBeGreaterThan(0)
    expect(range.end).toBeLessThan(size)
  }
})
