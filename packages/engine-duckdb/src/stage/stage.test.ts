import { expect, test } from 'vitest'
import { connection, file, load, ordinal } from '../../test/stage-support.ts'
import { rowsOf } from '../sql.ts'

/* What the stage counts and keeps; what it reads, and how, is in the tests of the engine. */

test('2,000 columns, and a header of 100 kB', async () => {
  const names = Array.from(
    { length: 2000 },
    (_, index) => `column_with_a_rather_long_name_for_a_wide_header_${index}`,
  )
  const values = names.map((_, index) => index)
  const { columns, rows } = await load([await file('a.csv', `${names}\n${values}\n`)])
  expect([columns.length, rows[0]?.length, rows[0]?.[1999]]).toEqual([2000, 2000, '1999'])
}, 120_000)

test('empty objects and header-only files', async () => {
  const result = await load([
    await file('a.csv', ''),
    await file('b.csv', 'x,y\n'),
    await file('c.csv', 'x,y\n1,z\n'),
  ])
  expect(result).toMatchObject({ columns: ['x bigint', 'y text'], rows: [['1', 'z']] })
  expect(result.counted).toEqual([
    ['a.csv', 0, 0],
    ['b.csv', 0, 0],
    ['c.csv', 1, 0],
  ])
})

test('reject loads the good rows and keeps the bad ones with their places', async () => {
  const odd = 'id,x\n3,30\n"4\n",oops\n5,6,7\n\n6,60\n7\n8,1.5\n'
  const result = await load([await file('a.csv', 'id,x\n1,10\n2,20\n'), await file('odd.csv', odd)], {
    onBadRow: 'reject',
  })
  expect(result.rows.map(([id]) => id)).toEqual(['1', '2', '3', '6'])
  expect(result.rejects.map(([, line, , column, raw]) => [line, column, raw])).toEqual([
    [3, 'id', '"4\n",oops'],
    [5, null, '5,6,7'],
    [8, null, '7'],
    [9, 'x', '8,1.5'],
  ])
  expect([result.rowsRead, result.rowsLoaded, result.rowsRejected]).toEqual([8, 4, 4])
  expect(result.counted).toEqual([
    ['a.csv', 2, 0],
    ['odd.csv', 2, 4],
  ])
})

test('a limit cuts, and the ledger will know which files were read in part', async () => {
  const files = [
    await file('a.csv', 'x\n1\n2\n'),
    await file('b.csv', 'x\n3\n4\n'),
    await file('c.csv', 'x\n5\n'),
  ]
  const result = await load(files, { limitRows: 3 })
  expect(result.rowsLoaded).toBe(3)
  const versions = await rowsOf(
    connection,
    `SELECT version FROM temp.__penstock_files_${ordinal} ORDER BY ordinal`,
  )
  expect(versions.flat()).toEqual(['v', 'partial:v', 'partial:v'])
})

test('rows read = rows loaded + rows rejected over several batches', async () => {
  const batches = await Promise.all(
    [0, 1, 2].map(async (batch) => [
      await file(`${batch}a.csv`, `id,x\n${batch},1\n${batch},${batch ? 'bad' : '2'}\n`),
      await file(`${batch}b.csv`, `id,x\n${batch},3\n`),
    ]),
  )
  const result = await load([], { onBadRow: 'reject' }, batches)
  expect([result.rowsRead, result.rowsLoaded, result.rowsRejected, result.rows.length]).toEqual([9, 7, 2, 7])
})
