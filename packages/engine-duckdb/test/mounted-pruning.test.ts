import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ask, fileTable, memoryFile, mountOf, openEngine, openWriter } from './mount-support.ts'

/** Values with holes, so that bounds hold what is not there. */
const columns = `
  i AS id,
  (i * 7919) % 100003 AS spread,
  CASE WHEN i % 5 = 0 THEN NULL ELSE (i // 700)::INTEGER END AS step,
  CASE WHEN i % 1000 = 3 THEN 'NaN'::DOUBLE WHEN i % 11 = 0 THEN NULL ELSE i / 16 END AS ratio,
  CASE WHEN i < 4000 THEN NULL ELSE 'key ' || (i // 90) END AS key,
  ((i - 6000) * 1.01)::DECIMAL(12,2) AS amount,
  TIMESTAMP '2024-01-01' + to_seconds(i * 97) AS made,
  DATE '1969-12-01' + (i // 300)::INTEGER AS day,
  i % 3 = 0 AND i < 6000 AS flag,
  {'city': 'c' || (i // 1000), 'zip': CASE WHEN i % 2 = 0 THEN NULL ELSE i % 89 END} AS place`
const rowCount = 12_000
const select = `SELECT ${columns} FROM range(${rowCount}) t(i)`

const open = async () => {
  const writer = await openWriter()
  await writer.connection.run(`CREATE SCHEMA sales; CREATE TABLE sales.orders AS ${select}`)
  const files = []
  for (const [first, end] of [
    [0, 5000],
    [5000, 12_000],
  ] as const) {
    const part = `SELECT * FROM (${select}) WHERE id >= ${first} AND id < ${end}`
    files.push({
      file: memoryFile(`s3://lake/${first}.parquet`, await writer.parquet(part, 'ROW_GROUP_SIZE 2048')),
    })
  }
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(select), files) })]
  return { writer, mounts, engine: await openEngine() }
}

/** A column and a constant to compare it with. */
const value: fc.Arbitrary<string[]> = fc.oneof(
  fc.integer({ min: -10, max: rowCount + 10 }).map((id) => ['id', `${id}`]),
  fc.integer({ min: 0, max: 100_003 }).map((spread) => ['spread', `${spread}`]),
  fc.integer({ min: -1, max: 20 }).map((step) => ['step', `${step}`]),
  fc
    .constantFrom('0.5', '100', '749.9375', "'NaN'::DOUBLE", "'infinity'::DOUBLE", '-0.0')
    .map((ratio) => ['ratio', ratio]),
  fc.integer({ min: 40, max: 140 }).map((key) => ['key', `'key ${key}'`]),
  fc.integer({ min: -7000, max: 7000 }).map((amount) => ['amount', `${amount}.01`]),
  fc
    .integer({ min: 0, max: rowCount * 97 })
    .map((s) => ['made', `TIMESTAMP '2024-01-01' + to_seconds(${s})`]),
  fc.integer({ min: -5, max: 50 }).map((day) => ['day', `DATE '1969-12-01' + ${day}`]),
  fc.constantFrom('true', 'false').map((flag) => ['flag', flag]),
  fc.integer({ min: 0, max: 13 }).map((city) => ['place.city', `'c${city}'`]),
  fc.integer({ min: 0, max: 90 }).map((zip) => ['place.zip', `${zip}`]),
)

const atom = fc.oneof(
  fc
    .tuple(fc.constantFrom('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM'), value)
    .map(([operator, [column, constant]]) => `${column} ${operator} ${constant}`),
  value.map(([column]) => `${column} IS NULL`),
  value.map(([column]) => `${column} IS NOT NULL`),
  fc
    .tuple(value, fc.constantFrom('IN', 'NOT IN'))
    .map(([[column, constant], operator]) => `${column} ${operator} (${constant}, ${constant})`),
  fc.integer({ min: 4, max: 14 }).map((digits) => `key LIKE 'key ${digits}%'`),
  fc.integer({ min: 4, max: 14 }).map((digits) => `NOT starts_with(key, 'key ${digits}')`),
  fc.constant('isnan(ratio)'),
  fc.constant('flag'),
  fc.constant('length(key) > 5'),
)

const predicate = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc
      .tuple(tie('tree'), fc.constantFrom('AND', 'OR'), tie('tree'))
      .map(([a, join, b]) => `(${a} ${join} ${b})`),
    tie('tree').map((inner) => `NOT (${inner})`),
  ),
})).tree

describe('pruning', () => {
  it('loses no row, whatever the predicate', async () => {
    const { writer, mounts, engine } = await open()
    await fc.assert(
      fc.asyncProperty(predicate, async (condition) => {
        const sql = `SELECT count(*)::INTEGER, sum(id)::VARCHAR, count(key)::INTEGER, max(place.zip)::VARCHAR FROM sales.orders WHERE ${condition}`
        const { rows, receipt } = await ask(engine, sql, { mounts })
        expect(receipt.notes).toEqual([])
        expect(rows).toEqual(await writer.rows(sql))
      }),
      { numRuns: Number(process.env.PENSTOCK_RUNS ?? 60) },
    )
  })

  it.each<[string, string]>([
    ['id = 11000', 'row groups by statistics'],
    ["key = 'key 100'", 'row groups by statistics'],
    ['key IS NOT NULL AND id < 5000', 'row groups by statistics'],
    ['flag', 'row groups by statistics'],
    ["place.city = 'c3'", 'row groups by statistics'],
    ['amount BETWEEN 10.00 AND 20.00', 'row groups by statistics'],
    ["day < DATE '1969-12-03'", 'row groups by statistics'],
    ['ratio < 1', 'row groups by statistics'],
  ])('%s: %s', async (condition, reason) => {
    const { mounts, engine } = await open()
    const receipt = await engine.explainMounted(`SELECT key FROM sales.orders WHERE ${condition}`, { mounts })
    expect(receipt.skipped[reason]).toBeGreaterThan(0)
    expect(receipt.rowGroups).toBeGreaterThan(receipt.rowGroupsSkipped)
  })

  it('by bloom filter: a value within the bounds that is not there', async () => {
    const { writer, engine } = await open()
    const gaps =
      "SELECT (i * 10)::BIGINT AS id, 'k' || (i * 10) AS key, md5(i::VARCHAR) AS note FROM range(20000) t(i)"
    // DuckDB writes bloom filters for columns with a dictionary.
    const bytes = await writer.parquet(gaps, 'ROW_GROUP_SIZE 4096, DICTIONARY_SIZE_LIMIT 100000')
    const mounts = [
      mountOf({
        'sales.orders': fileTable(await writer.schema(gaps), [
          { file: memoryFile('s3://lake/b.parquet', bytes) },
        ]),
      }),
    ]
    for (const condition of ['id = 100005', "key = 'k100005'", 'id IN (100005, 100007)']) {
      const { rows, receipt } = await ask(engine, `SELECT note FROM sales.orders WHERE ${condition}`, {
        mounts,
      })
      expect(rows).toEqual([])
      expect(receipt.skipped['row groups by bloom filter'], condition).toBeGreaterThan(0)
      expect(receipt.rowGroupsSkipped).toBe(receipt.rowGroups)
    }
    const found = await ask(engine, "SELECT key FROM sales.orders WHERE id = 100010 AND key = 'k100010'", {
      mounts,
    })
    expect(found.rows).toEqual([['k100010']])
  })
})

describe('by page index', () => {
  // Made with PyArrow: pages of 1024 bytes, ZSTD, no dictionaries, write_page_index=True. id: (i // 500) * 100 + i % 500 // 10; key: 'k' and
  // (4000 - i) // 400 in three digits; note: 16 digits of a hash; i from 0 to 3999 in one row group.
  const bytes = new Uint8Array(readFileSync(new URL('files/pages.parquet', import.meta.url)))
  const schema = {
    columns: [
      { name: 'id', type: { type: 'int', bits: 64, signed: true }, nullable: true },
      { name: 'key', type: { type: 'string' }, nullable: true },
      { name: 'note', type: { type: 'string' }, nullable: true },
    ],
  } as const

  it.each<[string, number, number]>([
    ['id = 730 AND key = $$k009$$', 0, 1],
    ['id BETWEEN 700 AND 720 AND key > $$k006$$', 0, 1],
    ['id = 730 AND key = $$k000$$', 10, 0],
    ['id = 730 OR key = $$k009$$', 410, 0],
    ['key = $$k005$$ AND id < 100', 0, 1],
  ])('%s', async (condition, rows, skipped) => {
    const file = memoryFile('s3://lake/pages.parquet', bytes)
    const mounts = [mountOf({ 'sales.orders': fileTable(schema, [{ file }]) })]
    const sql = `SELECT count(*), count(note) FROM sales.orders WHERE ${condition}`
    const found = await ask(await openEngine(), sql, { mounts })
    expect(found.rows).toEqual([[rows, rows]])
    expect(found.receipt.skipped['row groups by page index'] ?? 0).toBe(skipped)
  })
})
