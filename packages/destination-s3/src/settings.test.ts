import { schemaFields } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { config, options } from './index.ts'
import { extensionOf, layoutOf, type S3ExportOptionsInput } from './options.ts'

const parsed = (input: S3ExportOptionsInput) => options.parse(input)

describe('options of an export', () => {
  it.each<[S3ExportOptionsInput, string]>([
    [{}, 'csv'],
    [{ compression: 'gzip' }, 'csv.gz'],
    [{ compression: 'zstd' }, 'csv.zst'],
    [{ fileType: 'json' }, 'jsonl'],
    [{ fileType: 'json', compression: 'gzip' }, 'jsonl.gz'],
    [{ fileType: 'json', compression: 'zstd' }, 'jsonl.zst'],
    [{ fileType: 'parquet' }, 'parquet'],
    [{ fileType: 'parquet', compression: 'zstd' }, 'parquet'],
  ])('%j has the extension %s', (input, extension) => {
    expect(extensionOf(parsed(input))).toBe(extension)
  })

  it('become a layout with the defaults of the specification', () => {
    expect(layoutOf(parsed({}))).toEqual({
      format: {
        type: 'csv',
        compression: 'none',
        delimiter: ',',
        quote: '"',
        escape: '"',
        quoteAll: false,
        header: true,
        nullValue: '',
        encoding: 'utf-8',
        lineSeparator: 'lf',
        binary: 'base64',
        lists: 'json',
      },
      empty: 'header',
      maxRows: 5_000_000,
    })
    expect(layoutOf(parsed({ fileType: 'parquet', maxBytes: 1e9, partitionBy: ['day'] }))).toEqual({
      format: { type: 'parquet', compression: 'snappy' },
      empty: 'header',
      maxBytes: 1e9,
      partitionBy: ['day'],
    })
    expect(layoutOf(parsed({ fileType: 'json', compression: 'zstd', maxRows: 10 }))).toMatchObject({
      format: { type: 'ndjson', compression: 'zstd' },
      maxRows: 10,
    })
  })

  it.each([
    ['tab', '\t'],
    ['\\t', '\t'],
    ['|', '|'],
    ['§', '§'],
  ])('take the delimiter %s', (delimiter, character) => {
    expect(layoutOf(parsed({ delimiter, quote: 'none' })).format).toMatchObject({
      delimiter: character,
      quote: '',
    })
  })

  it.each<[object, RegExp]>([
    [{ fileType: 'csv', compression: 'snappy' }, /snappy is for parquet/],
    [{ fileType: 'json', delimiter: ';' }, /is an option of csv/],
    [{ fileType: 'parquet', header: false }, /is an option of csv/],
    [{ delimiter: '||' }, /exactly one character/],
    [{ quoteAll: true, nullValue: '""' }, /could not be told from null/],
    [{ quoteAll: true, quote: 'none' }, /without a quote/],
    [{ nullValue: 'a,b' }, /must not hold the delimiter/],
    [{ maxRows: 0 }, />=1/],
    [{ partitionBy: [] }, />=1/],
    [{ filetype: 'csv' }, /Unrecognized key/],
  ])('%j is refused', (input, message) => {
    expect(options.safeParse(input).error?.message).toMatch(message)
  })
})

describe('configuration', () => {
  const base = { region: 'us-east-1', bucket: 'lake' }
  it.each<[object, string, RegExp]>([
    [{ prefix: '/a' }, 'prefix', /begins with a slash/],
    [{ prefix: 'a//b' }, 'prefix', /empty segment/],
    [{ prefix: 'a/../b' }, 'prefix', /"\.\."/],
    [{ prefix: 'a b' }, 'prefix', /must not have/],
    [{ kmsKeyId: 'x' }, 'kmsKeyId', /needs encryption/],
    [{ encryption: 'sse-kms-dual-layer', bucketKey: true }, 'bucketKey', /sse-kms/],
    [{ metadata: { 'Penstock-run': 'x' } }, 'metadata', /for the destination itself/],
    [{ metadata: { a: 'ü' } }, 'metadata', /printable ASCII/],
    [{ tags: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`t${i}`, ''])) }, 'tags', /10 tags/],
    [{ tags: { team: 'a&b' } }, 'tags', /Tags have letters/],
    [{ endpoint: 'http://store.example' }, 'endpoint', /Plain http/],
  ])('%j is refused at %s', (fields, path, message) => {
    const issues = config.safeParse({ ...base, ...fields }).error?.issues ?? []
    expect(issues).toHaveLength(1)
    expect(issues[0]?.path[0]).toBe(path)
    expect(issues[0]?.message).toMatch(message)
  })

  it('ends a prefix with a slash', () => {
    expect(config.parse({ ...base, prefix: 'a/b' }).prefix).toBe('a/b/')
  })
})

it('every field has a title and a description, for flags, wizard and schema', () => {
  for (const schema of [config, options])
    for (const field of schemaFields(schema)) {
      expect(field.title, field.name).toBeTruthy()
      expect(field.description, field.name).toBeTruthy()
      expect(field.kind, field.name).not.toBe('other')
    }
})
