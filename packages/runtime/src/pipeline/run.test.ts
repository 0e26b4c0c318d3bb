// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { duckdb } from '@penstock/engine-duckdb'
import { describe, expect, it } from 'vitest'
import { createStepProject, type StepProject } from '../../test/step-project.ts'
import { pipelineHistory } from '../project/history.ts'
import type { PipelineContext, PipelineEvent } from './context.ts'
import type { PipelineRun } from './record.ts'
import { type RunPipelineOptions, runPipeline } from './run.ts'

const pipelines = (steps: string, into = 'w.duckdb') =>
  `pipelines:\n  daily:\n    into: ${into === ':memory:' ? "':memory:'" : into}\n    steps:\n${steps}\n`
const action = (id: string, name: string, more = '', input = '{}') =>
  `      - { id: ${id}, action: { connection: act, name: ${name}, input: ${input} }${more} }`

const run = async (
  bench: StepProject,
  steps: string,
  options: RunPipelineOptions = {},
  more: Partial<PipelineContext> = {},
): Promise<PipelineRun> => {
  const project = await bench.write(pipelines(steps))
  return runPipeline(await bench.open(project, 'daily'), bench.context(project, more), options)
}
const statuses = (result: PipelineRun) =>
  Object.fromEntries(result.steps.map(({ id, status }) => [id, status]))
const rows = async (bench: StepProject, sql: string) => {
  const engine = await duckdb(join(bench.folder, 'w.duckdb'), { readOnly: true })
  try {
    const all: unknown[] = []
    for await (const page of (await engine.query(sql)).rows()) all.push(...page)
    return all
  } finally {
    await engine.close()
  }
}
const echo = (id: string, text: string, more = '') => action(id, 'echo', more, `{ text: '${text}' }`)
const broken = (id: string, more = '') => action(id, 'fail', more, '{ times: 100 }')
const sql = (id: string, text: string, more = '') => `      - { id: ${id}, sql: "${text}"${more} }`

it('tells how far the action of a step is', async () => {
  const bench = await createStepProject()
  const told: unknown[] = []
  const onEvent = (event: PipelineEvent) => {
    if (event.type === 'action-progress') told.push(event)
  }
  await run(bench, [echo('first', 'a'), echo('next', 'bc')].join('\n'), {}, { onEvent })
  expect(told).toEqual([
    { type: 'action-progress', step: 'first', progress: { item: 'a', items: 1, bytes: 1 } },
    { type: 'action-progress', step: 'next', progress: { item: 'bc', items: 1, bytes: 2 } },
  ])
})

describe('conditions', () => {
  it('after a failure: failure and always run, success does not, and the first error is that of the run', async () => {
    const bench = await createStepProject()
    const result = await run(
      bench,
      [
        echo('first', 'a'),
        broken('bad'),
        echo('next', 'b'),
        echo('rescue', 'c', ', if: failure'),
        echo('always', 'd', ', if: always'),
        echo('of-bad', 'e', ', if: { failure: bad }'),
        echo('of-first', 'f', ', if: { success: [first, rescue] }'),
        echo('of-next', 'g', ', if: { success: next }'),
      ].join('\n'),
    )
    expect(statuses(result)).toEqual({
      first: 'succeeded',
      bad: 'failed',
      next: 'skipped',
      rescue: 'succeeded',
      always: 'succeeded',
      'of-bad': 'succeeded',
      'of-first': 'succeeded',
      'of-next': 'skipped',
    })
    expect(result).toMatchObject({ status: 'failed', error: { kind: 'network', message: 'Broken off (1).' } })
    expect(bench.calls.list).toEqual(['echo a', 'fail', 'echo c', 'echo d', 'echo e', 'echo f'])
  })

  it('a tolerated failure stops nothing, and what follows its success is left out', async () => {
    const bench = await createStepProject()
    const result = await run(
      bench,
      [
        broken('bad', ', continueOnError: true'),
        echo('next', 'a'),
        echo('rescue', 'b', ', if: failure'),
        echo('of-bad', 'c', ', if: { failure: bad }'),
      ].join('\n'),
    )
    expect(result.status).toBe('succeeded')
    expect(statuses(result)).toEqual({
      bad: 'failed',
      next: 'succeeded',
      rescue: 'skipped',
      'of-bad': 'succeeded',
    })
  })
})

describe('tries', () => {
  it('are as many as asked for, with the count in the record', async () => {
    const bench = await createStepProject()
    const retried = action('shaky', 'fail', ', retries: { count: 2, delay: 1ms }', '{ times: 2 }')
    expect(await run(bench, retried)).toMatchObject({ status: 'succeeded', steps: [{ tries: 3 }] })
    expect(bench.events.filter(({ type }) => type === 'step-retry')).toHaveLength(2)
  })

  it.each([
    ['SELEC 1', 'config'],
    ["SELECT 'x'::INT", 'data'],
  ])('is one where the user has to correct something: %s', async (text, kind) => {
    const never = await createStepProject()
    expect(await run(never, sql('bad', text, ', retries: { count: 2, delay: 1ms }'))).toMatchObject({
      status: 'failed',
      steps: [{ tries: 1, error: { kind } }],
    })
  })

  it('end at their timeout, and the run goes on', async () => {
    const bench = await createStepProject()
    const result = await run(
      bench,
      [
        action('slow', 'wait', ', timeout: 10ms, retries: { count: 1, delay: 1ms }'),
        echo('after', 'x', ', if: failure'),
      ].join('\n'),
    )
    expect(result.steps[0]).toMatchObject({
      status: 'failed',
      tries: 2,
      error: { code: 'StepTimeout', kind: 'resource' },
    })
    expect(statuses(result).after).toBe('succeeded')
  })
})

describe('SQL, exports and values', () => {
  const work = [
    sql(
      'make',
      "CREATE OR REPLACE TABLE t AS SELECT range AS n, 'a' AS s FROM range(3); SELECT max(n) AS top FROM t",
    ),
    "      - { id: out, export: { connection: out, streams: [{ table: t }, { name: top, sql: 'SELECT ${steps.make.rows[0].top} AS n' }] } }",
    action('tell', 'echo', '', "{ text: '${steps.out.files[0].key}', count: '${steps.out.rows}' }"),
  ].join('\n')

  it('pass on what they gave, typed', async () => {
    const bench = await createStepProject()
    const result = await run(bench, work, { runId: 'r1', scheduledTime: new Date('2026-01-01T05:00Z') })
    expect(result).toMatchObject({ status: 'succeeded', scheduledTime: '2026-01-01T05:00:00.000Z' })
    expect([...bench.written.keys()]).toEqual(['out/t-r1.out.json', 'out/top-r1.out.json'])
    expect(bench.written.get('out/top-r1.out.json')).toEqual([{ n: 2 }])
    expect(result.steps[2]?.output).toMatchObject({ text: 'out/t-r1.out.json', count: 4 })
  })

  it('a database in memory lives as long as the run', async () => {
    const bench = await createStepProject()
    const project = await bench.write(pipelines(work, ':memory:'))
    const result = await runPipeline(await bench.open(project, 'daily'), bench.context(project), {
      runId: 'r1',
    })
    expect(result.status).toBe('succeeded')
    expect(bench.written.get('out/t-r1.out.json')).toHaveLength(3)
  })

  it('SQL reaches no file', async () => {
    const bench = await createStepProject()
    const result = await run(bench, sql('spy', "CREATE TABLE x AS FROM read_text('/etc/hostname')"))
    expect(result).toMatchObject({ status: 'failed', error: { kind: 'permission', code: 'Contained' } })
  })

  it('begin at a step with the values of an earlier run', async () => {
    const bench = await createStepProject()
    const first = await run(bench, work)
    const again = await run(bench, work, { from: { step: 'tell', values: first } })
    expect(statuses(again)).toEqual({ make: 'reused', out: 'reused', tell: 'succeeded' })
    expect(bench.written.size).toBe(2)
    const without = await run(bench, work, { from: { step: 'tell', values: undefined } })
    expect(without).toMatchObject({ status: 'failed', error: { kind: 'config' } })
    await expect(run(bench, work, { from: { step: 'tel', values: first } })).rejects.toMatchObject({
      hint: 'Did you mean tell?',
    })
  })

  it('keeps secrets out of values, records and files', async () => {
    const bench = await createStepProject()
    process.env.STEP_TOKEN = 'hunter2-hunter2'
    const result = await run(
      bench,
      [
        action('say', 'echo', '', "{ text: x, token: '${env:STEP_TOKEN}' }"),
        action('again', 'echo', '', "{ text: '${steps.say.text}' }"),
      ].join('\n'),
    )
    expect(result.steps[1]?.output).toMatchObject({ text: 'x [secret]' })
    const file = await readFile(join(bench.folder, '.penstock', 'pipelines', `${result.runId}.json`), 'utf8')
    expect(JSON.stringify(result) + JSON.stringify(bench.events) + file).not.toContain('hunter2')
  })
})

describe('a run that was interrupted', () => {
  const work = [
    sql(
      'count',
      'CREATE TABLE IF NOT EXISTS log (n INT); INSERT INTO log VALUES (1); SELECT count(*)::INT AS n FROM log',
    ),
    '      - { id: out, export: { connection: out, streams: [{ table: log }] } }',
    action('tell', 'echo', '', "{ text: 'n=${steps.count.rows[0].n}' }"),
  ].join('\n')
  const interrupted = (run: PipelineRun, from: number): PipelineRun => ({
    ...run,
    status: 'interrupted',
    steps: run.steps.map((step, index) => {
      if (index < from) return step
      const { output: _, ...rest } = step
      return index === from
        ? { ...rest, status: 'running' }
        : { id: step.id, kind: step.kind, status: 'waiting', tries: 0 }
    }),
  })

  it.each([0, 1, 2])('goes on at step %i as the same run: nothing is done twice', async (from) => {
    const bench = await createStepProject()
    const first = await run(bench, work, { runId: 'r1' })
    expect(first.status).toBe('succeeded')
    const again = await run(bench, work, { resume: interrupted(first, from) })
    expect(again).toMatchObject({ status: 'succeeded', runId: 'r1', attempts: 2 })
    // The step that ran when the process died had committed: SQL and export find that out.
    expect(await rows(bench, 'SELECT count(*)::INT FROM log')).toEqual([[1]])
    expect([...bench.written]).toEqual([['out/log-r1.out.json', [{ n: 1 }]]])
    expect(bench.calls.list.filter((call) => call === 'write')).toHaveLength(1)
    expect(again.steps[2]?.output).toMatchObject({ text: 'n=1' })
  })

  it('stops after the step at work, and goes on from there', async () => {
    const bench = await createStepProject()
    const stop = new AbortController()
    const onEvent: PipelineContext['onEvent'] = (event) => {
      if (event.type === 'step-finished' && event.step.id === 'count') stop.abort()
    }
    const first = await run(bench, work, { runId: 'r1' }, { stop: stop.signal, onEvent })
    expect(first.status).toBe('interrupted')
    expect(statuses(first)).toEqual({ count: 'succeeded', out: 'waiting', tell: 'waiting' })
    const again = await run(bench, work, { resume: await pipelineHistory(bench.folder).read('r1') })
    expect(again.status).toBe('succeeded')
    expect(await rows(bench, 'SELECT count(*)::INT FROM log')).toEqual([[1]])
  })

  it('is cancelled at once by its signal', async () => {
    const bench = await createStepProject()
    const controller = new AbortController()
    const onEvent: PipelineContext['onEvent'] = (event) => {
      if (event.type === 'step-started') controller.abort()
    }
    const result = await run(
      bench,
      [action('slow', 'wait'), echo('next', 'x', ', if: always')].join('\n'),
      {},
      { signal: controller.signal, onEvent },
    )
    expect(result).toMatchObject({ status: 'cancelled', error: { kind: 'cancelled' } })
    expect(statuses(result)).toEqual({ slow: 'cancelled', next: 'cancelled' })
  })
})

it('one run of a pipeline at a time', async () => {
  const bench = await createStepProject()
  const controller = new AbortController()
  let second: Promise<unknown> = Promise.resolve()
  const slow = action('slow', 'wait')
  const project = await bench.write(pipelines(slow))
  const opened = await bench.open(project, 'daily')
  const onEvent: PipelineContext['onEvent'] = (event) => {
    if (event.type !== 'step-started') return
    second = runPipeline(opened, bench.context(project)).catch((error: unknown) => error)
    void second.then(() => controller.abort())
  }
  await runPipeline(opened, bench.context(project, { signal: controller.signal, onEvent }))
  expect(await second).toMatchObject({ kind: 'conflict', code: 'PipelineRunning' })
})
