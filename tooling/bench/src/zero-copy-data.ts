import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** A table of orders as Parquet, partitioned by day; order numbers grow with the days. */
export interface ZeroCopyData {
  readonly folder: string
  readonly days: readonly string[]
  readonly rows: number
  readonly files: number
  readonly bytes: number
}

export const columns = [
  { name: 'order_id', type: 'bigint' },
  { name: 'customer_id', type: 'bigint' },
  { name: 'created_at', type: 'timestamp' },
  { name: 'amount', type: 'decimal(18,2)' },
  { name: 'status', type: 'string' },
  { name: 'note', type: 'string' },
  { name: 'quantity', type: 'int' },
  { name: 'weight', type: 'double' },
] as const

const fieldIds = columns.map(({ name }, index) => `${name}: ${index + 1}`).join(', ')

const filesPerDay = 4
/** Bytes of such a row as Parquet, about. */
const rowBytes = 62

const rowSql = (first: number, count: number, day: string) => `
  SELECT i AS order_id,
    (hash(i) % 100000)::BIGINT AS customer_id,
    TIMESTAMP '${day}' + to_seconds(i % 86400) AS created_at,
    ((hash(i + 1) % 10000000) / 100)::DECIMAL(18,2) AS amount,
    ['open', 'paid', 'shipped', 'returned'][1 + (hash(i) % 4)::INTEGER] AS status,
    md5(i::VARCHAR) || ' order note' AS note,
    (hash(i + 2) % 50)::INTEGER AS quantity,
    (hash(i + 3) % 1000000) / 7 AS weight
  FROM range(${first}, ${first + count}) rows(i)`

const dayOf = (index: number): string => new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10)

/** Makes the files below `root`, or finds those of an earlier run. */
export const makeZeroCopyData = async (root: string, bytes: number, files: number): Promise<ZeroCopyData> => {
  const dayCount = Math.max(1, Math.round(files / filesPerDay))
  const rowsPerFile = Math.max(1_000, Math.floor(bytes / rowBytes / (dayCount * filesPerDay)))
  const folder = join(root, `orders-2-${bytes}-${files}`)
  const days = Array.from({ length: dayCount }, (_, index) => dayOf(index))
  if (!existsSync(folder)) {
    const unfinished = `${folder}.tmp`
    await rm(unfinished, { recursive: true, force: true })
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    for (const [index, day] of days.entries()) {
      await mkdir(join(unfinished, `day=${day}`), { recursive: true })
      for (let part = 0; part < filesPerDay; part++) {
        const first = (index * filesPerDay + part) * rowsPerFile
        const path = join(unfinished, `day=${day}`, `part-${part}.parquet`)
        await connection.run(
          `COPY (${rowSql(first, rowsPerFile, day)}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 40960, FIELD_IDS {${fieldIds}})`,
        )
      }
    }
    connection.closeSync()
    instance.closeSync()
    await rename(unfinished, folder)
  }
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.parquet'))
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return {
    folder,
    days,
    rows: dayCount * filesPerDay * rowsPerFile,
    files: names.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  }
}

export interface BenchQuery {
  readonly name: string
  /** `{orders}` stands for the table, `{customers}` for a local one. */
  readonly sql: string
  /** Most of the table is not needed. */
  readonly selective: boolean
  /** Whether it runs over the Iceberg table, too: the others cost there what they cost over files. */
  readonly overIceberg: boolean
  /** Folders that hold what it needs, for who downloads whole files. */
  readonly days: readonly string[]
}

/** Ten queries, from a point to everything. */
export const benchQueries = ({ days, rows }: ZeroCopyData): readonly BenchQuery[] => {
  const middle = days[Math.floor(days.length / 2)] as string
  const order = Math.floor(rows * 0.37)
  const week = days.slice(0, 7)
  const all = days
  return [
    {
      name: 'point',
      sql: `select * from {orders} where order_id = ${order}`,
      selective: true,
      overIceberg: true,
      days: all,
    },
    {
      name: 'point in day',
      sql: `select amount from {orders} where day = date '${middle}' and order_id = ${Math.floor(rows / 2) + 17}`,
      selective: true,
      overIceberg: true,
      days: [middle],
    },
    {
      name: 'day sum',
      sql: `select status, sum(amount) from {orders} where day = date '${middle}' group by 1 order by 1`,
      selective: true,
      overIceberg: true,
      days: [middle],
    },
    {
      name: 'week count',
      sql: `select count(*), sum(quantity) from {orders} where day between date '${week[0]}' and date '${week.at(-1)}'`,
      selective: true,
      overIceberg: true,
      days: week,
    },
    { name: 'count', sql: 'select count(*) from {orders}', selective: true, overIceberg: true, days: all },
    {
      name: 'limit',
      sql: 'select order_id > 0 from {orders} limit 10',
      selective: true,
      overIceberg: true,
      days: all,
    },
    {
      name: 'customer',
      sql: 'select count(*), sum(amount) from {orders} where customer_id = 77',
      selective: false,
      overIceberg: false,
      days: all,
    },
    {
      name: 'top',
      sql: 'select order_id, amount from {orders} order by amount desc, order_id limit 10',
      selective: false,
      overIceberg: false,
      days: all,
    },
    {
      name: 'join',
      sql: 'select region, sum(amount) from {orders} join {customers} using (customer_id) group by 1 order by 1',
      selective: false,
      overIceberg: false,
      days: all,
    },
    {
      name: 'full scan',
      sql: 'select count(note), min(note), sum(amount), sum(weight) > 0, max(created_at)::varchar, sum(quantity), min(status), max(customer_id) from {orders}',
      selective: false,
      overIceberg: true,
      days: all,
    },
  ]
}

/** A local table to join with. */
export const customersSql =
  "create table customers as select i as customer_id, 'region ' || (i % 7) as region from range(100000) t(i)"
