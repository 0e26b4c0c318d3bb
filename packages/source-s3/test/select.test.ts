import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { selectTables } from '../src/select.ts'
import { selection } from '../src/selection.ts'
import { failure, type Lake, openLake } from './lake.ts'

let lake: Lake & AsyncDisposable

beforeAll(async () => {
  lake = await openLake('sales')
  await lake.put(
    'crm/customers.csv',
    'crm/regions.csv.gz',
    { key: 'shop/', body: '' },
    'shop/orders/',
    { key: 'shop/orders/year=2024/month=01/a.csv', lastModified: new Date('2024-02-01T00:00:00Z') },
    { key: 'shop/orders/year=2024/month=02/b.csv', lastModified: new Date('2024-03-01T00:00:00Z') },
    {
      key: 'shop/orders/year=2025/month=__HIVE_DEFAULT_PARTITION__/c.csv.zst',
      lastModified: new Date('2025-01-01'),
    },
    { key: 'shop/orders/_SUCCESS', body: '' },
    'shop/orders/top.csv',
    'exports/orders/1.csv',
    'exports/orders/2.csv',
    'exports/payments/1.parquet',
    'exports/readme.csv',
    'mixed/a.csv',
    'mixed/b.tsv',
    'mixed/c.json',
    'mixed/notes',
  )
})
afterAll(() => lake[Symbol.asyncDispose]())
beforeEach(() => lake.aws.log.clear())

const namesAndKeys = async (input: Record<string, unknown>, fields?: Parameters<Lake['select']>[1]) =>
  Object.fromEntries((await lake.select(input, fields)).map(({ name, keys }) => [name, keys]))

describe('objects', () => {
  it('become a table each, named after the file', async () => {
    expect(await namesAndKeys({ object: ['crm/regions.csv.gz', 'crm/customers.csv'] })).toEqual({
      customers: ['crm/customers.csv'],
      regions: ['crm/regions.csv.gz'],
    })
  })

  it('become one table under one name', async () => {
    const objects = ['exports/orders/2.csv', 'exports/orders/1.csv']
    expect(await namesAndKeys({ object: objects, table: 'orders' })).toEqual({ orders: objects.toReversed() })
  })

  it('take their names from a template', async () => {
    expect(await namesAndKeys({ object: 'exports/orders/2.csv', table: '{folder}_{file}' })).toEqual({
      orders_2: ['exports/orders/2.csv'],
    })
  })

  it('may be given as URLs of the bucket', async () => {
    expect(await namesAndKeys({ object: 's3://sales/crm/customers.csv' })).toEqual({
      customers: ['crm/customers.csv'],
    })
    expect(await failure(lake.select({ object: 's3://other/crm/customers.csv' }))).toMatchObject({
      kind: 'config',
      code: 'OtherBucket',
    })
  })

  it('of one name are refused, both named', async () => {
    const error = await failure(
      lake.select({ object: ['exports/orders/1.csv', 'exports/payments/1.parquet'] }),
    )
    expect(error).toMatchObject({ kind: 'config', code: 'SameTableName' })
    expect(error.message).toContain('"exports/orders/1.csv" and "exports/payments/1.parquet"')
  })

  it.each([
    ['crm/customer.csv', 'Did you mean "crm/customers.csv"?'],
    ['crm/CUSTOMERS.csv', 'Did you mean "crm/customers.csv"?'],
    ['cmr/customers.csv', 'Did you mean "crm/"?'],
    ['shop/orders', '--folder shop/orders/'],
    ['/crm/customers.csv', 'Keys begin without a slash: try "crm/customers.csv".'],
  ])('that is missing: %s', async (object, hint) => {
    const error = await failure(lake.select({ object }))
    expect(error).toMatchObject({ kind: 'not-found', code: 'NoSuchKey', place: { object } })
    expect(error.message).toContain(JSON.stringify(object))
    expect(error.hint).toContain(hint)
  })

  it('have no partitions', async () => {
    const [table] = await lake.select({ object: 'shop/orders/year=2024/month=01/a.csv' })
    expect(table?.table.constants).toBeUndefined()
  })

  it('of a bucket that is not there', async () => {
    const error = await failure(lake.select({ object: 'a.csv' }, { bucket: 'elsewhere' }))
    expect(error).toMatchObject({ kind: 'not-found', code: 'NoSuchBucket' })
  })
})

describe('what an export writes beside its files', () => {
  it('is no data', async () => {
    const beside = ['.penstock/nightly/state.json', 'manifest-nightly-20260418-093000-5f3a9c.json']
    await lake.put('partner/a.csv', 'partner/manifest-own.json', ...beside.map((key) => `partner/${key}`))
    const [table] = await lake.select({ folder: 'partner', exclude: 'manifest-own.json' })
    expect(table?.keys).toEqual(['partner/a.csv'])
    expect((await lake.tables('partner/')).map(({ name }) => name)).toEqual(['a', 'manifest-own'])
    for (const key of ['a.csv', 'manifest-own.json', ...beside])
      lake.aws.s3.deleteObject('sales', `partner/${key}`)
  })
})

describe('a folder', () => {
  const orders = [
    'shop/orders/top.csv',
    'shop/orders/year=2024/month=01/a.csv',
    'shop/orders/year=2024/month=02/b.csv',
    'shop/orders/year=2025/month=__HIVE_DEFAULT_PARTITION__/c.csv.zst',
  ]

  it.each(['shop/orders', 'shop/orders/', 's3://sales/shop/orders'])(
    'becomes one table named after it, without markers: %s',
    async (folder) => {
      await lake.aws.s3.putObject({ bucket: 'sales', key: 'shop/orders/', body: '' })
      expect(await namesAndKeys({ folder })).toEqual({ orders })
    },
  )

  it('is listed once, also when there is something', async () => {
    await lake.select({ folder: 'shop/orders' })
    expect(lake.requests()).toEqual(['ListObjectsV2'])
  })

  it('is listed anew by every further listing', async () => {
    await lake.use(async (context) => {
      const [table] = await selectTables(context, selection.parse({ folder: 'new/', allowEmpty: true }))
      if (!table) throw new Error('There is one')
      const count = async () => (await Array.fromAsync(table.list({ signal: context.signal }))).flat().length
      expect(await count()).toBe(0)
      await lake.put('new/a.csv')
      expect(await count()).toBe(1)
      lake.aws.s3.deleteObject('sales', 'new/a.csv')
    })
  })

  it('may leave out what is deeper', async () => {
    expect(await namesAndKeys({ folder: 'shop/orders', recursive: false })).toEqual({
      orders: ['shop/orders/top.csv'],
    })
  })

  it('gives its partitions as columns, below the folder alone', async () => {
    const constants = async (input: Record<string, unknown>) => {
      const [selected] = await lake.select({ exclude: 'top.csv', ...input })
      return selected?.entries.map((entry) => selected.table.constants?.(entry))
    }
    expect(await constants({ folder: 'shop/orders' })).toEqual([
      { year: '2024', month: '01' },
      { year: '2024', month: '02' },
      { year: '2025', month: null },
    ])
    expect(await constants({ folder: 'shop/orders/year=2024' })).toEqual([{ month: '01' }, { month: '02' }])
    expect(await constants({ folder: 'shop/orders', partitions: false })).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it.each([
    [{ exclude: '*.zst' }, [0, 1, 2]],
    [{ exclude: ['shop/orders/year=2024/**', '[ct]*'] }, []],
    [{ pattern: 'month=0[12]' }, [1, 2]],
    [{ modifiedAfter: '2024-03-01', modifiedBefore: '2024-12-31T00:00:00+01:00' }, [2]],
    [{ maxObjects: 2 }, [0, 1]],
  ])('narrowed by %j', async (narrowing, expected) => {
    const tables = await lake.select({ folder: 'shop/orders', allowEmpty: true, ...narrowing })
    expect(tables[0]?.keys).toEqual(expected.map((index) => orders[index]))
  })

  it('may be the whole bucket', async () => {
    const [table] = await lake.select({ folder: '/', exclude: ['mixed/**', '*.parquet'] })
    expect(table?.name).toBe('sales')
    expect(table?.keys).toHaveLength(9)
  })

  it.each([
    [{ folder: 'shop/order' }, 'Did you mean "shop/orders/"?'],
    [{ folder: 'crm/customers.csv' }, '--object "crm/customers.csv"'],
    [{ folder: 'shop/orders', exclude: '*' }, 'none of them matches'],
    [{ folder: '/shop' }, 'Keys begin without a slash: try "shop/"'],
    [{ glob: 'exports/(1).csv' }, 'write \\( and \\)'],
  ])('with nothing in it: %j', async (input, hint) => {
    const error = await failure(lake.select(input))
    expect(error).toMatchObject({ kind: 'not-found', code: 'NothingMatches' })
    expect(error.hint).toContain(hint)
    const tables = await lake.select({ ...input, allowEmpty: true })
    expect(tables.map(({ keys }) => keys)).toEqual([[]])
  })
})

describe('file types', () => {
  it.each([
    [
      { folder: 'mixed', exclude: ['c.*', 'notes'] },
      'data',
      'MixedFormats',
      '"mixed/b.tsv" is tsv, and "mixed/a.csv"',
    ],
    [{ folder: 'mixed', exclude: ['b.*', 'notes'] }, 'data', 'MixedFormats', '"mixed/c.json" is json'],
    [{ folder: 'mixed', exclude: ['b.*', 'c.*'] }, 'config', 'UnknownFormat', '"mixed/notes" is not known'],
    [{ folder: 'exports/payments', delimiter: ';' }, 'config', 'NotCsv', 'delimiter go with CSV alone'],
    [{ glob: 'mixed/*', table: '{file}', header: true }, 'config', 'NotCsv', '"mixed/c.json" is json'],
  ])('%j', async (input, kind, code, message) => {
    const error = await failure(lake.select(input))
    expect(error).toMatchObject({ kind, code })
    expect(error.message).toContain(message)
    expect(error.hint).toMatch(/--(exclude|format)/)
  })

  it('are what the user says', async () => {
    const [table] = await lake.select({ folder: 'mixed', format: 'csv', delimiter: '\\t', header: false })
    expect(table?.keys).toHaveLength(4)
    expect(table?.entries.map((entry) => table.table.format(entry))).toEqual(
      Array(4).fill({ type: 'csv', compression: 'none', delimiter: '\t', header: false }),
    )
  })

  it.each([
    [{ object: 'crm/regions.csv.gz' }, { type: 'csv', compression: 'gzip' }],
    [
      { object: 'crm/regions.csv.gz', compression: 'none' },
      { type: 'csv', compression: 'none' },
    ],
    [
      { object: 'crm/regions.csv.gz', format: 'ndjson' },
      { type: 'ndjson', compression: 'gzip' },
    ],
    [
      { object: 'crm/regions.csv.gz', format: 'parquet' },
      { type: 'parquet', compression: 'none' },
    ],
    [{ object: 'mixed/b.tsv' }, { type: 'csv', delimiter: '\t', compression: 'none' }],
    [
      { object: 'mixed/b.tsv', delimiter: ';' },
      { type: 'csv', delimiter: ';', compression: 'none' },
    ],
    [
      { object: 'mixed/notes', format: 'tsv' },
      { type: 'csv', delimiter: '\t', compression: 'none' },
    ],
  ])('%j: %j', async (input, format) => {
    const [selected] = await lake.select(input)
    expect(selected?.entries.map((entry) => selected.table.format(entry))).toEqual([format])
  })
})

describe('a glob', () => {
  it.each([
    [{ glob: 'exports/orders/*.csv' }, { orders: ['exports/orders/1.csv', 'exports/orders/2.csv'] }],
    [{ glob: 'exports/orders/[!1].csv', table: 'rest' }, { rest: ['exports/orders/2.csv'] }],
    [
      { glob: 'exports/(*)/*', table: 'raw_{1}' },
      {
        raw_orders: ['exports/orders/1.csv', 'exports/orders/2.csv'],
        raw_payments: ['exports/payments/1.parquet'],
      },
    ],
    [
      { glob: 'exports/**', pattern: '^exports/(?<kind>[a-z]+)/(\\d)', table: '{kind}{2}' },
      {
        orders1: ['exports/orders/1.csv'],
        orders2: ['exports/orders/2.csv'],
        payments1: ['exports/payments/1.parquet'],
      },
    ],
    [
      { folder: 'exports', table: '{folder}', exclude: 'readme.csv', maxObjects: 1 },
      { orders: ['exports/orders/1.csv'], payments: ['exports/payments/1.parquet'] },
    ],
  ])('%j', async (input, expected) => {
    expect(await namesAndKeys(input)).toEqual(expected)
    expect(lake.requests()).toEqual(['ListObjectsV2'])
  })

  it('of one level lists no deeper', async () => {
    await lake.select({ glob: 'exports/*.csv' })
    expect(lake.aws.log.entries().map((entry) => entry.bytesSent < 1000)).toEqual([true])
  })

  it('without a fixed folder needs a name', async () => {
    expect(await failure(lake.select({ glob: '*/customers.csv' }))).toMatchObject({
      kind: 'config',
      code: 'NoTableName',
    })
    expect(await namesAndKeys({ glob: '*/customers.csv', table: 'all' })).toEqual({
      all: ['crm/customers.csv'],
    })
  })

  it('names what fills no placeholder, before anything is sent', async () => {
    const error = await failure(lake.select({ glob: 'exports/(*)/*.csv', table: '{2}' }))
    expect(error).toMatchObject({ kind: 'config', code: 'UnknownPlaceholder' })
    expect(lake.requests()).toEqual([])
  })

  it('refuses table names that differ by case alone', async () => {
    await lake.put('case/Orders/1.csv', 'case/orders/1.csv')
    const error = await failure(lake.select({ glob: 'case/(*)/*', table: '{1}' }))
    expect(error).toMatchObject({ kind: 'config', code: 'SameTableName' })
  })

  it('that gives an empty name for a key says which', async () => {
    await lake.put('empty//1.csv')
    const error = await failure(lake.select({ glob: 'empty/(*)/*', table: '{1}' }))
    expect(error).toMatchObject({ kind: 'config', place: { object: 'empty//1.csv' } })
  })
})

describe('archived objects', () => {
  beforeAll(() =>
    lake.put(
      'old/a.csv',
      { key: 'old/frozen.csv', storageClass: 'DEEP_ARCHIVE' },
      { key: 'old/instant.csv', storageClass: 'GLACIER_IR' },
    ),
  )

  it.each([[{ folder: 'old' }], [{ object: 'old/frozen.csv' }], [{ glob: 'old/(*).csv', table: '{1}' }]])(
    'are named: %j',
    async (input) => {
      const error = await failure(lake.select(input))
      expect(error).toMatchObject({
        kind: 'conflict',
        code: 'ArchivedObject',
        place: { object: 'old/frozen.csv' },
      })
      expect(error.message).toContain('DEEP_ARCHIVE')
      expect(error.hint).toContain("--exclude 'frozen.csv'")
    },
  )

  it('may be left out', async () => {
    expect(await namesAndKeys({ folder: 'old', exclude: 'frozen.csv' })).toEqual({
      old: ['old/a.csv', 'old/instant.csv'],
    })
  })

  it('can be read once they are restored', async () => {
    await lake.put({
      key: 'thawed/a.csv',
      storageClass: 'GLACIER',
      headers: { 'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 21 Dec 2035 00:00:00 GMT"' },
    })
    expect(await namesAndKeys({ folder: 'thawed' })).toEqual({ thawed: ['thawed/a.csv'] })
  })
})

describe('a connection that is confined to a prefix', () => {
  const confined = { prefix: 'exports' }

  it.each([
    [{ folder: '/' }, ['exports']],
    [{ glob: '**/1.csv', table: 'ones' }, ['ones']],
    [{ folder: 'exports/orders' }, ['orders']],
  ])('finds what is below: %j', async (input, names) => {
    const tables = await lake.select({ exclude: '*.parquet', ...input }, confined)
    expect(tables.map(({ name }) => name)).toEqual(names)
    for (const { keys } of tables) for (const key of keys) expect(key).toMatch(/^exports\//)
  })

  it.each([
    [{ object: 'crm/customers.csv' }],
    [{ folder: 'crm' }],
    [{ folder: 'export' }],
    [{ glob: 'crm/*' }],
  ])('refuses what lies outside, without a request: %j', async (input) => {
    const error = await failure(lake.select(input, confined))
    expect(error).toMatchObject({ kind: 'config', code: 'OutsidePrefix' })
    expect(lake.requests()).toEqual([])
  })
})

it('looks an entry up again', async () => {
  await lake.put('again/a.csv')
  await lake.use(async (context) => {
    const [table] = await selectTables(context, selection.parse({ folder: 'again' }))
    const { signal } = context
    const [[entry] = []] = (await Array.fromAsync(table?.list({ signal }) ?? [])) ?? []
    if (!table || !entry) throw new Error('There is one')
    await lake.put({ key: 'again/a.csv', body: 'a\n22\n' })
    expect(await table.refresh?.(entry, { signal })).toMatchObject({ key: entry.key, size: 5 })
    lake.aws.s3.deleteObject('sales', entry.key)
    expect(await table.refresh?.(entry, { signal })).toBeUndefined()
  })
})
