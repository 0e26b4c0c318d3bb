import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineAuth } from './auth.ts'
import { connect, connectUnknown, withContext } from './connection.ts'
import { ConnectorError, toConnectorError } from './errors.ts'
import { hivePartitions } from './files.ts'
import { detectFormat, fileStem } from './format.ts'
import { decimal, schemaFromRow } from './row-schema.ts'
import { createSecret, isSecretSchema, revealAll, secret } from './secret.ts'
import { defineSource } from './source.ts'
import { describeType } from './types.ts'

test('wrong uses of the contract do not compile, right ones do', () => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  expect(() => execFileSync('tsc', ['-p', 'tsconfig.json'], { cwd: root, stdio: 'pipe' })).not.toThrow()
})

test('a secret shows its text nowhere but in reveal()', () => {
  const value = createSecret('hunter2')
  const shown = [
    String(value),
    `${value}`,
    JSON.stringify({ value }),
    inspect({ value }, { showHidden: true, depth: 5 }),
  ]
  expect(shown.join()).not.toContain('hunter2')
  expect(value.reveal()).toBe('hunter2')
  expect(revealAll({ a: [{ b: value }], c: 'open' })).toEqual(['hunter2'])
})

test('secret fields are known from the schema, also optional and described ones', () => {
  expect(isSecretSchema(secret().describe('x'))).toBe(true)
  expect(isSecretSchema(secret().optional())).toBe(true)
  expect(isSecretSchema(z.string())).toBe(false)
  expect(
    JSON.stringify(z.toJSONSchema(z.object({ token: secret().describe('T') }), { io: 'input' })),
  ).toContain('"writeOnly":true')
})

test.each([
  ['a/b.csv', { type: 'csv', compression: 'none' }, 'b'],
  ['a/b.CSV.GZ', { type: 'csv', compression: 'gzip' }, 'b'],
  ['b.tsv.zst', { type: 'csv', delimiter: '\t', compression: 'zstd' }, 'b'],
  ['x.2024.jsonl', { type: 'ndjson', compression: 'none' }, 'x.2024'],
  ['orders/part-0.parquet', { type: 'parquet', compression: 'none' }, 'part-0'],
  ['noextension', undefined, 'noextension'],
  ['a/.csv', { type: 'csv', compression: 'none' }, '.csv'],
  ['data.gz', undefined, 'data'],
  ['folder/', undefined, 'folder'],
])('%s is %o and becomes table %s', (key, format, stem) => {
  expect(detectFormat(key)).toEqual(format)
  expect(fileStem(key)).toBe(stem)
})

test('hive partitions are decoded, and null is null', () => {
  expect(hivePartitions('t/day=2024-01-01/who=a%20b=c/n=__HIVE_DEFAULT_PARTITION__/f=1.csv')).toEqual({
    day: '2024-01-01',
    who: 'a b=c',
    n: null,
  })
  expect(hivePartitions('t/bad=%zz/f')).toEqual({ bad: '%zz' })
})

test('a row schema becomes typed columns', () => {
  const row = z.object({
    id: z.int(),
    big: z.bigint(),
    price: decimal(10, 2),
    ratio: z.number().nullable(),
    at: z.iso.datetime(),
    day: z.iso.date().optional(),
    tags: z.array(z.string()),
    state: z.enum(['a', 'b']),
  })
  const columns = schemaFromRow(row).columns.map(
    (column) => `${column.name} ${describeType(column.type)}${column.nullable ? '?' : ''}`,
  )
  expect(columns).toEqual([
    'id bigint',
    'big bigint',
    'price decimal(10,2)',
    'ratio double?',
    'at timestamp with time zone',
    'day date?',
    'tags json',
    'state text',
  ])
})

const source = defineSource({
  name: 'example',
  config: z.strictObject({ url: z.url(), token: secret() }),
  auth: [
    defineAuth({
      id: 'key',
      title: 'Key',
      fields: z.strictObject({ key: secret() }),
      resolve: ({ key }) => key.reveal(),
    }),
  ],
  check: async () => {},
  tables: () => [],
})

test('an invalid configuration names each field and no value', () => {
  const attempt = () =>
    connectUnknown(source, { url: 'TOPSECRET', tokn: 'TOPSECRET', auth: { method: 'key' } })
  expect(attempt).toThrow(/url: .*token: .*tokn/s)
  expect(attempt).not.toThrow(/TOPSECRET/)
  expect(() => connectUnknown(source, { url: 'https://x', token: 't', auth: { method: 'kye' } })).toThrow(
    /Unknown auth method "kye"/,
  )
})

test('a context is resolved, and cleaned up in reverse order also after a failure', async () => {
  const connection = connect(source, {
    url: 'https://example.com',
    token: 't',
    auth: { method: 'key', key: 'k' },
  })
  const order: string[] = []
  const use = withContext(connection, async (context) => {
    expect(context.auth).toBe('k')
    context.defer(() => void order.push('first'))
    context.defer(async () => void order.push('second'))
    throw new Error('boom')
  })
  await expect(use).rejects.toThrow('boom')
  expect(order).toEqual(['second', 'first'])
  expect(connection.secrets().toSorted()).toEqual(['k', 't'])
  expect(JSON.stringify(connection)).not.toContain('"t"')
})

test('errors are recognised across copies of the package, aborts are cancellations', () => {
  const foreign = { [Symbol.for('penstock.ConnectorError')]: true, kind: 'data', message: 'x' }
  expect(ConnectorError.isInstance(foreign)).toBe(true)
  expect(ConnectorError.isInstance(new Error('x'))).toBe(false)
  expect(toConnectorError(AbortSignal.abort().reason).kind).toBe('cancelled')
  expect(toConnectorError('x').kind).toBe('internal')
})
