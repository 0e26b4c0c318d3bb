import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { duckdb } from '@penstock/engine-duckdb'
import type { Fault } from '@penstock/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ended, killAfter, startChild } from '../src/child-process.ts'
import { type ExportTask, runExportTask } from '../src/export-task.ts'
import { type Lake, openLake } from '../src/lake.ts'

/*
 * Kill -9 at random moments of exports whose table changes between runs, while S3 answers with random faults. Whoever
 * lists at any moment sees whole files; after a rerun exactly the right rows are there, no upload is left, and nobody
 * else's object was touched. `PENSTOCK_KILLS=50` does it fifty times for each kind.
 */

const kills = Number(process.env.PENSTOCK_KILLS ?? 1)
const rowsPerRound = 12_000
const rowsPerFile = 5_000

let lake: Lake
beforeAll(async () => {
  lake = await openLake('exports')
})
afterAll(() => lake.close())

const header = 'id,round\n'

/** Files that a consumer sees: objects with the name of the stream. Throws for one that is not whole. */
const visible = async (name: string, except?: ReadonlySet<string>): Promise<Map<string, number[]>> => {
  const files = new Map<string, number[]>()
  for (const key of lake.aws.s3.listKeys(lake.bucket, `${name}/orders_`)) {
    if (except?.has(key)) continue
    const text = (await lake.aws.s3.getObject(lake.bucket, key).catch(() => undefined))?.toString('utf8')
    // Removed between listing and reading.
    if (text === undefined) continue
    expect(text.startsWith(header) && text.endsWith('\n')).toBe(true)
    const lines = text.slice(header.length).split('\n').slice(0, -1)
    const ids = lines.map((line) => Number(line.split(',')[0]))
    expect(ids.length).toBeLessThanOrEqual(rowsPerFile)
    files.set(key, ids)
  }
  return files
}

/** Looks again and again while something runs. A name is written once, so each is read once. */
const watch = async (name: string, running: Promise<unknown>): Promise<void> => {
  let done = false
  void running.finally(() => {
    done = true
  })
  const seen = new Set<string>()
  while (!done) {
    for (const key of (await visible(name, seen)).keys()) seen.add(key)
    await sleep(10)
  }
}

/** Whether the database says that a run is under way: whether the next one is its retry. */
const isUnderWay = async (database: string): Promise<boolean> => {
  const [row] = await lake.rows('SELECT state FROM _penstock.exports', database)
  return JSON.parse(String(row?.[0])).intent !== undefined
}

/** Adds the rows of a round, or puts them in the place of those before. */
const fill = async (database: string, round: number, replace: boolean): Promise<void> => {
  const engine = await duckdb(database)
  const signal = new AbortController().signal
  const runId = `fill-${round}`
  const transaction = await engine.begin({ runId, signal })
  await transaction.execute('CREATE TABLE IF NOT EXISTS orders (id BIGINT, round BIGINT)')
  if (replace) await transaction.execute('DELETE FROM orders')
  await transaction.execute(
    `INSERT INTO orders SELECT ${round * rowsPerRound} + range, ${round} FROM range(${rowsPerRound})`,
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

const sorted = (files: Map<string, number[]>) => [...files.values()].flat().sort((a, b) => a - b)
const ids = (from: number, rounds: number) =>
  Array.from({ length: rounds * rowsPerRound }, (_, index) => from * rowsPerRound + index)

const one = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item

const error = (status: number, code: string): Fault => ({
  kind: 'error',
  status,
  code,
  message: 'A fault of the test.',
})

/** Some that are healed by trying again, some that end a run. */
const faults: readonly Fault[] = [
  { kind: 'latency', ms: 30 },
  { kind: 'slow-down' },
  { kind: 'internal-error' },
  { kind: 'internal-error', handled: true },
  { kind: 'reset' },
  { kind: 'reset', handled: true },
  { kind: 'expired-token' },
  { kind: 'truncate-body', afterBytes: 20 },
  { kind: 'corrupt-body', atByte: 10 },
  error(403, 'AccessDenied'),
  error(409, 'ConditionalRequestConflict'),
  error(412, 'PreconditionFailed'),
]

/** A fault at some of the requests, from a random one on. */
const addFaults = (): void => {
  lake.aws.faults.add({
    when: { service: 's3' },
    skip: Math.floor(Math.random() * 20),
    times: 1 + Math.floor(Math.random() * 4),
    probability: 0.3,
    seed: Math.floor(Math.random() * 2 ** 31),
    fault: one(faults),
  })
}

const kinds = [
  { name: 'append', mode: 'append' },
  { name: 'overwrite', mode: 'overwrite' },
  { name: 'incremental', mode: 'append', incremental: 'id' },
] as const

test.each(kinds)(
  'killed at random moments, $name leaves one copy of the right rows',
  async (kind) => {
    const database = join(lake.folder, `${kind.name}.duckdb`)
    const task: ExportTask = {
      endpoint: lake.aws.endpoint,
      ...lake.aws.root,
      bucket: lake.bucket,
      database,
      ...kind,
    }
    /** Runs to the end; the error that it ended with. */
    const attempt = async (): Promise<unknown> => {
      const running = runExportTask(task).then(
        (record) => record.error,
        (thrown: unknown) => thrown,
      )
      await watch(kind.name, running)
      return running
    }
    /** Runs until all is written; returns how long the last try took, in ms. */
    const run = async (): Promise<number> => {
      lake.aws.faults.clear()
      const started = performance.now()
      expect(await attempt()).toBeUndefined()
      return performance.now() - started
    }
    const foreign = {
      [`${kind.name}/orders_of_others.txt`]: 'not mine',
      [`${kind.name}/x/y.csv`]: 'nor this',
    }
    const replace = !('incremental' in kind)
    await fill(database, 0, replace)
    let duration = await run()
    for (const [key, body] of Object.entries(foreign)) await lake.put(key.replace('orders_', 'other_'), body)
    let expected = ids(0, 1)
    expect(sorted(await visible(kind.name))).toEqual(expected)
    for (let round = 1; round <= kills; round++) {
      const before = sorted(await visible(kind.name))
      await fill(database, round, replace)
      addFaults()
      const killed = killAfter(startChild('./export-child.ts', task), Math.random() * duration * 1.1)
      await watch(kind.name, killed)
      await killed
      // Killed before it began, or after it was through, the next run is one of its own: append has it once more.
      let kept = (await isUnderWay(database)) ? before : sorted(await visible(kind.name))
      addFaults()
      if (!(await attempt())) kept = sorted(await visible(kind.name))
      duration = await run()
      const all = replace ? ids(round, 1) : ids(0, round + 1)
      expected = kind.name === 'append' ? [...kept, ...all].sort((a, b) => a - b) : all
      const found = sorted(await visible(kind.name))
      expect(found.length, `round ${round}`).toBe(expected.length)
      expect(found).toEqual(expected)
      expect(lake.aws.s3.listUploads(lake.bucket)).toEqual([])
    }
    for (const [key, body] of Object.entries(foreign))
      expect(String(await lake.aws.s3.getObject(lake.bucket, key.replace('orders_', 'other_')))).toBe(body)
  },
  60_000 + kills * 60_000,
)

test('two runs at once: one writes, the other says so and touches nothing', async () => {
  const databases = ['first', 'second'].map((name) => join(lake.folder, `${name}.duckdb`))
  for (const database of databases) await fill(database, 0, true)
  const task = {
    endpoint: lake.aws.endpoint,
    ...lake.aws.root,
    bucket: lake.bucket,
    name: 'both',
    mode: 'overwrite',
  } as const
  const slow = lake.aws.faults.add({ when: { operation: 'PutObject' }, fault: { kind: 'latency', ms: 150 } })
  const runs = await Promise.all(
    databases.map((database) =>
      ended(startChild('./export-child.ts', { ...task, database } satisfies ExportTask)),
    ),
  )
  slow()
  const winners = runs.filter(({ code }) => code === 0)
  const losers = runs.filter(({ code }) => code !== 0)
  expect(winners.length).toBeGreaterThanOrEqual(1)
  for (const { output } of losers) expect(output).toContain('"kind":"conflict"')
  expect(sorted(await visible('both'))).toEqual(ids(0, 1))
  expect(lake.aws.s3.listUploads(lake.bucket)).toEqual([])
})
