import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { duckdb } from '@penstock/engine-duckdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChild } from '../src/child-process.ts'
import { type ExportTask, runExportTask } from '../src/export-task.ts'
import { type Lake, openLake } from '../src/lake.ts'

/*
 * Kill -9 soon after the upload of a large file began, which is while DuckDB writes it: nothing of it is visible, and
 * the rerun leaves the right rows and no upload. `PENSTOCK_KILLS=50` does it fifty times.
 */

const kills = Number(process.env.PENSTOCK_KILLS ?? 1)
/** 24 MB of CSV in one file: sent as it grows, since it is beyond what waits in memory (8 MiB). */
const rows = 240_000

let lake: Lake
beforeAll(async () => {
  lake = await openLake('growing')
})
afterAll(() => lake.close())

/** A view, whose text costs some time for each row: the file is far from its end when its first part is sent. */
const fill = async (database: string, round: number): Promise<void> => {
  const engine = await duckdb(database)
  const runId = `fill-${round}`
  const transaction = await engine.begin({ runId, signal: new AbortController().signal })
  const text = 'repeat(md5(range::VARCHAR), 3)'
  await transaction.execute(
    `CREATE OR REPLACE VIEW orders AS SELECT ${round * rows} + range AS id,
       CASE WHEN length(sha256(repeat(${text}, 8))) = 64 THEN ${text} END AS t FROM range(${rows})`,
  )
  await transaction.commit({
    runId,
    command: 'test',
    connector: 'test',
    status: 'succeeded',
    startedAt: new Date().toISOString(),
    tables: [],
  })
  await engine.close()
}

const keys = () => lake.aws.s3.listKeys(lake.bucket, 'growing/orders_')

const ids = async (): Promise<number[]> => {
  const found: number[] = []
  for (const key of keys()) {
    const text = String(await lake.aws.s3.getObject(lake.bucket, key))
    for (const line of text.split('\n').slice(1, -1)) found.push(Number(line.split(',')[0]))
  }
  return found.sort((a, b) => a - b)
}

/** Kills an export some time after its first upload began; whether it was still at work. */
const killGrowing = async (task: ExportTask): Promise<boolean> => {
  const child = startChild('./export-child.ts', task)
  const exited = once(child, 'exit')
  while (child.exitCode === null && lake.aws.s3.listUploads(lake.bucket).length === 0) await sleep(2)
  await sleep(Math.random() * 100)
  const killed = child.kill('SIGKILL')
  await exited
  return killed && child.signalCode === 'SIGKILL'
}

test(
  'killed while a large file goes up, an export shows nothing of it, and its rerun leaves one copy and no upload',
  async () => {
    const database = join(lake.folder, 'growing.duckdb')
    const task: ExportTask = {
      endpoint: lake.aws.endpoint,
      ...lake.aws.root,
      bucket: lake.bucket,
      database,
      name: 'growing',
      mode: 'overwrite',
      maxRows: 10 * rows,
    }
    for (let round = 0; round < kills; round++) {
      await fill(database, round)
      const before = keys()
      expect(await killGrowing(task)).toBe(true)
      expect(keys()).toEqual(before)
      expect(lake.aws.s3.listUploads(lake.bucket)).toHaveLength(1)
      expect((await runExportTask(task)).error).toBeUndefined()
      expect(lake.aws.s3.listUploads(lake.bucket)).toEqual([])
      expect(keys()).toHaveLength(1)
      const found = await ids()
      expect(found.length).toBe(rows)
      expect(found.every((id, index) => id === round * rows + index)).toBe(true)
    }
  },
  60_000 + kills * 30_000,
)
