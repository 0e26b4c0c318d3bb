// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runHistory } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bucket, draftOf, lines, send, startTestUi, type TestUi } from './server.ts'

let test: TestUi
beforeAll(async () => {
  test = await startTestUi()
  await test.put('customers.csv', 'id,name\n001,Ada\n002,Grace\n')
  for (const day of [1, 2, 3]) await test.put(`orders/${day}.csv`, `id,amount\n${day},1.50\n`)
  await test.put('broken.csv', 'a,b\n1,2\n3,4,5\n')
})
afterAll(() => test.close())

const call: TestUi['call'] = (...given) => test.call(...given)

/** A connection as the form sends it, its secret typed in. */
const draft = () => draftOf(test)

/** Follows a run to its end by server-sent events. */
const finished = async (id: string) => {
  const { text, headers } = await call('GET', `/api/live/${id}/events`)
  expect(headers['content-type']).toContain('text/event-stream')
  const events = text.split('\n\n').filter(Boolean)
  return JSON.parse(events.at(-1)?.replace(/^event: run\ndata: /, '') ?? '')
}

const load = async (tables: unknown[], more: object = {}) => {
  const { json, status } = await call('POST', '/api/loads', {
    connection: 'lake',
    tables,
    into: 'w.duckdb',
    ...more,
  })
  expect(status).toBe(200)
  return finished(json.id)
}

describe('forms', () => {
  it('come from the schemas of a connector', async () => {
    const { json: list } = await call('GET', '/api/connectors')
    expect(list).toMatchObject([{ name: 'source-s3', kind: 'source' }, { kind: 'zero-copy' }])
    const { json } = await call('GET', '/api/connectors/source-s3')
    expect(json.config).toMatchObject({
      required: ['region', 'bucket'],
      properties: { bucket: { title: 'Bucket', type: 'string' } },
    })
    const [role] = json.auth
    expect(role).toMatchObject({ id: 'assumed-role', recommended: true, makesExternalId: true })
    const key = json.auth.find(({ id }: { id: string }) => id === 'access-key')
    expect(key.schema.properties.secretAccessKey).toMatchObject({ secret: true })
    expect(json).toMatchObject({ modes: ['full', 'delta', 'merge'], canShare: false })
    expect(json.selection.properties).toHaveProperty('glob')
    expect(json.load.properties).toHaveProperty('onBadRow')
  })

  it('are refused field by field, and nothing is written', async () => {
    const before = await test.yaml()
    const { status, json } = await call('PUT', '/api/connections/bad%20name', {
      connector: 'source-s3',
      fields: { bucket: 'Wrong', colour: 'red', maxAttempts: 99 },
      auth: { method: 'access-key', accessKeyId: 'AKIA', secretAccessKey: 'in plain text' },
    })
    expect(status).toBe(422)
    expect(
      Object.fromEntries(json.problems.map((each: { path: string[] }) => [each.path.join('.'), each])),
    ).toEqual({
      name: expect.anything(),
      region: expect.objectContaining({ message: expect.stringContaining('region is missing') }),
      bucket: expect.objectContaining({ message: expect.stringContaining('no capitals') }),
      maxAttempts: expect.objectContaining({ message: 'must be at most 20' }),
      colour: expect.anything(),
      'auth.secretAccessKey': expect.objectContaining({ message: expect.stringContaining('plain text') }),
    })
    expect(JSON.stringify(json)).not.toContain('in plain text"')
    expect(await test.yaml()).toBe(before)
    expect(existsSync(join(test.folder, '.penstock/secrets'))).toBe(false)
  })

  it('ask for an auth method, and for a name that is not taken', async () => {
    const { json } = await call('PUT', '/api/connections/x', { ...draft(), auth: {} })
    expect(json.problems).toEqual([{ path: ['auth', 'method'], message: 'is required' }])
  })
})

describe('a connection', () => {
  it('is saved as the command line writes it, with a typed secret in a file for this user', async () => {
    const { status, json } = await call('PUT', '/api/connections/lake', { ...draft(), create: true })
    expect({ status, json }).toMatchObject({ status: 200, json: { name: 'lake', created: true } })
    const reference = '${file:.penstock/secrets/lake/auth.secretAccessKey}'
    expect(await test.yaml()).toContain(`secretAccessKey: ${reference}`)
    const file = join(test.folder, '.penstock/secrets/lake/auth.secretAccessKey')
    expect(await readFile(file, 'utf8')).toBe(`${test.aws.root.secretAccessKey}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const again = await call('PUT', '/api/connections/lake', { ...draft(), create: true })
    expect(again.json.problems).toEqual([{ path: ['name'], message: 'is taken' }])
  })

  it('comes back to its form with references in place of secrets, and can be saved so', async () => {
    const { json } = await call('GET', '/api/connections/lake')
    expect(json).toMatchObject({
      connector: 'source-s3',
      fields: { bucket },
      auth: { method: 'access-key', secretAccessKey: '${file:.penstock/secrets/lake/auth.secretAccessKey}' },
    })
    const changed = { ...json, description: 'Changed' }
    expect((await call('PUT', '/api/connections/lake', changed)).json).toMatchObject({ created: false })
    expect(await test.yaml()).toContain('description: Changed')
  })

  it('is tested step by step, with hints', async () => {
    const steps = lines((await call('POST', '/api/connections/lake/check')).text)
    expect(steps.at(-1)).toEqual({ done: 'passed' })
    expect(steps[0]).toMatchObject({ step: { status: 'passed', title: expect.any(String) } })
    await call('PUT', '/api/connections/wrong', {
      ...draft(),
      fields: { ...draft().fields, bucket: 'no-such' },
    })
    const failed = lines((await call('POST', '/api/connections/wrong/check')).text)
    expect(failed.at(-1)).toEqual({ done: 'failed' })
    expect(failed.find(({ step }) => step?.status === 'failed').step.error).toMatchObject({
      kind: 'not-found',
      hint: expect.any(String),
    })
  })

  it('that can not be opened says so in its test', async () => {
    await call('PUT', '/api/connections/unset', {
      ...draft(),
      auth: { method: 'access-key', accessKeyId: 'AKIAX', secretAccessKey: '${env:PENSTOCK_NOT_SET}' },
    })
    const [line] = lines((await call('POST', '/api/connections/unset/check')).text)
    expect(line.error).toMatchObject({ code: 'MissingVariable' })
  })

  it('of a role gets an external id and a trust policy', async () => {
    const { json } = await call('PUT', '/api/connections/role', {
      ...draft(),
      auth: { method: 'assumed-role', roleArn: 'arn:aws:iam::111122223333:role/penstock' },
    })
    expect(json.externalId).toMatch(/^.{8,}$/)
    expect(JSON.stringify(json.trust)).toContain(json.externalId)
    const { json: policies } = await call('GET', '/api/connections/role/policy')
    expect(JSON.stringify(policies.policy)).toContain('s3:GetObject')
  })

  it('is removed with the secrets that were kept for it', async () => {
    for (const name of ['wrong', 'unset', 'role'])
      expect((await call('DELETE', `/api/connections/${name}`)).status).toBe(200)
    expect(existsSync(join(test.folder, '.penstock/secrets/wrong'))).toBe(false)
    expect((await call('DELETE', '/api/connections/wrong')).json.error.code).toBe('NoSuchConnection')
  })
})

describe('tables of a source', () => {
  it('are listed by folder', async () => {
    const { json } = await call('GET', '/api/connections/lake/tables')
    expect(json).toContainEqual(expect.objectContaining({ selection: { folder: 'orders/' }, objects: 3 }))
    const { json: inside } = await call('GET', '/api/connections/lake/tables?prefix=orders%2F')
    expect(inside).toHaveLength(3)
  })

  it('show their first rows, typed as a load would', async () => {
    const { json } = await call('POST', '/api/connections/lake/preview', {
      selection: { object: 'customers.csv' },
    })
    expect(json).toMatchObject({
      name: 'customers',
      columns: [{ name: 'id', type: 'text', numeric: false }, { name: 'name' }],
      rows: [
        ['001', 'Ada'],
        ['002', 'Grace'],
      ],
      more: false,
    })
  })

  it.each([{ selection: { object: 'missing.csv' } }, { selection: {} }, {}])(
    'tell what is wrong with %j',
    async (body) => {
      const { status, json } = await call('POST', '/api/connections/lake/preview', body)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(json.error.message).not.toBe('')
    },
  )
})

describe('a load', () => {
  it('is planned, carried out, watched and kept in the history', async () => {
    const tables = [{ folder: 'orders/' }, { object: 'customers.csv' }]
    const { json: plan } = await call('POST', '/api/plan', { connection: 'lake', tables, into: 'w.duckdb' })
    expect(plan.tables).toMatchObject([{ name: 'orders', toLoad: { objects: 3 } }, { name: 'customers' }])
    const run = await load(tables)
    expect(run).toMatchObject({
      status: 'succeeded',
      tables: [
        { name: 'orders', phase: 'finished', rows: 3 },
        { name: 'customers', rows: 2 },
      ],
      records: [
        {
          parts: [
            { name: 'orders', rows: 3 },
            { name: 'customers', rows: 2 },
          ],
        },
      ],
    })
    const { json: runs } = await call('GET', '/api/runs')
    expect(runs[0]).toMatchObject({ runId: run.id, status: 'succeeded', totals: { rows: 5, objects: 4 } })
    expect((await call('GET', `/api/runs/${run.id}`)).json.parts).toHaveLength(2)
    const { json: rows } = await call('POST', '/api/rows', { database: 'w.duckdb', table: 'orders' })
    expect(rows.rows).toHaveLength(3)
    expect((await call('GET', '/api/project')).json).toMatchObject({
      databases: ['w.duckdb'],
      version: '1.2.3',
    })
  })

  it('that fails says where and why', async () => {
    const run = await load([{ object: 'broken.csv' }])
    expect(run).toMatchObject({ status: 'failed', error: { kind: 'data', place: { line: 3 } } })
    expect(await load([{ object: 'customers.csv' }], { options: { mode: 'merge' } })).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('key columns') },
    })
  })

  it.each(['../elsewhere.duckdb', '/tmp/x.duckdb', '.penstock/x.duckdb', ''])(
    'goes into the folder of the project alone, not to %j',
    async (into) => {
      const { status } = await call('POST', '/api/loads', {
        connection: 'lake',
        tables: [{ folder: 'orders/' }],
        into,
      })
      expect(status).toBe(422)
    },
  )

  it('can be cancelled', async () => {
    const remove = test.aws.faults.add({ when: { operation: 'GetObject' }, fault: { kind: 'hang' } })
    const { json } = await call('POST', '/api/loads', {
      connection: 'lake',
      tables: [{ folder: 'orders/' }],
      into: 'c.duckdb',
    })
    expect(json.status).toBe('running')
    expect((await call('POST', `/api/live/${json.id}/cancel`)).status).toBe(200)
    expect(await finished(json.id)).toMatchObject({ status: 'cancelled' })
    remove()
  })
})

describe('a pipeline', () => {
  it('is listed, run and looked at again', async () => {
    await test.writeYaml(`${await test.yaml()}pipelines:
  daily:
    connection: lake
    into: daily.duckdb
    schedule: { every: day, at: '05:00' }
    steps:
      - { id: load, extract: { tables: [{ folder: orders/ }] } }
      - { id: sum, sql: CREATE OR REPLACE TABLE total AS SELECT sum(amount) AS amount FROM orders }
`)
    const { json: project } = await call('GET', '/api/project')
    expect(project.pipelines).toMatchObject([
      {
        name: 'daily',
        schedule: expect.stringContaining('05:00'),
        steps: [
          { id: 'load', kind: 'extract' },
          { id: 'sum', kind: 'sql' },
        ],
      },
    ])
    const { json } = await call('POST', '/api/pipelines/daily/runs')
    const run = await finished(json.id)
    expect(run).toMatchObject({ status: 'succeeded', steps: [{ id: 'load', rows: 3 }, { id: 'sum' }] })
    expect((await call('GET', `/api/pipeline-runs/${json.id}`)).json).toMatchObject({
      status: 'succeeded',
      into: 'daily.duckdb',
      records: expect.arrayContaining([expect.objectContaining({ command: 'run' })]),
    })
    expect((await call('POST', '/api/pipelines/nightly/runs')).status).toBe(404)
  })
})

describe('a catalog', () => {
  beforeAll(async () => {
    const { status } = await call('PUT', '/api/connections/wh', {
      connector: 'zero-copy-glue',
      fields: {
        region: 'us-east-1',
        endpoint: test.aws.endpoint,
        catalogEndpoint: `${test.aws.endpoint}/iceberg`,
      },
      auth: draft().auth,
    })
    expect(status).toBe(200)
  })

  it('shows namespaces, tables and rows in place', async () => {
    const { json: namespaces } = await call('GET', '/api/connections/wh/namespaces')
    expect(namespaces).toMatchObject([{ label: 'sales', shared: true }])
    const { json } = await call('GET', '/api/connections/wh/catalog?namespace=sales')
    expect(json).toMatchObject({ limited: false, tables: [{ label: 'sales.branches' }] })
    const rows = await call('POST', '/api/connections/wh/preview', {
      namespace: ['sales'],
      table: 'branches',
    })
    expect(rows.json.rows.length).toBeGreaterThan(0)
  })

  it('has its tables chosen, and the choice taken back', async () => {
    const choose = (tables?: string[]) =>
      call('PUT', '/api/connections/wh/shares', { namespace: ['sales'], ...(tables ? { tables } : {}) })
    expect((await choose(['branches'])).status).toBe(200)
    expect(await test.yaml()).toMatch(/shares:\s+- namespace: sales\s+tables:\s+- branches/)
    expect((await call('GET', '/api/connections/wh/catalog?namespace=sales')).json).toMatchObject({
      limited: true,
    })
    expect((await choose(['branch'])).json.error.hint).toBe('Did you mean branches?')
    expect((await choose([])).status).toBe(200)
    expect(await test.yaml()).not.toContain('shares:')
  })
})

it('tells a project file that is wrong, with line and column', async () => {
  const before = await test.yaml()
  await test.writeYaml('connections: [\n')
  expect((await call('GET', '/api/project')).json.error.message).toMatch(/^penstock\.yaml:\d+:\d+: /)
  await test.writeYaml(before)
})

it('lets no secret out, in whatever answer', async () => {
  const answers = await Promise.all(
    ['project', 'connections/lake', 'connections/lake/policy', 'connections/lake/tables', 'runs', 'live'].map(
      (path) => call('GET', `/api/${path}`),
    ),
  )
  for (const { text, status } of answers) {
    expect(status).toBe(200)
    expect(text).not.toContain(test.aws.root.secretAccessKey)
  }
  await test.writeYaml(
    `connections:\n  leaky:\n    connector: source-s3\n    region: us-east-1\n    bucket: b-1\n    auth: { method: access-key, accessKeyId: AKIAX, secretAccessKey: hunter2hunter2 }\n`,
  )
  for (const path of ['project', 'connections/leaky'])
    expect((await call('GET', `/api/${path}`)).text).not.toContain('hunter2')
})

it('closes with a run under way: it is cancelled and recorded, and nobody answers any more', async () => {
  const other = await startTestUi()
  await other.put('orders/1.csv', 'id\n1\n')
  other.aws.faults.add({ when: { operation: 'GetObject' }, fault: { kind: 'hang' } })
  await other.writeYaml(`connections:
  lake:
    connector: source-s3
    region: us-east-1
    bucket: ${bucket}
    endpoint: ${other.aws.endpoint}
    auth: { method: access-key, accessKeyId: ${other.aws.root.accessKeyId}, secretAccessKey: "\${env:PENSTOCK_UI_TEST_KEY}" }
`)
  vi.stubEnv('PENSTOCK_UI_TEST_KEY', other.aws.root.secretAccessKey)
  const body = { connection: 'lake', tables: [{ folder: 'orders/' }], into: 'w.duckdb' }
  const { json } = await other.call('POST', '/api/loads', body)
  await other.ui.close()
  expect(await runHistory(other.folder).read(json.id)).toMatchObject({ status: 'cancelled' })
  await expect(send(other.ui.url, 'GET', {})).rejects.toThrow('ECONNREFUSED')
  await other.close()
  vi.unstubAllEnvs()
})
