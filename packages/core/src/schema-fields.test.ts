import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { coerceText, describeIssue, schemaFields } from './schema-fields.ts'
import { secret } from './secret.ts'

describe('schemaFields', () => {
  const schema = z
    .strictObject({
      region: z.string().meta({ title: 'Region', examples: ['eu-central-1'] }),
      secretAccessKey: secret().describe('Secret access key'),
      sessionToken: secret().optional().describe('Session token'),
      mode: z.enum(['full', 'delta']).default('full').describe('How to load'),
      retries: z.int().min(0).optional(),
      recursive: z.boolean().default(true),
      object: z.union([z.string(), z.array(z.string())]).optional(),
      columns: z
        .record(z.string(), z.string())
        .transform((value) => Object.keys(value))
        .optional(),
      budget: z.union([z.int(), z.string()]).optional(),
      lineage: z.array(z.enum(['_file', '_row'])).optional(),
      source: z.object({ id: z.string() }).optional(),
    })
    .refine(() => true)
  const fields = Object.fromEntries(schemaFields(schema).map((field) => [field.name, field]))

  it('tells kind, options, defaults and what is required', () => {
    expect(fields.region).toMatchObject({ kind: 'text', required: true, title: 'Region' })
    expect(fields.secretAccessKey).toMatchObject({ kind: 'secret', required: true })
    expect(fields.sessionToken).toMatchObject({
      kind: 'secret',
      required: false,
      description: 'Session token',
    })
    expect(fields.mode).toMatchObject({ kind: 'choice', options: ['full', 'delta'], default: 'full' })
    expect(fields.retries).toMatchObject({ kind: 'number', required: false })
    expect(fields.recursive).toMatchObject({ kind: 'boolean', required: false, default: true })
    expect(fields.object).toMatchObject({ kind: 'list', item: 'text' })
    expect(fields.columns).toMatchObject({ kind: 'map', item: 'text', required: false })
    expect(fields.budget).toMatchObject({ kind: 'text' })
    expect(fields.lineage).toMatchObject({ kind: 'list', item: 'choice', options: ['_file', '_row'] })
    expect(fields.source?.fields?.map((field) => field.name)).toEqual(['id'])
  })
})

describe('coerceText', () => {
  it.each([
    ['number', '12', 12],
    ['number', 'twelve', 'twelve'],
    ['number', '0x10', '0x10'],
    ['boolean', 'no', false],
    ['boolean', 'perhaps', 'perhaps'],
    ['text', '12', '12'],
    ['other', '{"a":1}', { a: 1 }],
  ] as const)('%s %s', (kind, text, value) => {
    expect(coerceText({ kind }, text)).toEqual(value)
  })
})

describe('describeIssue', () => {
  it('says what is wrong without the value', () => {
    const schema = z.strictObject({
      a: z.string(),
      b: z.enum(['x', 'y']),
      c: z.int().min(1),
      d: z.union([z.int(), z.string().regex(/^\d+%$/, 'must be a percentage')]),
    })
    const result = schema.safeParse({ b: 'hunter2', c: 0, d: false, e: 1 })
    const told = result.error?.issues.map((issue) => `${issue.path.join('.')} ${describeIssue(issue)}`)
    expect(told).toEqual([
      'a is required',
      'b must be one of: x, y',
      'c must be at least 1',
      'd must be of type number, or must be of type string',
      ' has unknown fields: e',
    ])
  })
})
