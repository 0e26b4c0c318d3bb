import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ask,
  fileTable,
  memoryFile,
  mountOf,
  openEngine,
  openWriter,
  temporaryFolder,
} from './mount-support.ts'

/* Columns that are fetched after those of the filter or the order have told which row groups are needed. */

const rowCount = 48_000
/** `note` makes up most of the bytes; of the others only `id` grows with the rows. */
const select = `SELECT
    i AS id,
    hash(i) % 1000003 AS spread,
    CASE WHEN i % 7 = 0 THEN NULL ELSE (i * 7919) % 100003 END AS gaps,
    CASE WHEN i % 9000 = 17 THEN 'NaN'::DOUBLE WHEN i % 11 = 0 THEN NULL ELSE hash(i + 1) % 50000 / 8 END AS ratio,
    CASE WHEN i > 30000 THEN NULL ELSE 'key ' || (hash(i + 2) % 20000) END AS key,
    {'city': 'c' || (hash(i + 3) % 9000), 'zip': i % 89} AS place,
    md5(i::VARCHAR) || md5('a' || i) || md5('b' || i) || md5('c' || i) AS note
  FROM range(${rowCount}) t(i)`

const open = async (deleted: readonly bigint[] = []) => {
  const writer = await openWriter()
  await writer.connection.run(`CREATE SCHEMA sales; CREATE TABLE sales.orders AS ${select}`)
  const files = []
  for (const [first, end] of [
    [0, 20_000],
    [20_000, rowCount],
  ] as const) {
    const part = `SELECT * FROM (${select}) WHERE id >= ${first} AND id < ${end}`
    const bytes = await writer.parquet(part, 'ROW_GROUP_SIZE 2048')
    const rows = BigUint64Array.from(
      deleted.filter((id) => id >= first && id < end),
      (id) => id - BigInt(first),
    )
    files.push({
      file: memoryFile(`s3://lake/${first}.parquet`, bytes, `v${first}`),
      deletes: rows.length > 0 ? [{ kind: 'positions' as const, load: async () => rows }] : [],
    })
  }
  if (deleted.length > 0)
    await writer.connection.run(`DELETE FROM sales.orders WHERE id IN (${deleted.join(', ')})`)
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(select), files) })]
  return { writer, mounts, files, engine: await openEngine() }
}

const total = ({ files }: Awaited<ReturnType<typeof open>>) =>
  files.reduce((sum, { file }) => sum + file.size, 0)

describe('the columns of a filter first', () => {
  it.each([
    'spread = 418253',
    'spread IN (418253, 11)',
    "key = 'key 777' OR spread = 418253",
    "place.city = 'c4711' AND id >= 0",
    'gaps BETWEEN 500 AND 520',
    'isnan(ratio)',
  ])('%s', async (condition) => {
    const world = await open()
    const sql = `SELECT id, note FROM sales.orders WHERE ${condition} ORDER BY id`
    const { rows, receipt } = await ask(world.engine, sql, { mounts: world.mounts })
    expect(rows.map(([, note]) => note)).toEqual((await world.writer.rows(sql)).map(([, note]) => note))
    expect(receipt.skipped['row groups by rows']).toBeGreaterThan(0)
    expect(receipt.bytesNeeded).toBeLessThan(total(world) * 0.9)
    // Nothing is fetched twice, nor counted twice.
    expect(receipt.bytesFetched).toBeLessThanOrEqual(receipt.bytesNeeded * 1.05)
  })

  it('what most rows fulfil is fetched at once', async () => {
    const world = await open()
    const sql = 'SELECT max(note) FROM sales.orders WHERE spread <> 3 AND key IS NOT NULL'
    const { rows, receipt } = await ask(world.engine, sql, { mounts: world.mounts })
    expect(rows).toEqual(await world.writer.rows(sql))
    expect(receipt.skipped['row groups by rows']).toBeUndefined()
  })

  it('is kept for the next query like everything else', async () => {
    const world = await open()
    const options = { mounts: world.mounts, cache: { folder: temporaryFolder(), bytes: 1024 ** 3 } }
    const sql = 'SELECT note FROM sales.orders WHERE spread = (418253)'
    const first = await ask(world.engine, sql, options)
    const again = await ask(world.engine, sql, options)
    expect(again.rows).toEqual(first.rows)
    expect(again.receipt.bytesFetched).toBe(0)
    expect(again.receipt.bytesNeeded).toBe(first.receipt.bytesNeeded)
  })

  it('makes a query fit the disk that would not', async () => {
    const world = await open()
    const limits = { diskBytes: Math.floor(total(world) * 0.75) }
    const sql = 'SELECT note FROM sales.orders WHERE spread = 418253'
    const { rows, receipt } = await ask(world.engine, sql, { mounts: world.mounts, limits })
    expect(rows).toEqual(await world.writer.rows(sql))
    // The explanation reads no column: it tells what is read first, and the most that can follow.
    const explained = await world.engine.explainMounted(sql, { mounts: world.mounts, limits })
    expect(explained.notes).toEqual([
      expect.stringMatching(/^Of sales\.orders \d+ bytes of spread are read first;/),
    ])
    expect(explained.bytesNeeded).toBeGreaterThan(receipt.bytesNeeded)
    expect(explained.bytesFetched).toBeLessThan(receipt.bytesNeeded / 4)
    const all = ask(world.engine, 'SELECT max(note) FROM sales.orders', { mounts: world.mounts, limits })
    await expect(all).rejects.toMatchObject({ code: 'StagingLimit' })
  })
})

/** Asks for rows whose second column is right, and in the right order; gives the receipt. */
const askInOrder = async ({ writer, engine, mounts }: Awaited<ReturnType<typeof open>>, sql: string) => {
  const { rows, receipt } = await ask(engine, sql, { mounts })
  expect(rows.map(([, second]) => second)).toEqual((await writer.rows(sql)).map(([, second]) => second))
  return receipt
}

describe('the first rows of an order', () => {
  it('by statistics: row groups behind enough others are not read', async () => {
    const world = await open()
    for (const [order, count] of [
      ['id DESC', 10],
      ['id', 3000],
      ['id DESC NULLS FIRST, note', 2],
      ['id DESC', 1],
    ] as const) {
      const sql = `SELECT id, note FROM sales.orders ORDER BY ${order} LIMIT ${count}`
      const receipt = await askInOrder(world, sql)
      expect(receipt.rowGroups - receipt.rowGroupsSkipped, order).toBeLessThanOrEqual(2)
      expect(receipt.skipped['row groups by order'], order).toBeGreaterThan(20)
    }
  })

  it('by the largest values, each of which one row has: a column without any order is read in few row groups', async () => {
    const world = await open()
    for (const [order, count] of [
      ['spread DESC', 3],
      ['spread', 5],
      ['gaps DESC NULLS LAST', 4],
    ] as const) {
      const sql = `SELECT spread, note FROM sales.orders ORDER BY ${order}, id LIMIT ${count}`
      const receipt = await askInOrder(world, sql)
      expect(receipt.skipped['row groups by order'], order).toBeGreaterThanOrEqual(
        receipt.rowGroups - count - 1,
      )
    }
    // Where rows are deleted, the largest value may be gone.
    const deleted = await open([1n, 20_001n])
    const { receipt } = await ask(
      deleted.engine,
      'SELECT id FROM sales.orders ORDER BY spread LIMIT 2',
      deleted,
    )
    expect(receipt.skipped['row groups by order']).toBeUndefined()
  })

  it('by the order column: the others of row groups that hold none of them are not read', async () => {
    const world = await open()
    const sql = 'SELECT spread, note FROM sales.orders ORDER BY spread DESC LIMIT 3'
    const { rows, receipt } = await ask(world.engine, sql, { mounts: world.mounts })
    expect(rows.map(([, note]) => note)).toEqual((await world.writer.rows(sql)).map(([, note]) => note))
    expect(receipt.rowGroups - receipt.rowGroupsSkipped).toBeLessThanOrEqual(3)
    expect(receipt.bytesNeeded).toBeLessThan(total(world) / 2)
  })

  const order = fc.record({
    column: fc.constantFrom('id', 'spread', 'gaps', 'ratio', 'key', 'place.city', 'id + 1'),
    way: fc.constantFrom('', ' DESC'),
    nulls: fc.constantFrom('', ' NULLS FIRST', ' NULLS LAST'),
    count: fc.constantFrom(0, 1, 5, 2500, 47_990, 60_000),
    offset: fc.constantFrom(0, 3),
    where: fc.constantFrom('', ' WHERE id < 9000', " WHERE key > 'key 5'", ' WHERE length(note) > 300'),
  })

  it.each([[[]], [[2n, 19_999n, 20_000n, 47_998n, 47_999n]]])(
    'are right, whatever the order; deleted: %s',
    async (deleted) => {
      const { writer, mounts, engine } = await open(deleted)
      await fc.assert(
        fc.asyncProperty(order, async ({ column, way, nulls, count, offset, where }) => {
          const from = `FROM sales.orders${where} ORDER BY ${column}${way}${nulls}, id LIMIT ${count} OFFSET ${offset}`
          const sql = `SELECT count(*)::INTEGER, sum(id)::VARCHAR, max(note) FROM (SELECT id, note, ${column} AS by ${from})`
          const { rows } = await ask(engine, sql, { mounts })
          expect(rows).toEqual(await writer.rows(sql))
        }),
        { numRuns: Number(process.env.PENSTOCK_RUNS ?? 25) },
      )
    },
  )
})

it('a small file comes in one request, whatever of it is needed', async () => {
  const writer = await openWriter()
  const small = "SELECT i AS id, 'n' || i AS name, i * 2 AS twice FROM range(50) t(i)"
  const names = Array.from({ length: 20 }, (_, index) => `s3://lake/${index}.parquet`)
  const bytes = await writer.parquet(small)
  const files = names.map((name) => ({ file: memoryFile(name, bytes) }))
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(small), files) })]
  const sql = 'SELECT sum(twice)::INTEGER FROM sales.orders'
  const { rows, receipt } = await ask(await openEngine(), sql, { mounts })
  expect(rows).toEqual([[49_000]])
  expect(receipt.requests).toBe(20)
})

it('footers of files of which few columns are read are all asked for at once', async () => {
  const writer = await openWriter()
  const wide = `SELECT i AS id, ${['a', 'b', 'c', 'd'].map((name) => `md5('${name}' || i) AS ${name}`).join(', ')} FROM range(3000) t(i)`
  const bytes = await writer.parquet(wide)
  const footers = { asked: 0, mostAsked: 0 }
  const files = Array.from({ length: 20 }, (_, index) => {
    const file = memoryFile(`s3://lake/${index}.parquet`, bytes)
    const read: typeof file.read = async function* (range, options) {
      const isFooter = range.end === file.size
      if (isFooter) footers.mostAsked = Math.max(footers.mostAsked, ++footers.asked)
      await new Promise((resolve) => setTimeout(resolve, 50))
      yield* file.read(range, options)
      if (isFooter) footers.asked--
    }
    return { file: { ...file, read } }
  })
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(wide), files) })]
  const engine = await openEngine()
  await ask(engine, 'SELECT max(b) FROM sales.orders', { mounts })
  expect(footers.mostAsked).toBe(20)
  footers.mostAsked = 0
  // The first ones tell whether the others come whole.
  await ask(engine, 'SELECT max(a), max(b), max(c), max(d) FROM sales.orders', { mounts })
  expect(footers.mostAsked).toBeLessThanOrEqual(12)
})

it('what is brought to the disk beforehand is one measure for all tables of a query', async () => {
  const writer = await openWriter()
  const part = (index: number) =>
    `SELECT i AS id, md5(i::VARCHAR) || md5('a' || i) AS note FROM range(${index * 1000}, ${index * 1000 + 1000}) t(i)`
  const filesOf = async (table: string) =>
    Promise.all(
      Array.from({ length: 12 }, async (_, index) => ({
        file: memoryFile(`s3://lake/${table}-${index}.parquet`, await writer.parquet(part(index))),
      })),
    )
  const [narrow, wide] = await Promise.all([filesOf('narrow'), filesOf('wide')])
  const schema = await writer.schema(part(0))
  const tables = { 'sales.narrow': fileTable(schema, narrow), 'sales.wide': fileTable(schema, wide) }
  const sql =
    'SELECT max(narrow.id)::INTEGER, max(wide.note) FROM sales.narrow, sales.wide WHERE narrow.id = wide.id'
  const size = wide.reduce((sum, { file }) => sum + file.size, 0)
  const answers = []
  for (const diskBytes of [size * 3, Math.floor(size * 1.5)]) {
    const options = { mounts: [mountOf(tables)], limits: { diskBytes } }
    answers.push(await ask(await openEngine(), sql, options))
  }
  const [roomy, tight] = answers
  expect(tight?.rows).toEqual(roomy?.rows)
  // The files of the first table might come whole, so those of the second one do not.
  expect(tight?.receipt.requests).toBeGreaterThan(roomy?.receipt.requests ?? 0)
})
