import { connect, decimal, defineAuth, defineSource, secret, table } from '@penstock/core'
import { z } from 'zod'

/* Right and wrong uses of the source contract. `tsc` proves both: a wrong use that compiles is an unused directive. */

const row = z.object({ id: z.int(), title: z.string(), at: z.iso.datetime(), price: decimal(10, 2) })

table({
  name: 'ok',
  row,
  key: ['id'],
  cursor: 'at',
  async *read({ since }) {
    const text: string | undefined = since
    yield [{ id: 1, title: text ?? '', at: '2026-01-01T00:00:00Z', price: '1.50' }]
  },
})

async function* noRows() {
  yield []
}
async function* shortRows() {
  yield [{ id: 1 }]
}
async function* mistypedRows() {
  yield [{ id: '1', title: '', at: '', price: '' }]
}
async function* singleRows() {
  yield { id: 1, title: '', at: '', price: '' }
}

// @ts-expect-error a key that is no column
table({ name: 'wrong-key', row, key: ['nope'], read: noRows })
// @ts-expect-error a cursor that is no column
table({ name: 'wrong-cursor', row, cursor: 'nope', read: noRows })
// @ts-expect-error a row that lacks columns
table({ name: 'wrong-row', row, read: shortRows })
// @ts-expect-error a value of another type
table({ name: 'wrong-type', row, read: mistypedRows })
// @ts-expect-error rows instead of pages of rows
table({ name: 'no-pages', row, read: singleRows })

table({
  name: 'since',
  row,
  cursor: 'id',
  async *read({ since }) {
    // @ts-expect-error the type of `since` is the type of the cursor column
    const text: string | undefined = since
    yield text ? [] : []
  },
})

const apiKey = defineAuth({
  id: 'api-key',
  title: 'API key',
  fields: z.object({ key: secret() }),
  resolve: ({ key }) => ({ header: key }),
})
const none = defineAuth({
  id: 'none',
  title: 'None',
  fields: z.object({}),
  resolve: () => ({ header: undefined }),
})

const source = defineSource({
  name: 'example',
  config: z.object({ url: z.url(), token: secret() }),
  auth: [apiKey, none],
  check: async (context) => {
    const url: string = context.config.url
    context.auth.header?.reveal()
    context.config.token.reveal()
    // @ts-expect-error a secret is no text
    const text: string = context.config.token
    // @ts-expect-error no such field
    context.config.nope
    // @ts-expect-error the context is frozen
    context.config = { url, token: text }
  },
  tables: () => [],
})

connect(source, { url: 'https://example.com', token: 't', auth: { method: 'api-key', key: 'k' } })
connect(source, { url: 'https://example.com', token: 't', auth: { method: 'none' } })
// @ts-expect-error a field is missing
connect(source, { token: 't', auth: { method: 'none' } })
// @ts-expect-error an unknown auth method
connect(source, { url: 'https://example.com', token: 't', auth: { method: 'nope' } })
// @ts-expect-error a field of the auth method is missing
connect(source, { url: 'https://example.com', token: 't', auth: { method: 'api-key' } })
// @ts-expect-error auth is missing
connect(source, { url: 'https://example.com', token: 't' })

// @ts-expect-error a source without tables
defineSource({ name: 'no-tables', config: z.object({}), check: async () => {} })
const misspelt = { name: 'typo', config: z.object({}), check: async () => {}, tabels: () => [] }
// @ts-expect-error a misspelt member
defineSource(misspelt)
