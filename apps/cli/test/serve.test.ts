// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { duckdb } from '@penstock/engine-duckdb'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Serve } from '../src/commands/serve.ts'
import { startLake, type TestLake } from './lake.ts'
import { runCommand } from './run-command.ts'
import { startProcess } from './start-process.ts'

let lake: TestLake
beforeAll(async () => {
  lake = await startLake()
  for (const [name, value] of Object.entries(lake.env)) vi.stubEnv(name, value)
  lake.aws.s3.createBucket({ name: 'reports' })
  await lake.project.write(`${(await lake.project.text()).trimEnd()}
  out:
    connector: destination-s3
    region: us-east-1
    bucket: reports
    endpoint: ${lake.aws.endpoint}
    auth: { method: access-key, accessKeyId: '\${env:LAKE_KEY_ID}', secretAccessKey: '\${env:LAKE_SECRET}' }
pipelines:
  daily:
    into: w.duckdb
    schedule: { every: day, at: '00:00', missed: latest }
    steps:
      - id: count
        sql: |
          CREATE TABLE IF NOT EXISTS log (n INT);
          INSERT INTO log SELECT count(*) + 1 FROM log
      - id: export
        export:
          connection: out
          keyTemplate: '{stream_name}_{run_id}.{extension}'
          manifest: true
          streams: [{ table: log }]
`)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await lake.close()
})

/** A process, for what kills it; everything else is called here. */
const start = () => startProcess(['serve'], { cwd: lake.project.folder, env: lake.env })
const serve = (...argv: string[]) => runCommand(Serve, ...argv, '--project', lake.project.folder)

const stateFile = () => join(lake.project.folder, '.penstock', 'schedules.json')

/** As if two days had passed while nothing ran. */
const letTimePass = async () => {
  const state = JSON.parse(await readFile(stateFile(), 'utf8'))
  state.pipelines.daily.handled = new Date(Date.now() - 2 * 86_400_000).toISOString()
  await writeFile(stateFile(), JSON.stringify(state))
}

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const logged = async () => {
  const engine = await duckdb(join(lake.project.folder, 'w.duckdb'), { readOnly: true })
  try {
    const rows: unknown[] = []
    for await (const page of (await engine.query('select n from log order by n')).rows())
      rows.push(...page.flat())
    return rows
  } finally {
    await engine.close()
  }
}
const exports = () => lake.aws.s3.listKeys('reports').filter((key) => key.startsWith('log_'))
const hang = () =>
  lake.aws.faults.add({ when: { operation: 'PutObject', key: 'log_*' }, fault: { kind: 'hang' } })

describe('serve as a process', () => {
  it('goes on after kill -9 with the same run, which nothing doubles', async () => {
    expect((await serve('--once')).stdout).toContain('daily: next at')
    await letTimePass()
    const heal = hang()
    const first = start()
    await first.seen('stdout', 'daily: step count succeeded')
    const second = await serve()
    expect(second.code).toBe(6)
    expect(second.stderr).toContain(`process ${first.child.pid}`)
    first.child.kill('SIGKILL')
    await first.ended
    heal()
    const runId = /starts run (\S+),/.exec(first.out.stdout)?.[1]
    const { code, stdout, stderr } = await serve('--once', '--json')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const events = lines(stdout)
    expect(events).toContainEqual(expect.objectContaining({ event: 'run-started', resumed: true, runId }))
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'run-finished', status: 'succeeded', runId, attempts: 2 }),
    )
    expect(await logged()).toEqual([1])
    expect(exports()).toHaveLength(1)
    expect(lines((await serve('--once', '--json')).stdout).map(({ event }) => event)).toEqual([
      'serving',
      'stopped',
    ])
    expect(await lake.project.everything()).not.toContain(lake.env.LAKE_SECRET)
  })

  it('ends at SIGTERM, and the next start goes on', async () => {
    await letTimePass()
    const heal = hang()
    const first = start()
    await first.seen('stdout', 'daily: step count succeeded')
    first.child.kill('SIGTERM')
    const ended = await first.ended
    heal()
    expect(ended.code).toBe(0)
    expect(ended.stdout).toContain('stopped, the next start goes on with it')
    expect((await serve('--once')).stdout).toMatch(/goes on with run .*\n(.*\n)*.* succeeded/)
    expect(await logged()).toEqual([1, 2])
    expect(exports()).toHaveLength(2)
  })

  it('ends with the code of a failure, once', async () => {
    await letTimePass()
    const text = await lake.project.text()
    await lake.project.write(text.replace('bucket: reports', 'bucket: nowhere'))
    const failed = await serve('--once')
    expect(failed.code).toBe(5)
    expect(failed.stdout).toMatch(/daily: step export failed: .*nowhere/)
    await lake.project.write(text)
    expect((await serve('--once')).code).toBe(0)
  })
})
