import { defineSource, secret, table } from '@penstock/core'
import { z } from 'zod'

const config = z.object({
  repo: z
    .string()
    .regex(/^[^/]+\/[^/]+$/)
    .describe('owner/name'),
  token: secret().describe('Personal access token'),
  baseUrl: z.url().default('https://api.example.com'),
})

interface Context {
  config: z.output<typeof config>
  signal: AbortSignal
}

const get = async (
  context: Context,
  path: string,
): Promise<{ id: number; title: string; updated_at: string }[]> => {
  const response = await fetch(`${context.config.baseUrl}/repos/${context.config.repo}${path}`, {
    headers: { authorization: `Bearer ${context.config.token.reveal()}` },
    signal: context.signal,
  })
  return (await response.json()) as { id: number; title: string; updated_at: string }[]
}

/** Issues of one repository, incremental on `updated_at`. */
export default defineSource({
  name: 'issues',
  config,
  check: async (context) => {
    await get(context, '')
  },
  tables: (context) => [
    table({
      name: 'issues',
      row: z.object({ id: z.int(), title: z.string(), updated_at: z.iso.datetime() }),
      key: ['id'],
      cursor: 'updated_at',
      async *read({ since }) {
        for (let page = 1; ; page++) {
          const issues = await get(context, `/issues?page=${page}${since ? `&since=${since}` : ''}`)
          if (issues.length === 0) return
          yield issues
        }
      },
    }),
  ],
})
