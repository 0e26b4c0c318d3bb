// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createTestProject, type TestProject, testConnector } from '../../test/project.ts'
import { runCommand } from '../../test/run-command.ts'
import { Check } from './check.ts'
import { Connect } from './connect.ts'
import { Connections } from './connections.ts'
import { Init } from './init.ts'
import { Policy } from './policy.ts'
import { Tables } from './tables.ts'

const secret = 'hunter2-hunter2'
let project: TestProject
beforeEach(async () => {
  project = await createTestProject()
  vi.stubEnv('NUMBERS_TOKEN', secret)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await project.remove()
})

const at = () => ['--project', project.folder]
const numbers = (...more: string[]) =>
  runCommand(Connect, 'n', '--connector', testConnector('numbers'), ...more, ...at())
const withToken = (...more: string[]) =>
  numbers(
    '--auth',
    'token',
    '--set',
    'count=250',
    '--set',
    'user=me',
    '--set',
    'token=${env:NUMBERS_TOKEN}',
    ...more,
  )

describe('init', () => {
  it('starts a project once', async () => {
    const { stdout, code } = await runCommand(Init, ...at())
    expect(code).toBe(0)
    expect(stdout).toContain('penstock connect NAME')
    expect(await runCommand(Init, '--json', ...at())).toMatchObject({ code: 6 })
  })
})

describe('connect', () => {
  it('writes a connection, and starts a project where there is none', async () => {
    const { stdout, stderr, code } = await withToken('--description', 'Some numbers')
    expect(code).toBe(0)
    expect(stderr).toContain('Started a project')
    expect(stdout).toContain('Added connection n')
    expect(stdout).toContain('penstock check n')
    expect(await project.text()).toContain(
      'description: Some numbers\n    count: 250\n    auth:\n      method: token\n      user: me\n      token: ${env:NUMBERS_TOKEN}\n',
    )
  })

  it('changes what is given and keeps the rest', async () => {
    await withToken('--set', 'delayMs=5')
    const { stdout } = await runCommand(Connect, 'n', '--set', 'count=7', '--set', 'delayMs=', ...at())
    expect(stdout).toContain('Changed connection n')
    const text = await project.text()
    expect(text).toContain('count: 7\n')
    expect(text).not.toContain('delayMs')
    expect(text).toContain('user: me')
  })

  it('makes the external id of a role, and prints the trust policy', async () => {
    const { stdout } = await numbers(
      '--auth',
      'role',
      '--set',
      'count=1',
      '--set',
      'auth.roleArn=arn:x',
      '--json',
    )
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({
      name: 'n',
      auth: 'role',
      created: true,
      trust: { ExternalId: result.externalId },
    })
    expect(result.externalId).toMatch(/^penstock-[0-9a-f]{40}$/)
    expect(await project.text()).toContain(`externalId: ${result.externalId}`)
    const again = await runCommand(Connect, 'n', '--set', 'count=2', '--json', ...at())
    expect(JSON.parse(again.stdout)).not.toHaveProperty('externalId')
    expect(await project.text()).toContain(`externalId: ${result.externalId}`)
  })

  it.each([
    [['--set', `token=${secret}`], 'is a secret'],
    [['--set', `auth.token=${secret}`], 'is a secret'],
    [['--set', secret], '--set takes KEY=VALUE'],
    [['--set', `conut=${secret}`], 'There is no field conut'],
    [['--set', `count=${secret}`, '--set', 'auth.token=${env:NUMBERS_TOKEN}'], 'must be of type'],
    [['--auth', secret], 'no such auth method'],
    [['--sett', secret], 'Unknown flag: --sett'],
    [['--set', 'count=1', secret], 'Too many arguments'],
  ])('refuses %j without repeating a value, and writes nothing', async (wrong, message) => {
    for (const json of [[], ['--json']]) {
      const base = ['--auth', 'token', '--set', 'count=1', '--set', 'user=me']
      const { stdout, stderr, code } = await numbers(
        ...(wrong.includes('--auth') ? [] : base),
        ...wrong,
        ...json,
      )
      expect(code).toBe(2)
      expect(stdout + stderr).toContain(message)
      expect(stdout + stderr).not.toContain('hunter2')
    }
    expect(await project.everything()).not.toContain('hunter2')
    expect(await project.everything()).not.toContain('numbers')
  })

  it('says how to give what is missing where nobody can be asked', async () => {
    const { stderr, code } = await numbers('--auth', 'token', '--set', 'auth.user=me')
    expect(code).toBe(2)
    expect(stderr).toContain('count, auth.token of connection "n" are missing.')
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain("--set 'auth.token=${env:N_TOKEN}'")
  })

  it('says which auth methods there are', async () => {
    const { stderr, code } = await numbers('--set', 'count=1')
    expect(code).toBe(2)
    expect(stderr).toContain('Methods: token, role.')
  })
})

describe('connections', () => {
  it('lists them with what is wrong, and never a secret', async () => {
    await withToken()
    const [before] = (await project.text()).split('# What to extract')
    await project.write(
      `${before}  bad:\n    connector: ${testConnector('numbers')}\n    count: 1\n    auth: { method: token, user: me, token: ${secret} }\n  unknown:\n    connector: nothing\n    token: ${secret}\n`,
    )
    const { stdout, stderr, code } = await runCommand(Connections, ...at())
    expect(code).toBe(0)
    expect(stdout).toMatch(/^n +/m)
    expect(stdout).toContain('bad ✖')
    expect(stderr).toContain('is a secret and must not stand in the project file')
    const json = await runCommand(Connections, '--json', ...at())
    expect(JSON.parse(json.stdout).connections).toMatchObject([
      { name: 'n', valid: true, auth: 'token', fields: { count: 250 } },
      { name: 'bad', valid: false, error: { code: 'PlainSecret' } },
      { name: 'unknown', valid: false, error: { code: 'NoSuchConnector' } },
    ])
    expect(stdout + stderr + json.stdout).not.toContain('hunter2')
  })

  it('removes one', async () => {
    await withToken()
    expect((await runCommand(Connections, '--remove', 'm', ...at())).code).toBe(5)
    expect((await runCommand(Connections, '--remove', 'n', ...at())).code).toBe(0)
    expect((await runCommand(Connections, ...at())).stdout).toContain('no connections yet')
  })
})

describe('check', () => {
  it('shows each step', async () => {
    await withToken()
    const { stdout, code } = await runCommand(Check, 'n', ...at())
    expect(code).toBe(0)
    expect(stdout).toBe('✔ Credentials  as somebody\n– The rest  not needed\n')
  })

  it('fails as its first failed step does, with the remedy and without the secret', async () => {
    await withToken('--set', 'failWith=Not allowed')
    const { stdout, stderr, code } = await runCommand(Check, 'n', ...at())
    expect(code).toBe(4)
    expect(stdout).toContain('✖ Read\n  ✖ Not allowed ([secret]) (Denied)\n  → Allow it.')
    const json = await runCommand(Check, 'n', '--json', ...at())
    expect(json.code).toBe(4)
    expect(JSON.parse(json.stdout)).toMatchObject({
      connection: 'n',
      status: 'failed',
      steps: [
        { status: 'passed' },
        { status: 'failed', error: { kind: 'permission' } },
        { status: 'skipped' },
      ],
      error: { kind: 'permission', code: 'Denied', hint: 'Allow it.' },
    })
    expect(stdout + stderr + json.stdout).not.toContain('hunter2')
  })

  it('says which variable is missing, and where it is named', async () => {
    await withToken()
    vi.stubEnv('NUMBERS_TOKEN', '')
    const { stderr, code } = await runCommand(Check, 'n', ...at())
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /penstock\.yaml:\d+:\d+: The environment variable NUMBERS_TOKEN is empty;\s+auth\.token/,
    )
  })
})

describe('policy', () => {
  it('prints JSON ready to paste, without any secret at hand', async () => {
    await withToken()
    vi.stubEnv('NUMBERS_TOKEN', undefined)
    const { stdout } = await runCommand(
      Policy,
      'n',
      '--source-ip',
      '203.0.113.0/24',
      '--source-ip',
      '::1',
      ...at(),
    )
    expect(JSON.parse(stdout)).toEqual({ Allow: 'numbers', sourceIps: ['203.0.113.0/24', '::1'] })
    expect(await runCommand(Policy, 'n', '--trust', ...at())).toMatchObject({ code: 2 })
    expect(await runCommand(Policy, 'n', '--source-ip', '10.0.0.0/33', ...at())).toMatchObject({ code: 2 })
  })

  it('prints the trust policy of a role', async () => {
    await numbers('--auth', 'role', '--set', 'count=1', '--set', 'roleArn=arn:x', '--set', 'externalId=abc')
    expect(JSON.parse((await runCommand(Policy, 'n', '--trust', ...at())).stdout)).toEqual({
      ExternalId: 'abc',
    })
  })
})

describe('tables', () => {
  it('shows what can be extracted and how', async () => {
    await withToken()
    const { stdout, stderr } = await runCommand(Tables, 'n', ...at())
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'NAME   FORMAT  EXTRACT WITH',
      'small  rows    --table small',
      'big    rows    --table big',
    ])
    expect(stderr).toContain('penstock extract n --table small --into warehouse.duckdb')
  })
})
