import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Predicate, TableSchema } from '@penstock/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPlanner, type Planner, tablesIn } from './planner.ts'

let planner: Planner
beforeAll(async () => {
  planner = await createPlanner(join(mkdtempSync(join(tmpdir(), 'penstock-planner-')), 'plan'))
})
afterAll(() => planner.close())

const int = (bits: 32 | 64) => ({ type: 'int', bits, signed: true }) as const
const orders: TableSchema = {
  columns: (
    [
      ['id', int(64)],
      ['status', { type: 'string' }],
      ['amount', { type: 'decimal', precision: 18, scale: 2 }],
      ['exact', { type: 'decimal', precision: 38, scale: 4 }],
      ['day', { type: 'date' }],
      ['made', { type: 'timestamp', unit: 'us', zoned: false }],
      ['seen', { type: 'timestamp', unit: 'us', zoned: true }],
      ['fine', { type: 'timestamp', unit: 'ns', zoned: false }],
      ['clock', { type: 'time' }],
      ['ratio', { type: 'double' }],
      ['small', { type: 'float' }],
      ['open', { type: 'boolean' }],
      ['uid', { type: 'uuid' }],
      ['raw', { type: 'binary' }],
      ['tags', { type: 'list', element: { type: 'string' } }],
      [
        'buyer',
        {
          type: 'struct',
          fields: [
            { name: 'name', type: { type: 'string' } },
            { name: 'home', type: { type: 'struct', fields: [{ name: 'city', type: { type: 'string' } }] } },
          ],
        },
      ],
    ] as const
  ).map(([name, type]) => ({ name, type, nullable: true })),
}
const customers: TableSchema = { columns: [{ name: 'id', type: int(64), nullable: true }] }

const plan = async (sql: string) => {
  const { needs, enough, unplanned } = await planner.plan({
    sql,
    mounted: [
      { name: ['lake', 'sales', 'orders'], schema: orders },
      { name: ['lake', 'sales', 'customers'], schema: customers },
    ],
    local: [{ name: ['w', 'main', 'local'], schema: customers }],
    searchPath: [
      ['w', 'main'],
      ['lake', 'sales'],
    ],
    signal: new AbortController().signal,
  })
  return { orders: needs[0], customers: needs[1], enough, unplanned }
}
const filterOf = async (condition: string) =>
  (await plan(`SELECT count(*) FROM sales.orders WHERE ${condition}`)).orders?.filter

describe('columns', () => {
  it.each<[string, string[][]]>([
    ['select id from sales.orders', [['id']]],
    ['select count(*) from sales.orders', []],
    ['select lake.sales.orders.id from lake.sales.orders where status = $$x$$', [['id'], ['status']]],
    ['select buyer.name from sales.orders', [['buyer', 'name']]],
    [
      'select buyer.home.city, buyer.name from sales.orders',
      [
        ['buyer', 'home', 'city'],
        ['buyer', 'name'],
      ],
    ],
    ['select buyer, buyer.name from sales.orders', [['buyer']]],
    [
      'select a.id from sales.orders a join sales.orders b on a.id = b.id where b.day > a.day',
      [['id'], ['day']],
    ],
    [
      'select sum(id) over (partition by status order by day) from sales.orders',
      [['id'], ['status'], ['day']],
    ],
    ['select o.id from sales.orders o join local using (id)', [['id']]],
    ['select id, day from sales.orders order by amount desc limit 3', [['id'], ['amount'], ['day']]],
    ['with x as materialized (select * from sales.orders) select id from x', [['id']]],
    [
      'select id from sales.customers where id in (select id from sales.orders where open)',
      [['id'], ['open']],
    ],
  ])('%s', async (sql, columns) => {
    const planned = await plan(sql)
    expect(planned.unplanned).toBeUndefined()
    const order = (paths: readonly (readonly string[])[] = []) =>
      paths.map((path) => path.join('.')).toSorted()
    expect(order(planned.orders?.columns)).toEqual(order(columns))
  })

  it('of a table that no row can come from: none, and no rows', async () => {
    expect((await plan('select * from sales.orders where false')).orders).toEqual({
      columns: [],
      filter: { kind: 'false' },
      scans: 0,
    })
  })

  it('all of them, where there is no plan', async () => {
    const planned = await plan('select nothing_like_it from sales.orders')
    expect(planned.unplanned).toMatch(/nothing_like_it/)
    expect(planned.orders).toMatchObject({ columns: orders.columns.map(({ name }) => [name]) })
    expect(planned.orders?.filter).toBeUndefined()
  })
})

describe('filters', () => {
  it.each<[string, unknown]>([
    ['id > 5', { operator: '>', value: 5n }],
    ['5 >= id', { operator: '<=', value: 5n }],
    ['id = 9007199254740993', { operator: '=', value: 9007199254740993n }],
    ['id = -9223372036854775808', { operator: '=', value: -(2n ** 63n) }],
    ["status = 'it''s'", { operator: '=', value: "it's" }],
    ['amount >= 12.50', { operator: '>=', value: 1250n }],
    ['exact = 12345678901234567890.5', { operator: '=', value: 123456789012345678905000n }],
    ['exact < -0.0001', { operator: '<', value: -1n }],
    ["day = date '1969-12-31'", { operator: '=', value: -1n }],
    ["made > timestamp '2020-01-01 10:00:00.123456'", { operator: '>', value: 1577872800123456n }],
    ["seen < timestamptz '2020-01-01 01:00:00+01'", { operator: '<', value: 1577836800000000n }],
    ["fine = timestamp_ns '2020-01-01 00:00:00.123456789'", { operator: '=', value: 1577836800123456789n }],
    ["clock = time '00:00:01'", { operator: '=', value: 1000000n }],
    ['ratio = 0.1', { operator: '=', value: 0.1 }],
    ["ratio < 'infinity'", { operator: '<', value: Number.POSITIVE_INFINITY }],
    ["ratio >= 'nan'", { operator: '>=', value: Number.NaN }],
    ["uid = 'f79c3e09-677c-4bbd-a479-3f349cb785e7'", { value: 'f79c3e09-677c-4bbd-a479-3f349cb785e7' }],
    ["raw = '\\xAB\\x00a\\x5C'::blob", { value: new Uint8Array([0xab, 0, 97, 92]) }],
    ['open', { column: ['open'], operator: '=', value: true }],
    ['NOT open', { column: ['open'], value: false }],
    ['id <> 3', { operator: '<>', value: 3n }],
    ['id is null', { kind: 'is-null' }],
    ['buyer.home.city = $$x$$', { column: ['buyer', 'home', 'city'], value: 'x' }],
    ['buyer.name is not null', { kind: 'not-null', column: ['buyer', 'name'] }],
    ['status not in ($$a$$, $$b$$)', { kind: 'not-in', values: ['a', 'b'] }],
    ['id in (1, 5, 9)', { kind: 'in', values: [1n, 5n, 9n] }],
    ['starts_with(status, $$ab$$)', { kind: 'starts-with', prefix: 'ab' }],
    ['NOT starts_with(status, $$ab$$)', { kind: 'not-starts-with', prefix: 'ab' }],
    ['year(made) > 2026', { column: ['made'], operator: '>=', value: 1_798_761_600_000_000n }],
    ['extract(year from day) <= 1969', { column: ['day'], operator: '<', value: 0n }],
    ['2026 > year(seen)', { column: ['seen'], operator: '<', value: 1_767_225_600_000_000n }],
    ["made::date = date '1970-01-02'", { column: ['made'], operator: '>=', value: 86_400_000_000n }],
    ["seen::date < date '1970-01-02'", { column: ['seen'], operator: '<', value: 86_400_000_000n }],
    ["date_trunc('day', made) = timestamp '1970-01-02'", { operator: '<', value: 172_800_000_000n }],
    ["date_trunc('month', day) >= date '1970-02-01'", { operator: '>=', value: 31n }],
    ['isnan(ratio)', { kind: 'is-nan', column: ['ratio'] }],
  ])('%s', async (condition, expected) => {
    const filter = await filterOf(condition)
    const parts = filter?.kind === 'and' ? filter.of : [filter]
    expect(parts).toContainEqual(expect.objectContaining(expected as object))
  })

  it('of several columns join by AND, across columns by OR', async () => {
    expect(await filterOf("id = 5 or status = 'x'")).toMatchObject({
      kind: 'or',
      of: [{ column: ['id'] }, { column: ['status'] }],
    })
    expect(await filterOf("id > 5 and status = 'x'")).toMatchObject({ kind: 'and', of: [{}, {}] })
  })

  it.each([
    'lower(status) = $$x$$',
    'id % 2 = 0',
    'length(tags) = 1',
    'small > random()',
    'id = 5 or lower(status) = $$x$$',
  ])('%s: nothing is known', async (condition) => {
    const filter = await filterOf(condition)
    expect(filter?.kind ?? 'true').toBe('true')
  })

  it('of years and days that are between, among, and not', async () => {
    const year = (made: Predicate | undefined) =>
      JSON.stringify(made, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
    expect(await filterOf('year(day) between 1970 and 1971')).toMatchObject({
      kind: 'and',
      of: [
        { operator: '>=', value: 0n },
        { operator: '<', value: 730n },
      ],
    })
    expect(year(await filterOf('year(day) in (1970, 1972)'))).toContain('730')
    expect(await filterOf('year(day) <> 1970')).toMatchObject({
      kind: 'or',
      of: [
        { operator: '<', value: 0n },
        { operator: '>=', value: 365n },
      ],
    })
    expect((await filterOf('year(day) = 200000'))?.kind ?? 'true').toBe('true')
    expect((await filterOf('month(day) = 3'))?.kind ?? 'true').toBe('true')
  })

  it('what is unknown inside of NOT makes nothing stronger', async () => {
    expect((await filterOf('not (id = 5 and lower(status) = $$x$$)'))?.kind ?? 'true').toBe('true')
  })

  it('of two scans of one table join by OR, and one without a filter ends both', async () => {
    const two = await plan(
      "select 1 from sales.orders a, sales.orders b where a.id = b.id and a.status = 'x' and b.day = '2020-01-01'",
    )
    expect(two.orders).toMatchObject({ scans: 2, filter: { kind: 'or' } })
    const one = await plan(
      "select 1 from sales.orders a, sales.orders b where a.id = b.id and a.status = 'x'",
    )
    expect(one.orders?.filter).toBeUndefined()
  })
})

describe('limits', () => {
  it.each<[string, number | undefined]>([
    ['select * from sales.orders limit 5', 5],
    ['select id + 1 from sales.orders limit 5 offset 3', 8],
    ['select * from sales.orders where id > 3 limit 5', undefined],
    ['select * from sales.orders where lower(status) = $$x$$ limit 5', undefined],
    ['select distinct status from sales.orders limit 5', undefined],
    ['select * from sales.orders order by id limit 5', undefined],
    ['select * from sales.orders o join local using (id) limit 5', undefined],
    ['select * from (from sales.orders limit 7) where id > 3', 7],
    ['(select id from sales.orders limit 3) union all (select id from sales.orders)', undefined],
    ['select * from sales.orders limit 10%', undefined],
  ])('%s', async (sql, limit) => {
    const { orders: needs, unplanned } = await plan(sql)
    expect(unplanned).toBeUndefined()
    expect(needs?.limit).toBe(limit)
    if (sql.includes('limit 7')) expect(needs?.filter).toBeUndefined()
  })
})

it.each<[string, true | undefined]>([
  ['select min(id), max(day), count(*) from sales.orders', true],
  ['select max(id) + 1 from sales.orders', true],
  ['select sum(id), max(id) from sales.orders', undefined],
  ['select count(id) from sales.orders', undefined],
  ['select max(id) from sales.orders where id < 5', undefined],
  ['select max(id) from sales.orders where lower(status) = $$x$$', undefined],
  ['select max(id) filter (id < 5) from sales.orders', undefined],
  ['select max(id + 1) from sales.orders', undefined],
  ['select max(id) from sales.orders group by status', undefined],
  ['select max(id) from (from sales.orders limit 7)', undefined],
  ['select max(id), (select min(id) from sales.orders) from sales.orders', undefined],
])('smallest and largest values alone: %s', async (sql, extremes) => {
  expect((await plan(sql)).orders?.extremes).toBe(extremes)
})

describe('rows that are enough', () => {
  it.each<[string, number | undefined]>([
    ['select * from sales.orders where lower(status) = $$x$$ limit 5', 5],
    ['select id + 1 from sales.orders where id > 3 limit 5 offset 3', 5],
    ['select * from sales.orders where id > 3', undefined],
    ['select count(*) from (select * from sales.orders where id > 3 limit 5)', undefined],
    ['select * from (select * from sales.orders where id > 3 limit 5) where status = $$x$$', undefined],
    ['select * from sales.orders where id > 3 order by id limit 5', undefined],
    ['select distinct status from sales.orders where id > 3 limit 5', undefined],
    ['select * from sales.orders o join local using (id) limit 5', undefined],
    ['select unnest(tags) from sales.orders where id > 3 limit 5', undefined],
    ['select sum(id) over () from sales.orders where id > 3 limit 5', undefined],
  ])('%s', async (sql, enough) => {
    expect((await plan(sql)).enough).toBe(enough)
  })
})

describe('a statement', () => {
  let connection: DuckDBConnection
  beforeAll(async () => {
    const instance = await DuckDBInstance.create(':memory:')
    connection = await instance.connect()
    // What a database brings along has no part in it.
    await connection.run('CREATE MACRO json_serialize_sql(sql) AS $${"statements": [{}]}$$')
    return () => {
      connection.disconnectSync()
      instance.closeSync()
    }
  })
  const names = (sql: string) => tablesIn(connection, sql)

  it('tells the tables that it names, once each', async () => {
    const found = await names(
      'with x as (from a.b) select (select max(y) from "C d"."e.f") from x join a.b on true, local, k.l.m',
    )
    expect(found).toHaveLength(5)
    expect(found).toEqual(
      expect.arrayContaining([
        { catalog: '', schema: 'a', table: 'b' },
        { catalog: '', schema: '', table: 'local' },
        { catalog: '', schema: '', table: 'x' },
        { catalog: 'k', schema: 'l', table: 'm' },
        { catalog: '', schema: 'C d', table: 'e.f' },
      ]),
    )
  })

  it.each([
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "from glob('/*')",
    "from query('select 1')",
    "select * from json_execute_serialized_sql('{}')",
    "from '/etc/passwd'",
    "from 'x.parquet'",
    'select 1; select 2',
    '',
    "copy (select 1) to '/tmp/x'",
    "attach '/tmp/x.duckdb'",
    'install httpfs',
    'load httpfs',
    'pragma version',
    'set threads = 1',
    'drop table local',
    'update local set id = 1',
    'explain analyze select 1',
    'call force_checkpoint()',
    'export database $$/tmp/x$$',
  ])('is refused: %s', async (sql) => {
    await expect(names(sql)).rejects.toMatchObject({ kind: 'config' })
  })
})
