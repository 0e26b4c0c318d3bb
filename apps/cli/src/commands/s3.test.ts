import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startLake, type TestLake } from '../../test/lake.ts'
import { runCommand } from '../../test/run-command.ts'
import { Do } from './do.ts'
import { Policy } from './policy.ts'
import Api from './s3/api.ts'
import Get from './s3/get.ts'
import Head from './s3/head.ts'
import List from './s3/ls.ts'
import Make from './s3/mb.ts'
import Presign from './s3/presign.ts'
import Put from './s3/put.ts'
import Remove from './s3/rm.ts'
import Sync from './s3/sync.ts'

let lake: TestLake
beforeEach(async () => {
  lake = await startLake()
  const { accessKeyId, secretAccessKey } = lake.aws.root
  vi.stubEnv('PENSTOCK_STATE_DIR', join(lake.project.folder, 'state'))
  vi.stubEnv('AWS_REGION', 'us-east-1')
  vi.stubEnv('AWS_ENDPOINT_URL', lake.aws.endpoint)
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey)
  await lake.project.write(`connections:
  tools:
    connector: actions-s3
    region: us-east-1
    bucket: sample
    endpoint: ${lake.aws.endpoint}
    auth:
      method: access-key
      accessKeyId: \${env:AWS_ACCESS_KEY_ID}
      secretAccessKey: \${env:AWS_SECRET_ACCESS_KEY}
  lake:
    connector: source-s3
    region: us-east-1
    bucket: sample
    endpoint: ${lake.aws.endpoint}
    auth: { method: default-chain }
  out:
    connector: destination-s3
    region: us-east-1
    bucket: sample
    endpoint: ${lake.aws.endpoint}
    auth: { method: default-chain }
  confined:
    connector: destination-s3
    region: us-east-1
    bucket: sample
    endpoint: ${lake.aws.endpoint}
    prefix: exports/
    auth: { method: default-chain }
  web:
    connector: source-http
    url: http://127.0.0.1:1/
    auth: { method: none }
`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await lake.close()
})

const path = (name: string) => join(lake.project.folder, name)
const tools = () => ['--connection', 'tools', '--project', lake.project.folder]

describe('penstock s3', () => {
  it('works with the environment of AWS alone', async () => {
    expect((await runCommand(Make, 'fresh-bucket')).code).toBe(0)
    writeFileSync(path('a.csv'), 'id\n1\n')
    const put = await runCommand(Put, path('a.csv'), 's3://fresh-bucket/in/', '--metadata', 'run=7', '--json')
    expect(JSON.parse(put.stdout)).toMatchObject({ key: 'in/a.csv', size: 5 })
    const head = await runCommand(Head, 's3://fresh-bucket/in/a.csv')
    expect(head.stdout).toMatch(/contentType +text\/csv\n.*metadata\.run +7/s)
    const list = await runCommand(List, 's3://fresh-bucket')
    expect(list.stdout).toMatch(/^\S+Z\t5\t\t[0-9a-f]{32}\tin\/a\.csv\n$/)
    expect(list.stderr).toContain('count 1')
    const get = await runCommand(Get, 's3://fresh-bucket/in/a.csv', path('b.csv'))
    expect([get.code, readFileSync(path('b.csv'), 'utf8')]).toEqual([0, 'id\n1\n'])
    const again = await runCommand(Get, 's3://fresh-bucket/in/a.csv', path('b.csv'))
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('is there already')])
    const piped = await runCommand(Get, 's3://fresh-bucket/in/a.csv', '-')
    expect(piped.stdout).toBe('id\n1\n')
  })

  it('works with a connection of the project, which says where', async () => {
    const list = await runCommand(List, 'orders/', '--json', ...tools())
    expect(JSON.parse(list.stdout)).toMatchObject({ bucket: 'sample', prefix: 'orders/', count: 3 })
    const spare = await runCommand(List, '--region', 'eu-west-1', ...tools())
    expect([spare.code, spare.stderr]).toEqual([2, expect.stringContaining('--region has no effect')])
  })

  it('works with a source or a destination, which does no more than it was made for', async () => {
    const at = (name: string) => ['--connection', name, '--project', lake.project.folder]
    const list = await runCommand(List, 'orders/', '--json', ...at('lake'))
    expect(JSON.parse(list.stdout).files).toHaveLength(3)
    writeFileSync(path('a.csv'), 'id\n1\n')
    expect((await runCommand(Put, path('a.csv'), 'in/', ...at('out'))).code).toBe(0)
    expect(lake.aws.s3.listKeys('sample', 'in/')).toEqual(['in/a.csv'])
    for (const [name, why] of [
      ['lake', 'which only reads'],
      ['confined', 'is confined to exports/'],
      ['web', 'one of source-http, not of actions-s3'],
    ] as const) {
      const { code, stderr } = await runCommand(Remove, 'in/a.csv', ...at(name))
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(new RegExp(`${why}.*penstock connect actions-s3`, 's')),
      ])
    }
  })

  it('calls the API, and refuses what would give the credentials away', async () => {
    const answer = await runCommand(Api, '/sample?versioning')
    expect(answer.stdout).toContain('<VersioningConfiguration')
    expect(answer.stderr).toContain('status 200')
    for (const argv of [['https://evil.example/x'], ['/sample', '--header', 'Authorization=mine']])
      expect((await runCommand(Api, ...argv)).code).toBe(2)
    expect((await runCommand(Api, '/none-such')).code).toBe(5)
  })

  it('makes a URL that works as it is printed', async () => {
    const { stdout } = await runCommand(Presign, 's3://sample/customers.csv', '--expires-in', '1h')
    expect((await fetch(stdout.trim())).status).toBe(200)
  })

  it('shows no secret, whatever goes wrong', async () => {
    const { secretAccessKey } = lake.aws.root
    vi.stubEnv('AWS_SESSION_TOKEN', 'token-token-token')
    const runs = [
      await runCommand(List, 's3://sample', '--json'),
      await runCommand(Api, '/sample', '--no-fail', '--json'),
      await runCommand(Get, 's3://sample/x', path('x')),
      await runCommand(Put, path('none'), 's3://sample', '--header', `a=${secretAccessKey}`, '--json'),
    ]
    for (const { stdout, stderr } of runs)
      for (const secret of ['token-token-token', secretAccessKey])
        expect(stdout + stderr).not.toContain(secret)
  })

  it('synchronises, with a dry run first', async () => {
    const argv = ['s3://sample/orders/', path('orders')]
    const dry = await runCommand(Sync, ...argv, '--dry-run')
    expect(dry.stdout.split('\n').filter((line) => line.startsWith('download\tnew'))).toHaveLength(3)
    expect((await runCommand(Sync, ...argv)).stderr).toContain('downloaded 3')
    expect((await runCommand(Sync, ...argv)).stdout).toBe('')
    const whole = await runCommand(Remove, 's3://sample', '--recursive')
    expect([whole.code, lake.aws.s3.listKeys('sample').length]).toEqual([2, 7])
  })
})

describe('penstock do', () => {
  const at = () => ['--project', lake.project.folder]

  it('lists the actions of a connection, and runs one by its long or short name', async () => {
    expect((await runCommand(Do, 'tools', ...at())).stdout).toMatch(/list-files, ls +PREFIX +List objects/)
    for (const name of ['ls', 'list-files'])
      expect((await runCommand(Do, 'tools', name, 'orders/', '--limit', '1', ...at())).stdout).toContain(
        'orders/',
      )
  })

  it('shows the help of the action, not its own', async () => {
    // oclif prints help by way of the console.
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    await runCommand(Do, 'tools', 'ls', '--help', ...at())
    expect(log.mock.calls.flat().join('\n')).toMatch(
      /^List objects\..*penstock do tools ls \[PREFIX\].*--limit=N/s,
    )
    log.mockRestore()
  })

  it('prints one document of JSON', async () => {
    const { stdout } = await runCommand(Do, 'tools', 'head', 'customers.csv', '--json', ...at())
    expect(JSON.parse(stdout)).toMatchObject({ key: 'customers.csv' })
  })

  it.each([
    [['tools', 'lss'], 2, 'Did you mean ls?'],
    [['lake', 'ls'], 2, 'is a source'],
    [['none', 'ls'], 5, 'no connection "none"'],
    [['tools', 'ls', '--nope'], 2, 'Unknown flag'],
    [[], 2, 'CONNECTION is missing'],
  ])('explains a wrong use: %j', async (argv, code, message) => {
    const run = await runCommand(Do, ...argv, ...at())
    expect([run.code, run.stdout + run.stderr]).toEqual([code, expect.stringContaining(message)])
  })
})

it('policy prints what the chosen actions need', async () => {
  const { stdout } = await runCommand(Policy, 'tools', '--action', 'head', '--project', lake.project.folder)
  expect(JSON.parse(stdout).Statement).toEqual([
    { Sid: 'UseObjects', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::sample/*' },
  ])
})
