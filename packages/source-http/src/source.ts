import {
  type Connection,
  type ConnectionInput,
  connect,
  defineSource,
  type RowTable,
  table,
} from '@penstock/core'
import { z } from 'zod'
import { httpAuthMethods } from './auth.ts'
import { createClient, type HttpClient } from './client.ts'
import { columnSchema, columnValue } from './columns.ts'
import { config, type HttpContext, type TableConfig } from './config.ts'
import { atPath, plainJson } from './json.ts'
import { readRecords } from './paging.ts'

/** Paged JSON of an HTTP service as tables, with the digits that the service sent. */
export const sourceHttp = defineSource({
  name: 'source-http',
  title: 'HTTP service with JSON',
  description: 'Tables from paged JSON answers: REST services with keys, tokens or OAuth 2',
  config,
  auth: httpAuthMethods,
  async check(context) {
    const { baseUrl, checkPath, tables } = context.config
    const client = createClient(context)
    const first = Object.values(tables)[0]
    if (checkPath !== undefined) {
      const url = `${baseUrl.replace(/\/+$/, '')}/${checkPath.replace(/^\/+/, '')}`
      await client.get(url, context.signal)
    } else if (first) {
      const options = { baseUrl, table: first, query: {}, signal: context.signal }
      for await (const _ of readRecords(client, options)) break
    }
  },
  tables(context) {
    const client = createClient(context)
    return Object.entries(context.config.tables).map(([name, given]) =>
      httpTable(context, client, name, given),
    )
  },
})

const httpTable = (context: HttpContext, client: HttpClient, name: string, given: TableConfig): RowTable => {
  const { columns, key, cursor, sinceParameter } = given
  const row = z.object(
    Object.fromEntries(
      Object.entries(columns).map(([column, { type }]) => [
        column,
        columnSchema(type, {
          required: column === cursor || (key?.includes(column) ?? false),
          cursor: column === cursor,
        }),
      ]),
    ),
  )
  return table({
    name,
    row,
    ...(key && { key }),
    ...(cursor !== undefined && { cursor }),
    async *read({ since, signal }) {
      const query: Record<string, string> =
        since === undefined || sinceParameter === undefined ? {} : { [sinceParameter]: String(since) }
      const options = { baseUrl: context.config.baseUrl, table: given, query, signal }
      for await (const records of readRecords(client, options))
        yield records.map((record) => rowOf(record, given))
    },
  })
}

const rowOf = (record: unknown, { columns }: TableConfig): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { type, path }]) => {
      const value = atPath(record, path ?? name)
      return [name, type === 'json' ? plainJson(value) : columnValue(value, type)]
    }),
  )

export type HttpConnectionInput = ConnectionInput<typeof sourceHttp>

/** A connection to a service, for `extract({ source: http({ baseUrl, tables, auth }), ... })`. Throws `config` errors. */
export const http = (
  input: HttpConnectionInput,
  options: { readonly name?: string } = {},
): Connection<typeof sourceHttp> => connect(sourceHttp, input, options)
