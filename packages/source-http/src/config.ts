import type { ConnectorContext } from '@penstock/core'
import { z } from 'zod'
import type { HttpAuthentication } from './auth.ts'
import { columnType } from './columns.ts'

const parameter = (description: string, fallback: string) =>
  z.string().min(1).default(fallback).describe(description)

/** How a service cuts its answers into pages. */
const paging = z.discriminatedUnion('style', [
  z.strictObject({ style: z.literal('none').describe('One answer holds all') }),
  z.strictObject({
    style: z.literal('page').describe('Pages by number; the first empty one is the end'),
    parameter: parameter('Query parameter of the page number', 'page'),
    first: z.int().default(1).describe('Number of the first page'),
    sizeParameter: z.string().min(1).optional().describe('Query parameter of the page size'),
    size: z.int().min(1).optional().describe('Records of a page; a page with fewer is the last'),
  }),
  z.strictObject({
    style: z.literal('offset').describe('Pages by the count of records before them'),
    parameter: parameter('Query parameter of the offset', 'offset'),
    sizeParameter: parameter('Query parameter of the page size', 'limit'),
    size: z.int().min(1).default(100).describe('Records of a page; a page with fewer is the last'),
  }),
  z.strictObject({
    style: z.literal('cursor').describe('Each answer holds a mark that the next request sends back'),
    parameter: parameter('Query parameter of the mark', 'cursor'),
    next: z
      .string()
      .min(1)
      .describe('Where the answer holds the mark, such as meta.next_cursor; null or absent ends'),
  }),
  z.strictObject({
    style: z.literal('next-url').describe('Each answer holds the URL of the next'),
    next: z
      .string()
      .min(1)
      .describe('Where the answer holds the URL, such as links.next; null or absent ends'),
  }),
  z.strictObject({
    style: z.literal('link').describe('The header Link names the next page with rel="next"'),
  }),
])

export type Paging = z.output<typeof paging>

const column = z
  .union([
    columnType,
    z.strictObject({
      type: columnType,
      path: z.string().min(1).describe('Where a record holds it, such as customer.name'),
    }),
  ])
  .transform((given) =>
    typeof given === 'object' && 'path' in given ? given : { type: given, path: undefined },
  )

const tableConfig = z.strictObject({
  path: z.string().describe('Path below the base URL, such as /v1/orders'),
  query: z.record(z.string(), z.string()).default({}).describe('Query parameters of every request'),
  records: z
    .string()
    .optional()
    .describe('Where the answer holds the list of records, such as data.items (default: it is the list)'),
  columns: z
    .record(z.string().min(1), column)
    .refine((columns) => Object.keys(columns).length > 0, 'needs at least one column')
    .describe(
      'Columns by name with their types: text, bigint, double, decimal(p,s), boolean, timestamp, date, json; or { type, path }',
    ),
  key: z.array(z.string()).min(1).optional().describe('Columns that identify a record'),
  cursor: z.string().optional().describe('Column by which later records are found; it never decreases'),
  sinceParameter: z
    .string()
    .optional()
    .describe('Query parameter that asks for records from a cursor on; needed where a cursor is given'),
  paging: paging.default({ style: 'none' }).describe('How the answers are cut into pages'),
})

export type TableConfig = z.output<typeof tableConfig>

const isLoopback = (hostname: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** Why a URL is not to be talked to; undefined when it is fine: TLS, or plain http to this machine. */
export const urlProblem = (text: string, allowInsecure: boolean): string | undefined => {
  if (!URL.canParse(text)) return 'is no URL'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'must hold no credentials: they belong to auth'
  if (url.protocol === 'https:') return undefined
  if (url.protocol !== 'http:') return 'must begin with https://'
  return allowInsecure || isLoopback(url.hostname)
    ? undefined
    : 'must begin with https://: plain http shows the credentials to everybody on the way (allowInsecure accepts it)'
}

export const config = z
  .strictObject({
    baseUrl: z.string().meta({
      title: 'Base URL',
      description: 'URL that the paths of the tables begin with',
      examples: ['https://api.example.com/v1'],
    }),
    tables: z.record(z.string().min(1), tableConfig).meta({
      title: 'Tables',
      description: 'Tables by name: path, records, columns, paging',
      examples: [
        { orders: { path: '/orders', columns: { id: 'bigint', total: 'decimal(18,2)' }, key: ['id'] } },
      ],
    }),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .meta({ title: 'Headers', description: 'Further headers of every request; secrets belong to auth' }),
    checkPath: z.string().optional().meta({
      title: 'Path of the check',
      description: 'What the check requests (default: the first table)',
    }),
    requestsPerSecond: z
      .number()
      .positive()
      .optional()
      .meta({
        title: 'Requests per second',
        description: 'Most requests that are sent in a second',
        examples: [5],
      }),
    maxAttempts: z.int().min(1).max(20).default(6).meta({
      title: 'Attempts of a request',
      description: 'How often a request is tried before the run gives up',
    }),
    timeoutSeconds: z
      .number()
      .positive()
      .default(60)
      .meta({ title: 'Timeout', description: 'Seconds that one answer may take' }),
    maxResponseMiB: z
      .number()
      .positive()
      .default(64)
      .meta({ title: 'Largest answer', description: 'MiB of one answer; a larger one ends the run' }),
    allowInsecure: z
      .boolean()
      .default(false)
      .meta({ title: 'Allow plain http', description: 'Accept a base URL without TLS beyond this machine' }),
  })
  .superRefine(({ baseUrl, allowInsecure, tables }, context) => {
    const problem = urlProblem(baseUrl, allowInsecure)
    if (problem) context.addIssue({ code: 'custom', path: ['baseUrl'], message: problem })
    for (const [name, table] of Object.entries(tables))
      for (const [path, message] of tableProblems(table))
        context.addIssue({ code: 'custom', path: ['tables', name, path], message })
  })

const tableProblems = ({ columns, key, cursor, sinceParameter }: TableConfig): [string, string][] => {
  const problems: [string, string][] = []
  for (const name of key ?? [])
    if (!Object.hasOwn(columns, name)) problems.push(['key', `names ${name}, which is no column`])
  if (cursor !== undefined && !Object.hasOwn(columns, cursor))
    problems.push(['cursor', `names ${cursor}, which is no column`])
  if (cursor !== undefined && ['json', 'boolean'].includes(columns[cursor]?.type ?? ''))
    problems.push(['cursor', 'must be a column that has an order'])
  if ((cursor === undefined) !== (sinceParameter === undefined))
    problems.push(['cursor', 'and sinceParameter belong together'])
  return problems
}

export type HttpConfig = z.output<typeof config>
export type HttpContext = ConnectorContext<HttpConfig, HttpAuthentication>
