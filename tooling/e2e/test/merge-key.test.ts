import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

let lake: Lake
beforeAll(async () => {
  lake = await openLake()
  await lake.put('t/1.csv', 'Id,name\n1,one\n')
  await lake.put('t/2.csv', 'Id,name\n2,two\n')
})
afterAll(() => lake.close())

const merge = async (key: string, deleted: 'keep' | 'remove' = 'keep') => {
  const engine = await duckdb(lake.database)
  try {
    const table = { folder: 't/', table: 't', mode: 'merge' as const, key: [key], deleted }
    return await extract({ source: lake.source(), tables: [table], engine })
  } finally {
    await engine.close()
  }
}

test('a key that the table lacks is refused by name, whether or not an object is new', async () => {
  const refusal = { kind: 'config', code: 'NoKeyColumn', place: { column: 'typo' } }
  expect((await merge('typo')).error).toMatchObject(refusal)
  expect((await merge('id')).tables).toMatchObject([{ status: 'succeeded', rowsLoaded: 2 }])
  expect((await merge('typo')).error).toMatchObject({ ...refusal, hint: 'Columns: Id, name.' })
  expect((await merge('ID')).tables).toMatchObject([{ status: 'unchanged' }])
  // Rows of objects that are gone are not removed under a wrong key either.
  await lake.remove('t/2.csv')
  expect((await merge('typo', 'remove')).error).toMatchObject(refusal)
})
