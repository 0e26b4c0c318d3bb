import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { selectTables } from '../src/select.ts'
import { selection } from '../src/selection.ts'
import { listLevel } from '../src/tables.ts'
import { failure, type Lake, openLake } from './lake.ts'

let lake: Lake & AsyncDisposable

beforeAll(async () => {
  lake = await openLake('sales')
  await lake.put(
    { key: 'README', body: 'text' },
    { key: 'customers.csv', body: 'id\n1\n' },
    { key: 'empty/', body: '' },
    { key: 'events/1.ndjson', body: '{}' },
    { key: 'events/2.ndjson', body: '{}' },
    { key: 'frozen.parquet', storageClass: 'GLACIER' },
    { key: 'mixed/a.csv', storageClass: 'GLACIER' },
    'mixed/b/c.json',
    'mixed/notes',
    'orders/2024/a.csv.gz',
    'orders/2025/b.csv.gz',
    'orders/2025/c.csv.gz',
    { key: 'orders/_SUCCESS', body: '' },
    'orders.csv',
    'unknown/x',
    'z😀/a.csv',
  )
})
afterAll(() => lake[Symbol.asyncDispose]())
beforeEach(() => lake.aws.log.clear())

describe('what can be extracted', () => {
  it('is told for the top level in one listing', async () => {
    expect(await lake.tables()).toEqual([
      {
        name: 'README',
        description: 'file type not known from its name: say it with --format',
        selection: { object: 'README' },
        objects: 1,
        bytes: 4,
      },
      { name: 'customers', selection: { object: 'customers.csv' }, format: 'csv', objects: 1, bytes: 5 },
      { name: 'empty', description: 'no objects', objects: 0, bytes: 0 },
      { name: 'events', selection: { folder: 'events/' }, format: 'ndjson', objects: 2, bytes: 4 },
      {
        name: 'frozen',
        description: 'archived (GLACIER): restore it first',
        selection: { object: 'frozen.parquet' },
        format: 'parquet',
        objects: 1,
        bytes: 4,
      },
      {
        name: 'mixed',
        description:
          'file types csv, json: choose one with --glob or --exclude; type of 1 not known from the name: say --format, or leave out with --exclude; 1 archived',
        selection: { folder: 'mixed/' },
        format: 'mixed',
        objects: 3,
        bytes: 12,
      },
      { name: 'orders', selection: { object: 'orders.csv' }, format: 'csv', objects: 1, bytes: 4 },
      { name: 'orders', selection: { folder: 'orders/' }, format: 'csv.gz', objects: 3, bytes: 12 },
      {
        name: 'unknown',
        description: 'type not known from the name: say --format, or leave out with --exclude',
        selection: { folder: 'unknown/' },
        objects: 1,
        bytes: 4,
      },
      { name: 'z😀', selection: { folder: 'z😀/' }, format: 'csv', objects: 1, bytes: 4 },
    ])
    expect(lake.requests()).toEqual(['ListObjectsV2'])
  })

  it.each([
    ['orders/', ['orders/2024/', 'orders/2025/']],
    ['s3://sales/orders/', ['orders/2024/', 'orders/2025/']],
    ['orders', ['orders.csv', 'orders/']],
    ['nothing/', []],
  ])('is told below %s', async (prefix, expected) => {
    const found = await lake.tables(prefix)
    expect(found.map(({ selection: { object, folder } = {} }) => object ?? folder)).toEqual(expected)
  })

  it('can be selected as it is told', async () => {
    await lake.use(async (context) => {
      for await (const { name, selection: chosen, format } of listLevel(context, {})) {
        if (!chosen || !format || format === 'mixed' || name === 'frozen') continue
        const tables = await selectTables(context, selection.parse(chosen))
        expect(tables.map((table) => table.name)).toEqual([name])
      }
    })
  })

  it('is told within the prefix of a confined connection', async () => {
    const found = await lake.tables(undefined, { prefix: 'orders' })
    expect(found.map(({ name }) => name)).toEqual(['2024', '2025'])
    expect(await lake.tables('orders', { prefix: 'orders' })).toEqual(found)
    expect(await failure(lake.tables('events/', { prefix: 'orders' }))).toMatchObject({
      code: 'OutsidePrefix',
    })
  })
})

describe('limits of counting', () => {
  const level = (limits: { folder: number; level: number }) =>
    lake.use(async (context) => {
      const found = await Array.fromAsync(listLevel(context, { prefix: '' }, limits))
      return found
        .filter(({ selection: { folder } = {} }) => folder)
        .map(({ name, objects, description }) => [name, objects ?? description?.split(';')[0]])
    })

  it('tell a folder that has more as such, and go on behind it', async () => {
    expect(await level({ folder: 2, level: 100 })).toEqual([
      ['events', 2],
      ['mixed', '2+ objects'],
      ['orders', '2+ objects'],
      ['unknown', 1],
      ['z😀', 1],
    ])
    expect(lake.requests()).toHaveLength(3)
  })

  it('leave the folders behind them uncounted, and name them all the same', async () => {
    expect(await level({ folder: 100, level: 5 })).toEqual([
      ['events', 2],
      ['mixed', 3],
      ['orders', 'not counted'],
      ['unknown', 'not counted'],
      ['z😀', 'not counted'],
    ])
    expect(lake.requests()).toHaveLength(2)
  })
})
