import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConnectorError } from '@penstock/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { PipelineRun } from '../pipeline/record.ts'
import { pipelineHistory } from '../project/history.ts'
import type { ServeEvent } from './events.ts'
import { type ServedRun, type ServeOptions, serve } from './serve.ts'

const minute = 60_000

interface Bench {
  readonly folder: string
  readonly events: ServeEvent[]
  /** Pipeline and scheduled time of each run that began. */
  readonly runs: string[]
  now: number
  write(pipelines: string): Promise<void>
  /** Serves until the time, or until nothing is due with `once`. */
  serve(options?: Partial<ServeOptions> & { until?: string }): Promise<readonly PipelineRun[]>
}

const pipeline = (name: string, schedule: string, into = `${name}.duckdb`) =>
  `  ${name}: { into: ${into}, schedule: ${schedule}, steps: [{ id: a, sql: SELECT 1 }] }\n`

const createBench = async (start: string): Promise<Bench> => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-serve-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'penstock.yaml')
  const bench: Bench = {
    folder,
    events: [],
    runs: [],
    now: Date.parse(start),
    write: (pipelines) => writeFile(file, `pipelines:\n${pipelines}`),
    serve: async ({ until, ...options } = {}) => {
      const controller = new AbortController()
      return serve({
        file,
        run: runs(bench),
        signal: controller.signal,
        onEvent: (event) => void bench.events.push(event),
        clock: () => new Date(bench.now),
        // Time passes only here, and not while something runs.
        sleep: async (ms) => {
          await new Promise((resolve) => setImmediate(resolve))
          if (underWay(bench)) return
          bench.now += Math.max(ms, minute)
          if (until !== undefined && bench.now > Date.parse(until)) controller.abort()
        },
        ...options,
      })
    },
  }
  return bench
}

/** Whether a run has begun whose end is not on disk yet. */
const underWay = ({ events }: Bench): boolean => {
  const count = (type: ServeEvent['type']) => events.filter((event) => event.type === type).length
  return count('run-started') > count('run-finished')
}

/** A run that ends at once and keeps its record, as a pipeline does. */
const runs =
  (
    bench: Bench,
    work: (name: string) => Promise<PipelineRun['status']> = async () => 'succeeded',
  ): ServedRun =>
  async (project, name, { runId = '', scheduledTime, resume }) => {
    bench.runs.push(`${name} ${scheduledTime?.toISOString().slice(5, 16)}`)
    const record = (status: PipelineRun['status']): PipelineRun => ({
      runId,
      pipeline: name,
      status,
      startedAt: new Date(bench.now).toISOString(),
      attempts: (resume?.attempts ?? 0) + 1,
      steps: [],
    })
    await pipelineHistory(project.folder).save(record('running'))
    const ended = record(await work(name))
    await pipelineHistory(project.folder).save(ended)
    return ended
  }

describe('serve', () => {
  it('runs each due time once', async () => {
    const bench = await createBench('2026-01-01T00:10Z')
    await bench.write(pipeline('a', '{ every: 6h }') + pipeline('b', '{ every: day, at: "05:00" }'))
    await bench.serve({ until: '2026-01-02T01:00Z' })
    expect(bench.runs).toEqual([
      'b 01-01T05:00',
      'a 01-01T06:00',
      'a 01-01T12:00',
      'a 01-01T18:00',
      'a 01-02T00:00',
    ])
    expect(bench.events.map(({ type }) => type)).toContain('stopped')
  })

  it.each([
    ['skip', []],
    ['latest', ['a 01-03T18:00']],
    ['all', ['a 01-01T06:00', 'a 01-01T12:00', 'a 01-01T18:00']],
  ])('with missed: %s deals with what passed while it did not run', async (missed, expected) => {
    const bench = await createBench('2026-01-01T00:10Z')
    await bench.write(pipeline('a', `{ every: 6h, missed: ${missed} }`))
    await bench.serve({ until: '2026-01-01T00:20Z' })
    bench.now = Date.parse('2026-01-03T20:00Z')
    await bench.serve({ until: '2026-01-03T23:50Z' })
    expect(bench.runs.slice(0, 3)).toEqual(expected)
    expect(bench.runs).toHaveLength(missed === 'all' ? 11 : expected.length)
    const told = bench.events.find((event) => event.type === 'missed')
    expect(told?.type === 'missed' ? told.count : 0).toBe({ skip: 11, latest: 10, all: 0 }[missed])
  })

  it('once: runs what is due and ends; a new schedule counts from when it is seen first', async () => {
    const bench = await createBench('2026-01-01T06:05Z')
    await bench.write(pipeline('a', '{ every: 6h }'))
    expect(await bench.serve({ once: true })).toEqual([])
    bench.now = Date.parse('2026-01-01T12:05Z')
    expect(await bench.serve({ once: true })).toMatchObject([{ status: 'succeeded' }])
    expect(await bench.serve({ once: true })).toEqual([])
    expect(bench.runs).toEqual(['a 01-01T12:00'])
  })

  it('reads the project again when it changes, and keeps the last right one', async () => {
    const bench = await createBench('2026-01-01T00:10Z')
    await bench.write(pipeline('a', '{ every: 6h }'))
    let times = 0
    const change = async (text: string) => {
      await bench.write(text)
      // As far apart as the clock of the file system needs it.
      await utimes(join(bench.folder, 'penstock.yaml'), ++times, times)
    }
    const onEvent = (event: ServeEvent) => void bench.events.push(event)
    let step = 0
    await bench.serve({
      until: '2026-01-01T13:00Z',
      onEvent,
      run: async (...given) => {
        step++
        await change(step === 1 ? pipeline('a', '{ every: 7h }') : pipeline('b', '{ every: 3h }'))
        return runs(bench)(...given)
      },
    })
    expect(bench.runs).toEqual(['a 01-01T06:00', 'a 01-01T12:00'])
    expect(bench.events.map(({ type }) => type)).toContain('reload-failed')
    await bench.serve({ until: '2026-01-01T15:30Z' })
    expect(bench.runs.at(-1)).toBe('b 01-01T15:00')
  })

  it('runs pipelines of one database one after another, others beside each other', async () => {
    const bench = await createBench('2026-01-01T00:10Z')
    const one = '{ once: "2026-01-01T01:00Z" }'
    await bench.write(
      pipeline('a', one, 'w.duckdb') + pipeline('b', one, 'w.duckdb') + pipeline('c', one, 'x.duckdb'),
    )
    let running: string[] = []
    const seen: string[][] = []
    const work = async (name: string) => {
      running = [...running, name]
      seen.push(running)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running = running.filter((other) => other !== name)
      return 'succeeded' as const
    }
    await bench.serve({ until: '2026-01-05T00:00Z', run: runs(bench, work) })
    expect(bench.runs).toHaveLength(3)
    expect(seen.some((names) => names.includes('a') && names.includes('b'))).toBe(false)
    expect(seen.some((names) => names.length === 2)).toBe(true)
  })

  it('one instance per project; a lock of a dead process is taken over', async () => {
    const bench = await createBench('2026-01-01T00:10Z')
    await bench.write(pipeline('a', '{ every: 6h }'))
    let second: unknown
    await bench.serve({
      until: '2026-01-01T07:00Z',
      run: async (...given) => {
        second = await bench.serve({ once: true }).catch((error: unknown) => error)
        return runs(bench)(...given)
      },
    })
    expect(ConnectorError.isInstance(second) && second).toMatchObject({
      kind: 'conflict',
      code: 'ServeRunning',
    })
    const lock = join(bench.folder, '.penstock', 'serve.lock')
    await expect(readFile(lock)).rejects.toThrow('ENOENT')
    await writeFile(
      lock,
      JSON.stringify({ host: (await import('node:os')).hostname(), pid: process.pid, born: 'another' }),
    )
    expect(await bench.serve({ once: true })).toEqual([])
  })
})

describe('whenever the process dies', () => {
  /** What a process that was killed leaves behind: its state and its record, and no lock that lives. */
  const state = async (bench: Bench) => {
    const text = await readFile(join(bench.folder, '.penstock', 'schedules.json'), 'utf8')
    return JSON.parse(text).pipelines.a
  }
  const restore = async (bench: Bench, pipelines: unknown) =>
    writeFile(join(bench.folder, '.penstock', 'schedules.json'), JSON.stringify({ version: 1, pipelines }))

  it.each([
    ['before the run began', undefined, ['a 01-01T06:00'], false],
    ['while it ran', 'interrupted', ['a 01-01T06:00'], true],
    ['after it stopped the run', 'cancelled', ['a 01-01T06:00'], true],
    ['after the run ended', 'succeeded', [], true],
    ['after the run failed', 'failed', [], true],
  ] as const)('%s, no due time is lost and none runs twice', async (_when, status, expected, recorded) => {
    const bench = await createBench('2026-01-01T00:10Z')
    await bench.write(pipeline('a', '{ every: 6h }'))
    await bench.serve({ until: '2026-01-01T00:20Z' })
    const run = { runId: 'r1', scheduledTime: '2026-01-01T06:00:00.000Z' }
    await restore(bench, { a: { ...(await state(bench)), handled: run.scheduledTime, run } })
    if (recorded)
      await pipelineHistory(bench.folder).save({
        runId: 'r1',
        pipeline: 'a',
        status: status ?? 'running',
        startedAt: run.scheduledTime,
        attempts: 1,
        steps: [],
      })
    bench.now = Date.parse('2026-01-01T06:30Z')
    const ended = await bench.serve({ once: true })
    expect(bench.runs).toEqual(expected)
    if (expected.length > 0) expect(ended).toMatchObject([{ runId: 'r1', attempts: recorded ? 2 : 1 }])
    expect((await state(bench)).run).toBeUndefined()
    expect(await bench.serve({ once: true })).toEqual([])
  })

  it('a run that kills the process each time is given up', async () => {
    const bench = await createBench('2026-01-01T00:10Z')
    await bench.write(pipeline('a', '{ every: 6h }'))
    await bench.serve({ until: '2026-01-01T00:20Z' })
    const run = { runId: 'r1', scheduledTime: '2026-01-01T06:00:00.000Z' }
    await restore(bench, { a: { ...(await state(bench)), run } })
    await pipelineHistory(bench.folder).save({
      runId: 'r1',
      pipeline: 'a',
      status: 'interrupted',
      startedAt: run.scheduledTime,
      attempts: 5,
      steps: [],
    })
    await bench.serve({ once: true })
    expect(bench.runs).toEqual([])
    expect(bench.events.map(({ type }) => type)).toContain('given-up')
  })
})
