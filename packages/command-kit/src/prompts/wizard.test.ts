// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { secret } from '@penstock/core'
import { expect, it } from 'vitest'
import { z } from 'zod'
import type { Prompter } from './prompter.ts'
import { askFields } from './wizard.ts'

const script = (answers: readonly unknown[]) => {
  const left = [...answers]
  const asked: string[] = []
  const refused: string[] = []
  const next = (message: string) => {
    asked.push(message)
    return left.shift()
  }
  const prompter: Prompter = {
    text: async ({ message, validate }) => {
      for (;;) {
        const answer = String(next(message))
        const wrong = validate?.(answer)
        if (wrong === undefined) return answer
        refused.push(wrong)
      }
    },
    select: async ({ message }) => String(next(message)),
    confirm: async ({ message }) => next(message) === true,
    note: () => {},
    done: () => {},
  }
  return { prompter, asked, refused }
}

const schema = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]+-\d$/, 'must look like north-1')
    .meta({ title: 'Region' }),
  bucket: z.string().min(3).describe('Bucket'),
  key: secret().meta({ title: 'Key' }),
  token: secret().optional().meta({ title: 'Token' }),
  style: z.enum(['path', 'host']).default('host').describe('Style'),
  retries: z.int().optional().describe('Retries'),
  hosts: z.array(z.string()).optional().describe('Hosts'),
})
const options = { isReference: (text: string) => text.startsWith('${'), variableFor: () => 'LAKE_KEY' }

it('asks for what is required and missing, checks answers, and never for a secret', async () => {
  const { prompter, asked, refused } = script(['south', 'south-2', 'env', 'not a name', 'LAKE_KEY'])
  expect(await askFields(prompter, schema, { ...options, given: { bucket: 'b-1' } })).toEqual({
    region: 'south-2',
    bucket: 'b-1',
    key: '${env:LAKE_KEY}',
  })
  expect(refused).toHaveLength(2)
  expect(refused[0]).toBe('must look like north-1')
  expect(asked.join()).not.toContain('Token')
})

it('asks for what has no simple question as JSON, where nothing can be saved without it', async () => {
  const maps = z.strictObject({
    tables: z.record(z.string(), z.strictObject({ path: z.string() })),
    headers: z.record(z.string(), z.string()).optional(),
  })
  const { prompter, refused } = script(['orders', '{"orders":{"paht":"/"}}', '{"orders":{"path":"/orders"}}'])
  expect(await askFields(prompter, maps, { ...options, given: {} })).toEqual({
    tables: { orders: { path: '/orders' } },
  })
  expect(refused).toHaveLength(2)
})

it('asks for optional fields when wanted', async () => {
  const { prompter } = script(['${env:REGION}', 'bucket', 'file', './key', 'none', 'path', '3', 'a, b'])
  expect(await askFields(prompter, schema, { ...options, optional: true })).toEqual({
    region: '${env:REGION}',
    bucket: 'bucket',
    key: '${file:./key}',
    style: 'path',
    retries: 3,
    hosts: ['a', 'b'],
  })
})

it('leaves an optional yes or no unset unless it is answered', async () => {
  const flags = z.strictObject({
    a: z.boolean().optional(),
    b: z.boolean().optional(),
    c: z.boolean().default(true),
  })
  const { prompter } = script(['unset', 'false', true])
  expect(await askFields(prompter, flags, { ...options, optional: true })).toEqual({ b: false, c: true })
})
