import { fileURLToPath } from 'node:url'
import { connect, defineAction, defineActions, secret } from '@penstock/core'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { actionCommand } from './command.ts'
import { actionDefinition, findAction } from './definition.ts'
import { createJsonStream } from './json-stream.ts'
import { resultView } from './result.ts'

const root = fileURLToPath(new URL('../../test/fixture', import.meta.url))

/** As a third party writes one. */
const tickets = defineActions({
  name: 'actions-tickets',
  topic: 'tickets',
  config: z.strictObject({ site: z.string(), token: secret().optional() }),
  environment: (variables) => (variables.TICKETS_SITE ? { site: variables.TICKETS_SITE } : {}),
  check: async () => {},
  actions: {
    'close-ticket': defineAction({
      title: 'Close a ticket',
      aliases: ['close'],
      arguments: ['id'],
      examples: [{ description: 'With a word', input: { id: 7, reason: 'all done', labels: { a: 'b c' } } }],
      input: z.strictObject({
        id: z.int().min(1),
        reason: z.string().default('done'),
        labels: z.record(z.string(), z.string()).optional(),
        out: z.string().optional().meta({ stdout: true }),
      }),
      output: z.object({ id: z.int(), site: z.string(), size: z.int().meta({ unit: 'bytes' }) }),
      run: async (context, { id, reason, out }) => {
        if (out === '-') await context.stdout?.(Buffer.from(reason))
        context.onProgress({ item: 'x', items: 1, bytes: 5 })
        return { id, site: (context.config as { site: string }).site, size: 1234567 }
      },
    }),
    'list-tickets': defineAction({
      title: 'List tickets',
      input: z.strictObject({ count: z.int().default(2), fail: z.boolean().default(false) }),
      output: z.object({
        total: z.int(),
        items: z.array(z.object({ size: z.int().meta({ unit: 'bytes' }), name: z.string() })),
      }),
      run: async (_, { count, fail }, emit) => {
        const items = Array.from({ length: count }, (__, index) => ({
          size: 1500 * index,
          name: `t\t${index}`,
        }))
        if (emit) for (const item of items) await emit(item)
        if (fail) throw Object.assign(new Error('broke'))
        return { total: count, items: emit ? [] : items }
      },
    }),
  },
})

const runCommand = async (action: string, ...argv: string[]) => {
  const out = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text, ...rest) => {
      out[name] += Buffer.from(text as string).toString()
      const callback = rest.find((argument) => typeof argument === 'function')
      if (callback) (callback as () => void)()
      return true
    }),
  )
  const command = actionCommand({
    connector: tickets,
    action,
    openConnection: async (site) => connect(tickets, { site, token: 'hush-hush' }),
  })
  try {
    await command.run(argv, { root, ignoreManifest: true })
    return { ...out, code: 0 }
  } catch (error) {
    return { ...out, code: (error as { oclif?: { exit?: number } }).oclif?.exit }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

describe('a command of an action', () => {
  test('has arguments, flags and examples of its definition', () => {
    const { args, flags, examples, summary } = actionDefinition(tickets, 'close-ticket')
    expect(summary).toBe('Close a ticket.')
    expect(args.id).toMatchObject({ required: true })
    expect(Object.keys(flags).sort()).toEqual(['concurrency', 'connection', 'label', 'out', 'reason', 'site'])
    expect(examples[0]?.command).toMatch(/command\.id %> 7 --reason 'all done' --label 'a=b c'$/)
    expect(Object.keys(actionDefinition(tickets, 'close-ticket', true).flags)).not.toContain('site')
  })

  test('is found by its long and its short name', () => {
    expect(findAction(tickets, 'close').name).toBe('close-ticket')
    expect(() => findAction(tickets, 'clse')).toThrow(/no such action/)
  })

  test('runs with a connection, with flags, or with the environment alone', async () => {
    expect((await runCommand('close-ticket', '7', '--connection', 'a.example')).stdout).toContain('a.example')
    expect((await runCommand('close-ticket', '7', '--site', 'b.example')).stdout).toContain('1.2 MB')
    vi.stubEnv('TICKETS_SITE', 'c.example')
    expect((await runCommand('close-ticket', '7', '--json')).stdout).toContain('"site": "c.example"')
    vi.unstubAllEnvs()
    const { code, stderr } = await runCommand('close-ticket', '7')
    expect([code, stderr]).toEqual([2, expect.stringContaining('--site is required')])
  })

  test.each([
    [['x'], 'ID must be of type'],
    [[], 'ID is missing'],
    [['7', '--label', 'x'], '--label takes NAME=VALUE'],
    [['7', '--connection', 'a', '--site', 'b'], '--site has no effect with --connection'],
    [['7', '--connection', 'a', '--out', '-', '--json'], 'both write to stdout'],
  ])('explains a wrong use: %j', async (argv, message) => {
    const { code, stdout, stderr } = await runCommand('close-ticket', ...argv)
    expect(code).toBe(2)
    expect(stdout + stderr).toContain(message)
  })

  test('gives stdout to the bytes, and tells its result elsewhere', async () => {
    const { stdout, stderr } = await runCommand('close-ticket', '7', '--connection', 'a', '--out', '-')
    expect([stdout, stderr]).toEqual(['done', expect.stringContaining('id 7, site a')])
  })

  test('writes items as they come: columns for programs, one document of JSON', async () => {
    const lines = await runCommand('list-tickets', '--connection', 'a')
    expect(lines.stdout).toBe('0\tt\\t0\n1500\tt\\t1\n')
    const json = await runCommand('list-tickets', '--connection', 'a', '--json')
    expect(JSON.parse(json.stdout)).toEqual({
      items: [
        { size: 0, name: 't\t0' },
        { size: 1500, name: 't\t1' },
      ],
      total: 2,
    })
    const none = await runCommand('list-tickets', '--connection', 'a', '--count', '0', '--json')
    expect(JSON.parse(none.stdout)).toEqual({ items: [], total: 0 })
  })

  test('that fails after some items ends its JSON with the error', async () => {
    const { code, stdout } = await runCommand('list-tickets', '--connection', 'a', '--fail', '--json')
    expect(code).not.toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ items: [{}, {}], error: { message: 'broke' } })
  })
})

test('what is streamed as JSON is the same as the whole', async () => {
  const output = fc.record({
    items: fc.array(fc.jsonValue()),
    rest: fc.dictionary(fc.string(), fc.jsonValue()),
  })
  await fc.assert(
    fc.asyncProperty(output, async ({ items, rest }) => {
      const { items: _, ['__proto__']: __, ...fields } = rest
      let text = ''
      const stream = createJsonStream(
        'items',
        async (piece) => {
          text += piece
        },
        (value) => value,
      )
      for (const item of items) await stream.item(item)
      await stream.end({ ...fields, items: [] })
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ items, ...fields })))
    }),
  )
})

test('a terminal gets aligned columns, readable sizes and no control characters', () => {
  const view = resultView(tickets.actions['list-tickets'], true)
  expect(view.item({ size: 1500, name: 'a\u001b[2Jb' })).toBe('    1.5 kB  a\\u001b[2Jb')
})
