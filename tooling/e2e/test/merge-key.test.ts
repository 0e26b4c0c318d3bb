import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

let lake: Lake
beforeAll(async () => {
  lake = await openLake()
  await lake.put('t/1.csv', 'Id,name\n1,one\n')
})
afterAll(() => lake.close())

const merge = async (key: string) => {
  const engine = await duckdb(lake.database)
  try {
    const table = { folder: 't/', table: 't', mode: 'merge' as const, key: [key] }
    return await extract({ source: lake.source(), tables: [table], engine })
  } finally {
    await engine.close()
  }
}

test('a key that the table lacks is refused by name, whether or not an object is new', async () => {
  const refusal = { kind: 'config', code: 'NoKeyColumn', place: { column: 'typo' } }
  expect((await merge('typo')).error).toMatchObject(refusal)
  expect((await merge('id')).tables).toMatchObject([{ status: 'succeeded', rowsLoaded: 1 }])
  expect((await merge('typo')).error).toMatchObject({ ...refusal, hint: 'Columns: Id, name.' })
  expect((await merge('ID')).tables).toMatchObject([{ status: 'unchanged' }])
})
