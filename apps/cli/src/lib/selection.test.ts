import { type AnySource, ConnectorError, defineSource } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import numbers from '../../test/connectors/numbers.ts'
import { requestsFromFlags, selectionFlagsOf } from './selection.ts'

const files: AnySource = defineSource({
  name: 'files',
  config: z.strictObject({}),
  selection: z.strictObject({
    object: z.union([z.string(), z.array(z.string())]).optional(),
    folder: z.string().optional(),
    table: z.string().optional(),
    recursive: z.boolean().default(true),
    maxObjects: z.int().min(1).optional(),
  }),
  check: async () => {},
  tables: () => [],
  select: () => [],
})

describe('requestsFromFlags', () => {
  it.each([
    [{ object: ['a.csv'] }, [{ object: 'a.csv' }]],
    [{ object: ['a.csv', 'b.csv'] }, [{ object: ['a.csv', 'b.csv'] }]],
    [
      { folder: ['a/', 'b/'], recursive: false },
      [
        { recursive: false, folder: 'a/' },
        { recursive: false, folder: 'b/' },
      ],
    ],
    [
      { object: ['a.csv'], folder: ['b/'], mode: 'delta' },
      [
        { object: 'a.csv', mode: 'delta' },
        { folder: 'b/', mode: 'delta' },
      ],
    ],
    [{ folder: ['a/'], table: ['t'] }, [{ folder: 'a/', table: 't' }]],
    [{ object: ['a', 'b'], table: ['t'] }, [{ object: ['a', 'b'], table: 't' }]],
    [
      { object: ['a', 'b'], table: ['t', 'u'] },
      [
        { object: 'a', table: 't' },
        { object: 'b', table: 'u' },
      ],
    ],
    [
      { folder: ['a/'], 'max-objects': '3', key: ['id'], column: ['x=text'] },
      [{ maxObjects: 3, folder: 'a/', key: ['id'], columns: { x: 'text' } }],
    ],
  ])('%j', (flags, requests) => {
    expect(requestsFromFlags(files, flags)).toEqual(requests)
  })

  it.each([
    [{}, 'Nothing is chosen. Give --object, --folder.'],
    [{ folder: ['a/', 'b/'], table: ['t'] }, "1 names (--table) can't be given to 2 choices."],
    [{ folder: ['a/'], 'max-objects': '0' }, '--max-objects must be at least 1.'],
    [{ folder: ['a/'], limit: 'many' }, '--limit must be of type number.'],
    [{ folder: ['a/'], column: ['x=tekst'] }, '--column: unknown type "tekst".'],
  ])('refuses %j', (flags, message) => {
    try {
      requestsFromFlags(files, flags)
      throw new Error('nothing was thrown')
    } catch (error) {
      if (!ConnectorError.isInstance(error)) throw error
      expect(error).toMatchObject({ kind: 'config', code: 'Usage', message })
    }
  })

  it('takes names for a source that has no selection of its own', () => {
    expect(Object.keys(selectionFlagsOf(numbers))).toEqual(['table'])
    expect(requestsFromFlags(numbers, { table: ['small', 'big'], mode: 'full' })).toEqual([
      { table: 'small', mode: 'full' },
      { table: 'big', mode: 'full' },
    ])
    expect(() => requestsFromFlags(numbers, {})).toThrow('Nothing is chosen. Give --table.')
  })
})
