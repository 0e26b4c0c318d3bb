import { ConnectorError, secret } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseFlags, readFlags, schemaFlags } from './flags.ts'

const schema = z
  .strictObject({
    object: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .describe('Key of an object'),
    folder: z.string().optional().describe('Prefix'),
    mode: z.enum(['full', 'delta']).default('full').describe('How to load'),
    maxObjects: z.int().min(1).optional().describe('At most that many objects'),
    recursive: z.boolean().default(true).describe('With folders below'),
    allText: z.boolean().default(false).describe('Everything as text'),
    nullStrings: z.array(z.string()).optional().describe('Texts that mean null'),
    columns: z.record(z.string(), z.string()).optional().describe('Types'),
    token: secret().optional(),
    csv: z.strictObject({ delimiter: z.string().length(1).optional().describe('Delimiter') }).optional(),
  })
  .refine((value) => (value.object === undefined) !== (value.folder === undefined), {
    message: 'Give one of --object and --folder',
  })

describe('schemaFlags', () => {
  const flags = schemaFlags(schema, {
    group: 'SELECTION',
    omit: ['columns'],
    repeatable: ['folder'],
    valueNames: { object: 'KEY' },
  })

  it('names flags in kebab-case, lists in the singular, and gives secrets none', () => {
    expect(Object.keys(flags)).toEqual([
      'object',
      'folder',
      'mode',
      'max-objects',
      'recursive',
      'all-text',
      'null-string',
      'csv-delimiter',
    ])
  })

  it('takes descriptions, options and defaults from the schema', () => {
    expect(flags.mode).toMatchObject({
      options: ['full', 'delta'],
      description: 'How to load (default: full)',
    })
    expect(flags.object).toMatchObject({ multiple: true, helpValue: 'KEY', helpGroup: 'SELECTION' })
    expect(flags.folder).toMatchObject({ multiple: true })
    expect(flags.recursive).toMatchObject({ type: 'boolean', allowNo: true })
    expect(flags['all-text']).toMatchObject({ type: 'boolean', allowNo: false })
    for (const flag of Object.values(flags)) expect(flag.required).toBeFalsy()
  })
})

describe('readFlags', () => {
  it('gives the input of the schema, without what was not given', () => {
    const given = {
      object: ['a.csv', 'b.csv'],
      'max-objects': '3',
      recursive: false,
      'null-string': ['NA', '-'],
      column: ['id=bigint', 'note=a=b'],
      'csv-delimiter': ';',
      json: true,
    }
    expect(readFlags(schema, given)).toEqual({
      object: ['a.csv', 'b.csv'],
      maxObjects: 3,
      recursive: false,
      nullStrings: ['NA', '-'],
      columns: { id: 'bigint', note: 'a=b' },
      csv: { delimiter: ';' },
    })
  })

  it('refuses a pair without =, and does not repeat it', () => {
    expect(() => readFlags(schema, { column: ['hunter2'] })).toThrow('--column takes NAME=VALUE.')
  })
})

describe('parseFlags', () => {
  const failure = (given: Record<string, unknown>) => {
    try {
      return parseFlags(schema, readFlags(schema, given), 'See --help')
    } catch (error) {
      if (ConnectorError.isInstance(error)) return error
      throw error
    }
  }

  it.each([
    [{ folder: 'a/', 'max-objects': 'many' }, '--max-objects must be of type number.'],
    [{ folder: 'a/', 'max-objects': '0' }, '--max-objects must be at least 1.'],
    [{ folder: 'a/', 'csv-delimiter': 'hunter2' }, '--csv-delimiter must have at most 1 characters.'],
    [{}, 'Give one of --object and --folder.'],
  ])('names the flag and no value: %j', (given, message) => {
    expect(failure(given)).toMatchObject({ kind: 'config', code: 'Usage', message, hint: 'See --help' })
  })

  it('gives the output of the schema', () => {
    expect(failure({ folder: 'a/' })).toMatchObject({ folder: 'a/', mode: 'full', recursive: true })
  })
})
