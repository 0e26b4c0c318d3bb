import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLake, type TestLake } from './lake.ts'
import { startProcess } from './start-process.ts'

let lake: TestLake
beforeAll(async () => {
  lake = await startLake()
})
afterAll(() => lake.close())

const start = (...argv: string[]) => startProcess(argv, { cwd: lake.project.folder, env: lake.env })

describe('the command line as a process', () => {
  it('prints one JSON object and nothing else', async () => {
    const { stdout, stderr, code } = await start(
      'extract',
      'lake',
      '--object',
      'customers.csv',
      '--into',
      'a.duckdb',
      '--json',
      '-q',
    ).ended
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', tables: [{ rowsLoaded: 200 }] })
    expect(stderr).toBe('')
  })

  it('stops at Ctrl-C, leaves the table as it was, and says so', async () => {
    const remove = lake.aws.faults.add({
      when: { operation: 'GetObject', key: 'orders/*' },
      fault: { kind: 'hang' },
    })
    const { child, ended, seen } = start(
      'extract',
      'lake',
      '--object',
      'customers.csv',
      '--folder',
      'orders/',
      '--into',
      'b.duckdb',
    )
    await seen('stderr', '✔ customers')
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    remove()
    expect(code).toBe(130)
    expect(stderr).toContain('Stopping and cleaning up.')
    expect(stdout).toMatch(/^orders +full +cancelled/m)
    const { runs } = JSON.parse((await start('runs', '--json').ended).stdout)
    expect(runs[0]).toMatchObject({
      status: 'cancelled',
      tables: [{ status: 'succeeded' }, { status: 'cancelled' }],
    })
    const tables = await start(
      'query',
      'select table_name from duckdb_tables() where schema_name = current_schema()',
      '--from',
      'b.duckdb',
      '--format',
      'csv',
    ).ended
    expect(tables.stdout).toBe('table_name\ncustomers\n')
  })

  it('shows a run that was killed as interrupted, and the next one works', async () => {
    const remove = lake.aws.faults.add({
      when: { operation: 'GetObject', key: 'orders/*' },
      fault: { kind: 'hang' },
    })
    const { child, ended, seen } = start(
      'extract',
      'lake',
      '--object',
      'customers.csv',
      '--folder',
      'orders/',
      '--into',
      'k.duckdb',
    )
    await seen('stderr', '✔ customers')
    child.kill('SIGKILL')
    await ended
    remove()
    const { runs } = JSON.parse((await start('runs', '--json').ended).stdout)
    expect(runs[0]).toMatchObject({ status: 'interrupted', connection: 'lake' })
    const again = await start('extract', 'lake', '--folder', 'orders/', '--into', 'k.duckdb', '--json').ended
    expect(JSON.parse(again.stdout)).toMatchObject({ status: 'succeeded', tables: [{ rowsLoaded: 3000 }] })
  })

  it('ends quietly when nobody reads the result any more', async () => {
    const statement = 'select range as n from range(5000000)'
    const { child, ended } = start(
      'query',
      statement,
      '--from',
      join(lake.project.folder, 'a.duckdb'),
      '--format',
      'csv',
    )
    await once(child.stdout, 'data')
    child.stdout.destroy()
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })

  it('runs an AWS of its own until it is stopped', async () => {
    const { child, ended, seen, out } = start('dev', 'aws', '--sample', '--json')
    await seen('stdout', '\n')
    const ready = JSON.parse(out.stdout)
    expect(ready).toMatchObject({ bucket: 'sample', region: 'us-east-1' })
    expect((await fetch(ready.endpoint)).status).toBe(403)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: 0 })
  })

  it('keeps help within 80 columns', async () => {
    for (const argv of [['--help'], ['connect', '--help']]) {
      const { stdout, code } = await start(...argv).ended
      expect(code).toBe(0)
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    }
  })
})
