import {
  type AnyActions,
  type AnyDestination,
  ConnectorError,
  defineAction,
  defineActions,
  defineDestination,
  secret,
} from '@penstock/core'
import { z } from 'zod'

/** What the test connectors did, in order. */
export interface Calls {
  readonly list: string[]
}

/** Actions of which one echoes, one fails as often as it is told, and one waits for the end. */
export const testActions = (calls: Calls): AnyActions => {
  let failures = 0
  return defineActions({
    name: 'actions-test',
    title: 'Test',
    topic: 'test',
    config: z.object({}),
    check: async () => {},
    actions: {
      echo: defineAction({
        title: 'Echo',
        input: z.strictObject({ text: z.string(), count: z.int().default(1), token: secret().optional() }),
        output: z.strictObject({
          text: z.string(),
          count: z.int(),
          items: z.array(z.strictObject({ key: z.string() })),
        }),
        run: async ({ onProgress }, { text, count, token }) => {
          calls.list.push(`echo ${text}`)
          onProgress({ item: text, items: 1, bytes: text.length })
          const said = token ? `${text} ${token.reveal()}` : text
          return { text: said, count, items: [{ key: `${said}.csv` }] }
        },
      }),
      fail: defineAction({
        title: 'Fail',
        input: z.strictObject({ times: z.int(), value: z.string().default('x') }),
        output: z.strictObject({}),
        run: async (_context, { times, value }) => {
          calls.list.push('fail')
          failures++
          if (failures <= times) throw new ConnectorError('network', `Broken off (${failures}).`)
          if (times < 0)
            throw new ConnectorError('data', `The value ${value} is wrong.`, {
              place: { table: 't', line: 3, value },
            })
          return {}
        },
      }),
      wait: defineAction({
        title: 'Wait',
        input: z.strictObject({}),
        output: z.strictObject({}),
        run: async ({ signal }) => {
          calls.list.push('wait')
          await new Promise((_resolve, reject) => {
            if (signal.aborted) reject(signal.reason)
            signal.addEventListener('abort', () => reject(signal.reason))
          })
          return {}
        },
      }),
    },
  })
}

/** A destination of rows that keeps what it was given, one copy per commit id. */
export const testDestination = (written: Map<string, readonly unknown[]>, calls: Calls): AnyDestination =>
  defineDestination({
    name: 'destination-test',
    title: 'Test',
    config: z.object({}),
    options: z.strictObject({ folder: z.string().default('out') }),
    capabilities: { modes: ['append'], fileTypes: [] },
    check: async () => {},
    write: async (_context, { run, streams, options }) => {
      calls.list.push('write')
      const files = []
      for (const stream of streams) {
        const rows: unknown[] = []
        for await (const page of stream.rows()) rows.push(...page)
        const name = `${options.folder}/${stream.name}-${run.commitId}.json`
        written.set(name, rows)
        files.push({ stream: stream.name, name, rows: rows.length, size: rows.length })
      }
      return { files }
    },
  })
