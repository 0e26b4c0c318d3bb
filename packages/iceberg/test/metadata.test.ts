import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseTableMetadata, selectVersion, tableSchemaOf } from '../src/index.ts'

const path = 's3://b/t/metadata/v1.metadata.json'

const schemaOf = (id: number, ...names: string[]) => ({
  type: 'struct',
  'schema-id': id,
  fields: names.map((name, index) => ({ id: index + 1, name, required: false, type: 'long' })),
})

const base = {
  'format-version': 2,
  'table-uuid': 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
  location: 's3://b/t',
  'current-schema-id': 1,
  schemas: [schemaOf(0, 'a'), schemaOf(1, 'a', 'b')],
  'default-spec-id': 0,
  'partition-specs': [{ 'spec-id': 0, fields: [] }],
  properties: { owner: 'x' },
  'current-snapshot-id': 20,
  snapshots: [
    {
      'snapshot-id': 10,
      'timestamp-ms': 1000,
      'schema-id': 0,
      'manifest-list': 's3://b/10.avro',
      summary: { operation: 'append', 'total-records': '7' },
    },
    { 'snapshot-id': 20, 'timestamp-ms': 2000, 'schema-id': 1, 'manifest-list': 's3://b/20.avro' },
  ],
  'snapshot-log': [
    { 'snapshot-id': 10, 'timestamp-ms': 1000 },
    { 'snapshot-id': 20, 'timestamp-ms': 2000 },
  ],
  refs: {
    main: { 'snapshot-id': 20, type: 'branch' },
    old: { 'snapshot-id': 10, type: 'tag' },
    audit: { 'snapshot-id': 10, type: 'branch' },
  },
}

const parse = (change: object = {}, text = (json: string) => json) =>
  parseTableMetadata(Buffer.from(text(JSON.stringify({ ...base, ...change }))), path)

describe('metadata', () => {
  test('gzip is recognised by its bytes, a byte order mark is passed over', () => {
    const bytes = Buffer.from(JSON.stringify(base))
    expect(parseTableMetadata(gzipSync(bytes), path)).toEqual(parseTableMetadata(bytes, path))
    expect(parse({}, (json) => `\uFEFF${json}`).location).toBe('s3://b/t')
  })

  test('snapshot ids beyond 2^53 are exact', () => {
    const metadata = parse({ snapshots: [] }, (json) =>
      json
        .replace('"current-snapshot-id":20', '"current-snapshot-id":3055729675574597004')
        .replace('"snapshots":[]', '"snapshots":[{"snapshot-id":3055729675574597004,"timestamp-ms":1}]'),
    )
    expect(metadata.currentSnapshotId).toBe(3055729675574597004n)
    expect(selectVersion(metadata).snapshot?.snapshotId).toBe(3055729675574597004n)
  })

  test.each([
    { 'current-snapshot-id': -1 },
    { 'current-snapshot-id': null },
    { 'current-snapshot-id': undefined },
  ])('%j is a table without rows', (change) => {
    expect(selectVersion(parse(change)).snapshot).toBeUndefined()
  })

  test('of v1 may have only one schema, one spec and manifests without a list', () => {
    const metadata = parse({
      'format-version': 1,
      schemas: undefined,
      'current-schema-id': undefined,
      schema: { type: 'struct', fields: [{ id: 1, name: 'a', required: true, type: 'int' }] },
      'partition-specs': undefined,
      'default-spec-id': undefined,
      'partition-spec': [{ name: 'a_bucket', transform: 'bucket[4]', 'source-id': 1 }],
      refs: undefined,
      snapshots: [{ 'snapshot-id': 20, 'timestamp-ms': 2000, manifests: ['s3://b/m.avro'] }],
    })
    expect(tableSchemaOf(selectVersion(metadata).schema).columns).toEqual([
      { name: 'a', type: { type: 'int', bits: 32, signed: true }, nullable: false },
    ])
    expect(metadata.specs.get(0)?.fields).toEqual([
      { sourceIds: [1], fieldId: 1000, name: 'a_bucket', transform: { kind: 'bucket', count: 4 } },
    ])
    expect(selectVersion(metadata).snapshot?.manifests).toEqual(['s3://b/m.avro'])
    expect(selectVersion(metadata, { ref: 'main' }).snapshot?.snapshotId).toBe(20n)
  })

  test('of many schemas keeps a column that they share once', () => {
    const [first, second] = parse().schemas
    expect(second?.fields).toHaveLength(2)
    expect(second?.fields[0]).toBe(first?.fields[0])
  })

  test.each([0, 4, 99])('of format version %i is refused by that name', (version) => {
    expect(() => parse({ 'format-version': version })).toThrow(`format version ${version}`)
  })

  test.each([
    ['location', { location: 7 }],
    ['snapshot-id', { snapshots: [{ 'timestamp-ms': 1 }] }],
    ['schemas', { schemas: undefined }],
    ['fields', { schemas: [{ 'schema-id': 0 }] }],
    ['array', { schemas: [{ 'schema-id': 0, fields: 7 }] }],
    ['id', { schemas: [{ 'schema-id': 0, fields: [{ name: 'a', type: 'int' }] }] }],
    ['format-version', { 'format-version': 'two' }],
    ['name-mapping', { properties: { 'schema.name-mapping.default': '{}' } }],
  ])('with a wrong %s is an error that names it and the file', (name, change) => {
    expect(() => parse(change)).toThrow(
      expect.objectContaining({ kind: 'data', message: expect.stringContaining(name) }),
    )
    expect(() => parse(change)).toThrow(path)
  })

  test('cut off, or damaged in its gzip, is an error that names the file', () => {
    const bytes = Buffer.from(JSON.stringify(base))
    expect(() => parseTableMetadata(bytes.subarray(0, 300), path)).toThrow(path)
    expect(() => parseTableMetadata(gzipSync(bytes).subarray(0, 100), path)).toThrow(path)
    expect(() => parseTableMetadata(Buffer.from('<html>'), path)).toThrow(path)
  })
})

describe('time travel', () => {
  const metadata = parse()
  const columns = (at: Parameters<typeof selectVersion>[1]) => {
    const { snapshot, schema } = selectVersion(metadata, at)
    return [snapshot?.snapshotId, schema.fields.map((field) => field.name).join()]
  }

  test.each([
    ['a snapshot with the columns of that time', { snapshotId: 10n }, [10n, 'a']],
    ['a tag with the columns of its snapshot', { ref: 'old' }, [10n, 'a']],
    ['a branch with the columns of the table', { ref: 'audit' }, [10n, 'a,b']],
    ['a time between two snapshots', { timestamp: new Date(1999) }, [10n, 'a']],
    ['the very time of a snapshot', { timestamp: new Date(2000) }, [20n, 'a,b']],
  ])('to %s', (_, at, expected) => {
    expect(columns(at)).toEqual(expected)
  })

  test.each([
    ['an unknown snapshot', { snapshotId: 11n }, 'no snapshot 11'],
    ['an unknown ref', { ref: 'audi' }, 'no branch or tag "audi"'],
    ['a time before all', { timestamp: new Date(999) }, 'no snapshot as old as 1970-01-01T00:00:00.999Z'],
  ])('to %s is not found', (_, at, message) => {
    expect(() => columns(at)).toThrow(
      expect.objectContaining({ kind: 'not-found', message: expect.stringContaining(message) }),
    )
  })

  test('proposes the ref that was meant', () => {
    expect(() => columns({ ref: 'audi' })).toThrow(expect.objectContaining({ hint: 'Did you mean "audit"?' }))
  })
})
