import type {
  LogicalType,
  Mount,
  QueryColumn,
  TableEngine,
  TableVersion,
  ZeroCopyTable,
} from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import {
  type FixtureRow,
  type FixtureValue,
  type FixtureVersion,
  icebergFixture,
  icebergFixtures,
} from '@penstock/iceberg-fixtures'
import { type OpenMounts, openMounts, query } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type IcebergLake, openIcebergLake } from '../src/iceberg-lake.ts'

let lake: IcebergLake
let engine: TableEngine
beforeAll(async () => {
  lake = await openIcebergLake()
  engine = await duckdb(':memory:')
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const run = async (sql: string, at?: TableVersion) => {
  const { result, receipt } = await query({ sql, connections: [lake.connection()], engine, at })
  const rows: unknown[][] = []
  for await (const page of result.rows()) rows.push(...page.map((row) => [...row]))
  return { columns: result.columns, rows, receipt: receipt() }
}

const versionOf = (at: FixtureVersion): TableVersion | undefined => {
  if (at.snapshotId !== undefined) return { snapshotId: BigInt(at.snapshotId) }
  if (at.timestampMs !== undefined) return { timestamp: new Date(at.timestampMs) }
  return at.ref === undefined ? undefined : { ref: at.ref }
}

/** A value of the engine in the form of the expected rows. */
const canonical = (value: unknown, type: LogicalType): FixtureValue => {
  if (value === null || value === undefined) return null
  switch (type.type) {
    case 'float':
    case 'double':
      return Number.isFinite(value) ? (value as number) : String(value)
    case 'int':
      return String(value)
    case 'time':
      return microseconds(String(value))
    case 'timestamp':
      return `${microseconds(String(value).replace('Z', ''))}${type.zoned ? 'Z' : ''}`
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('hex')
    case 'list':
      return (value as unknown[]).map((item) => canonical(item, type.element))
    case 'map':
      return (value as [unknown, unknown][]).map(([key, item]) => [
        canonical(key, type.key),
        canonical(item, type.value),
      ])
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          canonical((value as Record<string, unknown>)[field.name], field.type),
        ]),
      )
    default:
      return value as FixtureValue
  }
}

const microseconds = (text: string): string => {
  const [, whole = text, fraction = ''] = /^(.*?)(?:\.(\d+))?$/.exec(text) ?? []
  return `${whole}.${fraction.padEnd(6, '0').slice(0, 6)}`
}

const canonicalRows = (columns: readonly QueryColumn[], rows: readonly unknown[][]) =>
  sorted(
    rows.map((row) =>
      Object.fromEntries(columns.map(({ name, type }, index) => [name, canonical(row[index], type)])),
    ),
  )

const sorted = (rows: readonly FixtureRow[]) =>
  rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

const readable = icebergFixtures().filter(({ table }) => table !== 'orc_data')
const reads = readable.flatMap((fixture) =>
  fixture.reads.map((read) => [fixture.table, JSON.stringify(read.at), read] as const),
)

describe('a table gives the rows that its writer reads', () => {
  it.each(reads)('%s at %s', async (table, _at, read) => {
    const { columns, rows, receipt } = await run(`SELECT * FROM ice.${table}`, versionOf(read.at))
    expect(canonicalRows(columns, rows)).toEqual(sorted(read.rows))
    expect(receipt.notes).toEqual([])
    const counted = await run(`SELECT count(*) FROM ice.${table}`, versionOf(read.at))
    expect(counted.rows).toEqual([[read.rows.length]])
  })
})

/** Types, promoted columns, partitions, nulls, NaN, and tables with rows that are deleted. */
const extremes = readable.filter(({ table }) =>
  /^(types|upgraded|floats|evolution|spec_evolution|t_month|deletion_vectors|position_deletes)$/.test(table),
)

it.each(extremes)(
  'smallest and largest values by metadata are those of the rows: $table',
  async ({ table }) => {
    const uncut = new Set(['int', 'float', 'double', 'decimal', 'date', 'time', 'timestamp'])
    const { columns } = await run(`SELECT * FROM ice.${table} LIMIT 0`)
    const wanted = columns.filter(({ type }) => uncut.has(type.type)).map(({ name }) => quoted(name))
    const ends = wanted.map((name) => `min(${name}), max(${name})`).join(', ')
    const known = await run(`SELECT ${ends}, count(*) FROM ice.${table}`)
    // Another aggregate makes it read the rows.
    const read = await run(`SELECT ${ends}, count(*), sum(1) FROM ice.${table}`)
    expect(read.receipt.tables[0]?.fromMetadata).toBeUndefined()
    // Of 0 and -0, which are equal, DuckDB takes the one that it sees first.
    const unsigned = (row: readonly unknown[] | undefined) => row?.map((value) => (value === 0 ? 0 : value))
    expect(unsigned(known.rows[0])).toEqual(unsigned(read.rows[0]?.slice(0, -1)))
    if (table === 't_month')
      expect(known.receipt).toMatchObject({ requests: 0, tables: [{ fromMetadata: true }] })
  },
)

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
const simple = new Set([
  'boolean',
  'int',
  'float',
  'double',
  'decimal',
  'string',
  'uuid',
  'binary',
  'date',
  'time',
  'timestamp',
])

/** Predicates on a column with values that it has. */
const predicates = (name: string, values: readonly string[]): string[] => {
  const column = quoted(name)
  const [first, second] = values
  if (first === undefined) return [`${column} IS NULL`, `${column} IS NOT NULL`]
  const all = ['=', '<>', '<', '<=', '>', '>='].map((operator) => `${column} ${operator} ${first}`)
  return [
    `${column} IS NULL`,
    `${column} IS NOT NULL`,
    ...all,
    `NOT (${column} = ${first})`,
    `${column} IS DISTINCT FROM ${first}`,
    ...(second === undefined
      ? []
      : [
          `${column} IN (${values.join(', ')})`,
          `${column} NOT IN (${first}, ${second})`,
          `${column} BETWEEN ${first} AND ${second}`,
          `(${column} = ${first} OR ${column} > ${second})`,
        ]),
  ]
}

/** Every predicate, or one of each column in turn. */
const isThorough = process.env.PENSTOCK_THOROUGH === '1'

describe('a filter gives the rows that it gives on all of them', () => {
  let opened: OpenMounts
  let mount: Mount
  beforeAll(async () => {
    opened = await openMounts([lake.connection()])
    const tables = new Map<string, Promise<ZeroCopyTable>>()
    const [lakeMount] = opened.mounts as readonly [Mount]
    mount = {
      name: 'lake',
      open: (table, options) => {
        const found = tables.get(table.name) ?? lakeMount.open(table, options)
        tables.set(table.name, found)
        return found
      },
    }
  })
  afterAll(() => opened.close())

  const inPlace = async (sql: string): Promise<unknown[][]> => {
    const { result } = await engine.queryMounted(sql, { mounts: [mount] })
    const rows: unknown[][] = []
    for await (const page of result.rows()) rows.push(...page.map((row) => [...row]))
    return rows
  }
  const local = async (sql: string): Promise<unknown[][]> => {
    const rows: unknown[][] = []
    for await (const page of (await engine.query(sql)).rows()) rows.push(...page.map((row) => [...row]))
    return rows
  }

  it.each(readable.map(({ table }, index) => [table, index] as const))(
    '%s',
    async (table, turn) => {
      const source = `ice.${table}`
      await inPlace(`CREATE OR REPLACE TABLE copy AS SELECT * FROM ${source}`)
      const columns = (await engine.describe('copy'))?.columns ?? []
      const different: string[] = []
      for (const [position, { name, type }] of columns.entries()) {
        if (!simple.has(type.type)) continue
        const column = quoted(name)
        const text = type.type === 'binary' ? `hex(${column})` : `${column}::VARCHAR`
        const literal = (value: unknown) =>
          type.type === 'binary' ? `unhex('${value}')` : `'${String(value).replaceAll("'", "''")}'::${ddl}`
        const ddl = (await local(`SELECT typeof(${column}) FROM copy LIMIT 1`))[0]?.[0]
        const found = await local(
          `SELECT DISTINCT ${text} FROM copy WHERE ${column} IS NOT NULL ORDER BY 1 LIMIT 3`,
        )
        const cases = predicates(
          name,
          found.map(([value]) => literal(value)),
        )
        if (type.type === 'string') cases.push(`${column} LIKE 'a%'`, `NOT starts_with(${column}, 'b')`)
        const start = (turn + position) % cases.length
        const chosen = isThorough ? cases : cases.slice(start, start + 1)
        for (const predicate of chosen) {
          const rows = `SELECT count(*), count(${column}) FROM`
          const actual = await inPlace(`${rows} ${source} WHERE ${predicate}`)
          const expected = await local(`${rows} copy WHERE ${predicate}`)
          if (JSON.stringify(actual) !== JSON.stringify(expected))
            different.push(`${predicate}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
        }
      }
      expect(different).toEqual([])
    },
    isThorough ? 300_000 : 30_000,
  )
})

describe('what can not be read', () => {
  it('is refused by name: ORC', async () => {
    expect(icebergFixture('orc_data').table).toBe('orc_data')
    await expect(run('SELECT * FROM ice.orc_data')).rejects.toMatchObject({ kind: 'data' })
  })

  it('a table that is not there', async () => {
    await expect(run('SELECT * FROM ice.nothing')).rejects.toMatchObject({ kind: 'not-found' })
  })
})
