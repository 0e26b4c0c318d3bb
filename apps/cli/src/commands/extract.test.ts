import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startLake, type TestLake } from '../../test/lake.ts'
import { createTestProject, testConnector } from '../../test/project.ts'
import { runCommand } from '../../test/run-command.ts'
import { Check } from './check.ts'
import { Extract } from './extract.ts'
import { Plan } from './plan.ts'
import { Query } from './query.ts'
import { Run } from './run.ts'
import { Runs } from './runs.ts'
import { Tables } from './tables.ts'

const pipelines = `pipelines:
  daily:
    connection: lake
    into: daily.duckdb
    options: { mode: delta }
    tables:
      - folder: orders/
      - { object: customers.csv, mode: full }
  broken:
    connection: lake
    into: daily.duckdb
    tables:
      - object: customers.csv
      - object: missing.csv
`

let lake: TestLake
beforeAll(async () => {
  lake = await startLake(pipelines)
  for (const [name, value] of Object.entries(lake.env)) vi.stubEnv(name, value)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await lake.close()
})

const at = () => ['--project', lake.project.folder]
const file = (name: string) => join(lake.project.folder, name)
const sql = async (statement: string, database: string) =>
  JSON.parse((await runCommand(Query, statement, '--from', file(database), '--json')).stdout).rows

describe('check, tables and plan', () => {
  it('tell what there is', async () => {
    const check = await runCommand(Check, 'lake', ...at())
    expect(check).toMatchObject({ code: 0 })
    expect(check.stdout).toMatch(/^✔ /)
    const { stdout } = await runCommand(Tables, 'lake', ...at())
    for (const part of ['customers.csv', '--object customers.csv', 'orders/', '--folder orders/', 'events/'])
      expect(stdout).toContain(part)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('tell what would be loaded, with types and evidence, and change nothing', async () => {
    const { stdout, code } = await runCommand(
      Plan,
      'lake',
      '--folder',
      'orders/',
      '--into',
      file('p.duckdb'),
      ...at(),
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^orders {2}full load, new table$/m)
    expect(stdout).toMatch(/listed +3 objects/)
    expect(stdout).toMatch(/customer_id +text/)
    await expect(readFile(file('p.duckdb'))).rejects.toThrow()
    const json = await runCommand(Plan, 'lake', '--folder', 'orders/', '--json', ...at())
    expect(JSON.parse(json.stdout).tables[0]).toMatchObject({ name: 'orders', toLoad: { objects: 3 } })
  })
})

describe('extract', () => {
  it('loads objects and folders, and says what it did', async () => {
    const argv = [
      'lake',
      '--object',
      'customers.csv',
      '--folder',
      'orders/',
      '--into',
      file('a.duckdb'),
      ...at(),
    ]
    const { stdout, stderr, code } = await runCommand(Extract, ...argv)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^customers +full +succeeded +1 /m)
    expect(stdout).toMatch(/^orders +full +succeeded +3 .* 3,000 +0 /m)
    expect(stderr).toContain('✔ customers: 1 file')
    expect(stderr).toContain(`penstock query "from customers limit 10" --from ${file('a.duckdb')}`)
    expect(await sql('select count(*)::int n, min(customer_id) c from orders', 'a.duckdb')).toEqual([
      { n: 3000, c: '00001' },
    ])
  })

  it('appends what is new, and prints the run as JSON', async () => {
    const argv = [
      'lake',
      '--folder',
      'orders/',
      '--mode',
      'delta',
      '--into',
      file('d.duckdb'),
      '--json',
      ...at(),
    ]
    const first = JSON.parse((await runCommand(Extract, ...argv)).stdout)
    expect(first).toMatchObject({
      status: 'succeeded',
      connection: 'lake',
      connector: 'source-s3',
      tables: [
        { name: 'orders', mode: 'delta', objects: 3, rowsRead: 3000, rowsLoaded: 3000, rowsRejected: 0 },
      ],
    })
    expect(first.tables[0].columns).toContainEqual({ name: 'customer_id', type: 'text' })
    expect(first.tables[0].bytes).toBeGreaterThan(1000)
    await lake.put(
      'orders/2026-04-09.csv',
      'order_id,customer_id,placed_at,amount,channel\n1,00001,2026-04-09 08:00:00,1.50,web\n',
    )
    const second = JSON.parse((await runCommand(Extract, ...argv)).stdout)
    expect(second.tables[0]).toMatchObject({ status: 'succeeded', objects: 1, rowsLoaded: 1 })
    expect(JSON.parse((await runCommand(Extract, ...argv)).stdout).tables[0].status).toBe('unchanged')
  })

  it('fails with object, line, column and value, and tells the run as JSON too', async () => {
    await lake.put('bad/a.csv', 'id,amount\n1,2.50\n2,3.50\n')
    await lake.put('bad/b.csv', 'id,amount\n3,4.50\nfour,5.50\n')
    const argv = ['lake', '--folder', 'bad/', '--into', file('b.duckdb'), ...at()]
    const { stderr, stdout, code } = await runCommand(Extract, ...argv)
    expect(code).toBe(7)
    expect(stdout).toContain('failed')
    for (const part of ['bad/b.csv', '3', 'id', 'four']) expect(stderr).toContain(part)
    const json = await runCommand(Extract, ...argv, '--json')
    expect(json.code).toBe(7)
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: 'failed',
      tables: [{ name: 'bad', status: 'failed' }],
      error: { kind: 'data', place: { line: 3 } },
    })
  })

  it('keeps bad rows aside when asked to', async () => {
    const argv = ['lake', '--folder', 'bad/', '--on-bad-row', 'reject', '--into', file('r.duckdb'), ...at()]
    const { stdout, stderr, code } = await runCommand(Extract, ...argv)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^bad +full +succeeded +2 .* 3 +1 /m)
    expect(stderr).toContain('Look at the rejected rows:')
  })

  it.each([
    [['--folder', 'orders/'], '--into is missing', 2],
    [['--into', 'x.duckdb'], 'Nothing is chosen. Give --object, --folder, --glob.', 2],
    [['--folder', 'nothing/', '--into', 'x.duckdb'], 'nothing/', 5],
    [['--folder', 'orders/', '--mode', 'merge', '--into', 'x.duckdb'], '--key', 2],
    [['--folder', 'orders/', '--staging', 'much', '--into', 'x.duckdb'], '--staging must be a size', 2],
    [['--fodler', 'orders/', '--into', 'x.duckdb'], 'Did you mean --folder?', 2],
  ])('explains %j', async (argv, message, code) => {
    const given = argv.map((word) => (word === 'x.duckdb' ? file(word) : word))
    const run = await runCommand(Extract, 'lake', ...given, ...at())
    expect(run.stderr.replace(/\s+/g, ' ')).toContain(message)
    expect(run.code).toBe(code)
  })
})

describe('run', () => {
  it('loads the tables of a pipeline into its database', async () => {
    const { stdout, stderr, code } = await runCommand(Run, 'daily', ...at())
    expect(stderr).not.toContain('✖')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^orders +delta +succeeded/m)
    expect(stdout).toMatch(/^customers +full +succeeded/m)
    const json = JSON.parse((await runCommand(Run, 'daily', '--json', ...at())).stdout)
    expect(json).toMatchObject({ pipeline: 'daily', status: 'succeeded', into: file('daily.duckdb') })
    expect(json.runs[0].tables.map((table: { status: string }) => table.status)).toEqual([
      'unchanged',
      'succeeded',
    ])
  })

  it('fails with the error of what failed', async () => {
    const { stderr, code } = await runCommand(Run, 'broken', ...at())
    expect(code).toBe(5)
    expect(stderr).toContain('missing.csv')
    expect(await runCommand(Run, 'dayly', ...at())).toMatchObject({ code: 5 })
  })
})

it('tells the run also when no table was begun', async () => {
  const missing = ['lake', '--object', 'nowhere.csv', '--into', file('nowhere.duckdb'), '--json']
  const failed = JSON.parse((await runCommand(Extract, ...missing, ...at())).stdout)
  expect(failed).toMatchObject({ status: 'failed', tables: [], error: { code: 'NoSuchKey' } })
  const { runs } = JSON.parse((await runCommand(Runs, '--json', ...at())).stdout)
  expect(runs.map(({ runId }: { runId: string }) => runId)).toContain(failed.runId)
})

describe('runs', () => {
  it('shows the history of the project and of a database', async () => {
    vi.stubEnv('COLUMNS', '80')
    const { stdout } = await runCommand(Runs, ...at())
    vi.stubEnv('COLUMNS', undefined)
    expect(stdout.split('\n')[0]).toMatch(/^RUN +STATUS +WHAT +FILES +ROWS +TIME( +REJECTED)?$/)
    expect(stdout).toContain('failed')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    const { runs } = JSON.parse((await runCommand(Runs, '--json', ...at())).stdout)
    const failed = runs.find((run: { status: string }) => run.status === 'failed')
    const detail = await runCommand(Runs, failed.runId, ...at())
    expect(detail.stdout).toContain(`run         ${failed.runId}`)
    expect(detail.stdout).toContain('✖')
    const inside = JSON.parse((await runCommand(Runs, '--from', file('d.duckdb'), '--json')).stdout).runs
    expect(inside[0]).toMatchObject({ status: 'succeeded', tables: [{ name: 'orders' }] })
    expect(await runCommand(Runs, '--from', file('none.duckdb'))).toMatchObject({ code: 5 })
  })
})

describe('query', () => {
  const query = (statement: string, ...more: string[]) =>
    runCommand(Query, statement, '--from', file('a.duckdb'), ...more)

  it('fits a table to the terminal and to a number of rows', async () => {
    vi.stubEnv('COLUMNS', '80')
    const { stdout, stderr } = await query('from orders order by order_id')
    expect(stdout.split('\n')).toHaveLength(42)
    expect(stderr).toContain('First 40 rows')
    const wide = await query(
      `select ${Array.from({ length: 40 }, (_, i) => `${i} as column_${i}`).join(', ')}`,
    )
    for (const line of wide.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(wide.stderr).toContain('columns have no room')
    vi.stubEnv('COLUMNS', undefined)
  })

  it('streams CSV and JSON, exactly', async () => {
    const statement = `select 9223372036854775807 as big, 0.1 + 0.2 as sum, null as nothing, '' as empty, 'a,"b"' as text, [1, 2] as list`
    expect((await query(statement, '--format', 'csv')).stdout).toBe(
      'big,sum,nothing,empty,text,list\n9223372036854775807,0.3,,"","a,""b""","[1,2]"\n',
    )
    const { stdout } = await query(statement, '--format', 'json')
    expect(stdout).toContain('"big":9223372036854775807')
    expect(JSON.parse(stdout)).toMatchObject({ nothing: null, empty: '', text: 'a,"b"', list: [1, 2] })
    expect((await query('from orders', '--format', 'csv')).stdout.split('\n')).toHaveLength(3002)
  })

  it('writes files in the engine', async () => {
    const { stderr, result } = await query('from orders', '--output', file('o.parquet'))
    expect(stderr).toContain('Wrote 3,000 rows')
    expect(result).toMatchObject({ format: 'parquet', rows: 3000 })
    const back = await query(`select count(*)::int n from read_parquet('${file('o.parquet')}')`, '--json')
    expect(JSON.parse(back.stdout)).toMatchObject({ rows: [{ n: 3000 }], truncated: false })
  })

  it.each([
    [['selct 1'], 2],
    [['from orders', '--format', 'parquet'], 2],
    [['from orders', '--output', 'x.bin'], 2],
    [['from nothing'], undefined],
    [['drop table orders'], undefined],
  ])('refuses %j and changes nothing', async ([statement = '', ...more], code) => {
    const run = await query(statement, ...more)
    expect(run.code).not.toBe(0)
    expect(run.code).not.toBe(1)
    if (code !== undefined) expect(run.code).toBe(code)
    expect(await sql('select count(*)::int n from orders', 'a.duckdb')).toEqual([{ n: 3000 }])
  })
})

describe('a connector of rows, from a file of the project', () => {
  it('brings its own flags and loads', async () => {
    const project = await createTestProject(
      `connections:\n  n:\n    connector: ${testConnector('numbers')}\n    count: 250\n    auth: { method: token, user: me, token: '\${env:LAKE_SECRET}' }\n`,
    )
    try {
      const path = join(project.folder, 'n.duckdb')
      const argv = ['n', '--table', 'small', '--table', 'big', '--into', path, '--project', project.folder]
      const { stdout, code } = await runCommand(Extract, ...argv)
      expect(code).toBe(0)
      expect(stdout).toMatch(/^small +full +succeeded .* 250 /m)
      expect(await runCommand(Extract, ...argv, '--folder', 'x')).toMatchObject({ code: 2 })
    } finally {
      await project.remove()
    }
  })
})

it('keeps the secret out of everything', async () => {
  const secret = lake.env.LAKE_SECRET ?? ''
  vi.stubEnv('LAKE_SECRET', 'wrong/Secret+0123456789abcdef')
  try {
    const wrong = await runCommand(
      Extract,
      'lake',
      '--folder',
      'orders/',
      '--into',
      file('w.duckdb'),
      '--json',
      ...at(),
    )
    expect(wrong.code).toBe(3)
    expect(wrong.stdout + wrong.stderr).not.toContain('wrong/Secret')
    const check = await runCommand(Check, 'lake', ...at())
    expect(check.code).toBe(3)
    expect(check.stdout).toMatch(/secret/i)
  } finally {
    vi.stubEnv('LAKE_SECRET', secret)
  }
  const everything = await lake.project.everything()
  expect(everything).not.toContain(secret)
  expect(everything).not.toContain('wrong/Secret')
})
