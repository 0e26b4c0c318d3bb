import { duckdb } from '@penstock/engine-duckdb'
import { extract, plan } from '@penstock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

let lake: Lake
beforeAll(async () => {
  lake = await openLake()
  await lake.put('t/1.csv', 'Id,name\n1,one\n')
  await lake.put('t/2.csv', 'Id,name\n2,two\n')
})
afterAll(() => lake.close())

const requests = async (
  key: string,
  options: { deleted?: 'remove'; schema?: 'evolve'; folder?: string; table?: string },
) => {
  const table = { folder: 't/', table: 't', mode: 'merge' as const, key: [key], ...options }
  const engine = await duckdb(lake.database)
  return { source: lake.source(), tables: [table], engine }
}
const merge = async (key: string, options: Parameters<typeof requests>[1] = {}) => {
  const request = await requests(key, options)
  return extract(request).finally(() => request.engine.close())
}
const planMerge = async (key: string, options: Parameters<typeof requests>[1] = {}) => {
  const request = await requests(key, options)
  return plan(request).finally(() => request.engine.close())
}
const refusal = { kind: 'config', code: 'NoKeyColumn', place: { column: 'typo' } }

test('a key that the table lacks is refused by name, whether or not an object is new', async () => {
  await expect(planMerge('typo')).rejects.toMatchObject({ ...refusal, hint: 'Columns: Id, name.' })
  expect((await merge('typo')).error).toMatchObject(refusal)
  expect((await planMerge('id')).tables).toMatchObject([{ toLoad: { objects: 2 } }])
  expect((await merge('id')).tables).toMatchObject([{ status: 'succeeded', rowsLoaded: 2 }])
  expect((await merge('typo')).error).toMatchObject({ ...refusal, hint: 'Columns: Id, name.' })
  await expect(planMerge('typo')).rejects.toMatchObject({ ...refusal, hint: 'Columns: Id, name.' })
  expect((await merge('ID')).tables).toMatchObject([{ status: 'unchanged' }])
  // Rows of objects that are gone are not removed under a wrong key either.
  await lake.remove('t/2.csv')
  expect((await merge('typo', { deleted: 'remove' })).error).toMatchObject(refusal)
})

test('a plan refuses no key that a file may have which it did not look at', async () => {
  for (const number of [1, 2, 3, 4]) await lake.put(`late/${number}.csv`, 'id\n1\n')
  await lake.put('late/5.csv', 'id,typo\n2,x\n')
  const late = { folder: 'late/', table: 'late' }
  await expect(planMerge('typo', late)).rejects.toMatchObject(refusal)
  expect((await planMerge('typo', { ...late, schema: 'evolve' })).tables).toMatchObject([
    { toLoad: { objects: 5 } },
  ])
})
