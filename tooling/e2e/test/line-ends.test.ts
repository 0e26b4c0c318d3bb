import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

let lake: Lake
beforeAll(async () => {
  lake = await openLake()
})
afterAll(() => lake.close())

test('a table with an object whose line ends are mixed is loaded again, with a notice, and once', async () => {
  await lake.put('t/a.csv', 'id,x\n1,a\n')
  const notices: string[] = []
  const engine = await duckdb(lake.database)
  const run = () =>
    extract({
      source: lake.source(),
      tables: [{ folder: 't/', mode: 'delta' }],
      engine,
      onProgress: (event) => {
        if (event.type === 'notice') notices.push(event.message)
      },
    })
  try {
    expect((await run()).error).toBeUndefined()
    expect(notices).toEqual([])
    await lake.put('t/b.csv', 'id,x\r\n2,b\r\n3,c\n')
    const record = await run()
    expect(record).toMatchObject({ status: 'succeeded', tables: [{ objects: 1, rowsLoaded: 2 }] })
    expect(notices).toEqual([
      's3://lake/t/b.csv, line 3: it ends with LF, and the lines before it with CR LF. The table is loaded again with that in mind.',
    ])
    expect((await run()).tables).toMatchObject([{ status: 'unchanged' }])
  } finally {
    await engine.close()
  }
  expect(await lake.rows('SELECT id::INTEGER, x FROM t ORDER BY id')).toEqual([
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ])
})
