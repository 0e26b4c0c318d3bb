// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { readFile } from 'node:fs/promises'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { type Aws, startAws } from '@penstock/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createTestProject, type TestProject } from '../../test/project.ts'
import { runCommand } from '../../test/run-command.ts'
import { Check } from './check.ts'
import { Connect } from './connect.ts'
import { Describe } from './describe.ts'
import { Namespaces } from './namespaces.ts'
import { Policy } from './policy.ts'
import { Share } from './share.ts'
import { Tables } from './tables.ts'

let aws: Aws
let project: TestProject

beforeAll(async () => {
  aws = await startAws()
  aws.s3.createBucket({ name: fixtureBucket })
  for (const name of ['branches', 't_month'])
    for (const { key, path } of fixtureObjects(name))
      await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
  aws.glue.createDatabase({ name: 'sales' })
  aws.glue.createDatabase({ name: 'web' })
  for (const name of ['branches', 't_month'])
    aws.glue.createTable({ database: 'sales', name, metadataLocation: icebergFixture(name).metadata })
  aws.glue.createTable({ database: 'sales', name: 'old', format: 'orc', location: 's3://fixtures/old/' })
  vi.stubEnv('WAREHOUSE_KEY_ID', aws.root.accessKeyId)
  vi.stubEnv('WAREHOUSE_SECRET', aws.root.secretAccessKey)
  project = await createTestProject()
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await aws.close()
  await project.remove()
})

const at = () => ['--project', project.folder]

/** Each test begins with the connection as `connect` writes it. */
beforeEach(async () => {
  const { code, stdout } = await runCommand(
    Connect,
    'wh',
    '--connector',
    'zero-copy-glue',
    '--auth',
    'access-key',
    ...Object.entries({
      region: 'us-east-1',
      endpoint: aws.endpoint,
      catalogEndpoint: `${aws.endpoint}/iceberg`,
      shares: '',
      dataLocations: '',
      accessKeyId: '${env:WAREHOUSE_KEY_ID}',
      secretAccessKey: '${env:WAREHOUSE_SECRET}',
    }).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ...at(),
  )
  expect(code).toBe(0)
  expect(stdout).toContain('penstock namespaces wh')
})

describe('namespaces, tables and describe', () => {
  it('shows what the catalog has', async () => {
    const { stdout } = await runCommand(Namespaces, 'wh', ...at())
    expect(stdout).toMatch(/sales +yes/)
    expect((await runCommand(Namespaces, 'wh', '--json', ...at())).result).toEqual({
      connection: 'wh',
      namespaces: [
        { namespace: ['sales'], shared: true },
        { namespace: ['web'], shared: true },
      ],
    })
    const tables = await runCommand(Tables, 'wh', '--namespace', 'sales', ...at())
    expect(tables.stdout).toMatch(/sales\.branches +iceberg +yes/)
    expect(tables.stdout).toContain('not readable: it has ORC files')
    expect(await runCommand(Tables, 'wh', '--namespace', 'none', ...at())).toMatchObject({ code: 5 })
  })

  it('shows a table, with all digits of its snapshots', async () => {
    const shown = await runCommand(Describe, 'wh', 'sales.branches', ...at())
    expect(shown.stdout).toContain('iceberg v2')
    expect(shown.stdout).toMatch(/first +tag/)
    const { result } = await runCommand(Describe, 'wh', 'sales.branches', '--json', ...at())
    const { refs, columns } = result as {
      refs: { name: string; snapshotId: string }[]
      columns: { name: string }[]
    }
    expect(columns.map(({ name }) => name)).toEqual(['id', 'v', 'extra'])
    expect(refs.every(({ snapshotId }) => /^\d{15,}$/.test(snapshotId))).toBe(true)
    const tagged = await runCommand(Describe, 'wh', 'sales.branches', '--at', 'first', '--json', ...at())
    expect(tagged.result).toMatchObject({ columns: [{ name: 'id', type: 'integer' }, { name: 'v' }] })
    expect(await runCommand(Describe, 'wh', 'sales.branches', '--at', 'frist', ...at())).toMatchObject({
      code: 5,
    })
    expect(await runCommand(Describe, 'wh', 'branches', ...at())).toMatchObject({ code: 2 })
    const month = await runCommand(Describe, 'wh', 'sales.t_month', ...at())
    expect(month.stdout).toMatch(/dt +.* +month/)
  })
})

describe('share', () => {
  it('saves what is chosen, and the policy allows no more', async () => {
    const chosen = ['--table', 'branches', '--table', 't_month']
    const { stdout, code } = await runCommand(Share, 'wh', '--namespace', 'sales', ...chosen, ...at())
    expect(code).toBe(0)
    expect(stdout).toContain('sales  branches, t_month')
    expect(await project.text()).toContain(
      'shares:\n      - namespace: sales\n        tables:\n          - branches\n',
    )
    const policy = await runCommand(Policy, 'wh', ...at())
    expect(policy.stdout).toContain(':table/sales/t_month"')
    expect(policy.stdout).toContain('"arn:aws:s3:::fixtures/iceberg/t_month/*"')
    expect(policy.stdout).not.toContain('database/web')
    expect(await runCommand(Check, 'wh', ...at())).toMatchObject({ code: 0 })
    const { result } = await runCommand(Tables, 'wh', '--json', ...at())
    expect((result as { tables: { name: string; shared: boolean }[] }).tables).toMatchObject([
      { name: 'branches', shared: true },
      { name: 'old', shared: false },
      { name: 't_month', shared: true },
    ])
  })

  it('adds namespaces, replaces tables, and takes them out', async () => {
    const share = (...flags: string[]) => runCommand(Share, 'wh', ...flags, ...at())
    await share('--namespace', 'sales', '--table', 'branches')
    await share('--namespace', 'web')
    expect((await share('--namespace', 'sales', '--table', 't_month', '--json')).result).toMatchObject({
      shares: [{ namespace: 'web' }, { namespace: 'sales', tables: ['t_month'] }],
    })
    expect(await project.text()).not.toContain('dataLocations')
    await share('--namespace', 'web', '--remove')
    expect(await project.text()).toContain('dataLocations:\n      - s3://fixtures/iceberg/t_month/\n')
    const { stdout } = await share('--namespace', 'sales', '--remove')
    expect(stdout).toContain('all tables of the catalog can be used')
    expect(await project.text()).not.toContain('shares')
  })

  it('refuses what is not there or can not be read', async () => {
    const share = (...flags: string[]) => runCommand(Share, 'wh', '--namespace', ...flags, ...at())
    const typo = await share('sales', '--table', 'branchs')
    expect(typo).toMatchObject({ code: 5 })
    expect(typo.stderr).toContain('Did you mean branches?')
    expect((await share('sales', '--table', 'old')).stderr).toContain('ORC')
    expect(await share('nowhere')).toMatchObject({ code: 5 })
    expect(await project.text()).not.toContain('shares')
  })
})

it('no output holds the secret', async () => {
  for (const command of [Namespaces, Tables, Check, Policy])
    for (const flags of [[], ['--json']]) {
      const { stdout, stderr, result } = await runCommand(command, 'wh', ...flags, ...at())
      expect(`${stdout}${stderr}${JSON.stringify(result)}`).not.toContain(aws.root.secretAccessKey)
    }
  expect(await project.everything()).not.toContain(aws.root.secretAccessKey)
})
