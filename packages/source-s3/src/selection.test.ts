import { schemaFields } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { config } from './config.ts'
import { selection } from './selection.ts'

describe('a selection', () => {
  it.each([
    [{}, 'choose objects by one of object, folder and glob'],
    [{ object: 'a', folder: 'b' }, 'give only one of object, folder'],
    [{ glob: '*', recursive: false }, 'goes with folder alone'],
    [{ folder: 'a', format: 'json', delimiter: ';' }, 'goes with CSV alone, and the format is json'],
    [{ folder: 'a', format: 'parquet', compression: 'gzip' }, 'carry their own compression'],
    [
      { folder: 'a', modifiedAfter: '2025-02-01', modifiedBefore: '2025-01-01' },
      'not later than modifiedAfter',
    ],
    [{ folder: 'a', modifiedAfter: 'yesterday' }, ''],
    [{ folder: 'a', maxObjects: 0 }, ''],
    [{ folder: 'a', quote: '""' }, 'exactly one character'],
    [{ folder: 'a', tabel: 'x' }, 'tabel'],
  ])('is refused: %j', (input, message) => {
    const { success, error } = selection.safeParse(input)
    expect(success).toBe(false)
    expect(error?.message).toContain(message)
  })

  it('has defaults for what is not said', () => {
    expect(selection.parse({ folder: 'a' })).toEqual({
      folder: 'a',
      recursive: true,
      partitions: true,
      allowEmpty: false,
    })
  })

  it('describes every field, for flags, prompts and editors', () => {
    const silent = [...schemaFields(selection), ...schemaFields(config)].filter(
      (field) => !field.description || !field.title || field.kind === 'other' || field.kind === 'object',
    )
    expect(silent.map((field) => field.name)).toEqual([])
  })
})

describe('a configuration', () => {
  const fields = { region: 'eu-central-1', bucket: 'sales-exports' }

  it('confines to a folder, with or without its slash', () => {
    expect(config.parse({ ...fields, prefix: 'a/b' }).prefix).toBe('a/b/')
    expect(config.parse({ ...fields, prefix: 'a/b/' }).prefix).toBe('a/b/')
  })

  it.each([
    [{ prefix: '/a' }, 'must not begin with a slash'],
    [{ endpoint: 'http://s3.example.com' }, 'allowInsecure'],
    [{ bucket: 'Sales' }, ''],
    [{ buckte: 'sales' }, 'buckte'],
  ])('is refused: %j', (change, message) => {
    const { success, error } = config.safeParse({ ...fields, ...change })
    expect(success).toBe(false)
    expect(error?.message).toContain(message)
  })
})
