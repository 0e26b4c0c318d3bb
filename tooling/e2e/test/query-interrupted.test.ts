import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startChild } from '../src/child-process.ts'
import { type IcebergLake, openIcebergLake } from '../src/iceberg-lake.ts'

/* The process itself is the point: what is left of a query in place that Ctrl-C ends in the middle of its requests. */

let lake: IcebergLake
let folder: string
beforeAll(async () => {
  lake = await openIcebergLake()
  folder = await mkdtemp(join(tmpdir(), 'penstock-e2e-interrupted-'))
})
afterAll(async () => {
  await lake.close()
  await rm(folder, { recursive: true, force: true })
})

const staged = async () =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes('scan-'))

it('Ctrl-C stops the requests of a query and removes its temporary files', async () => {
  lake.aws.faults.add({ when: { operation: 'GetObject', key: '*.parquet' }, fault: { kind: 'hang' } })
  const { endpoint, root } = lake.aws
  const child = startChild('./query-child.ts', { endpoint, ...root, folder })
  const isHanging = () => lake.aws.log.entries().some(({ key }) => key?.endsWith('.parquet'))
  while (!isHanging() && child.exitCode === null) await sleep(20)
  expect(await staged()).not.toEqual([])
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  expect(await exited).toEqual([130, null])
  expect(await staged()).toEqual([])
})
