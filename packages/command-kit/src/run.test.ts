import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { Fail } from '../test/fixture/commands/fail.ts'
import { exitCodes } from './exit-codes.ts'

const main = fileURLToPath(new URL('../test/fixture/main.ts', import.meta.url))

const start = (argv: readonly string[]) => {
  const env = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' }
  const child = spawn(process.execPath, ['--conditions=penstock:source', main, ...argv], { env })
  const out = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    out.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ ...out, code: code as number }))
  const seen = async (text: string) => {
    while (!out.stderr.includes(text)) await once(child.stderr, 'data')
  }
  return { child, ended, seen }
}
const run = (...argv: string[]) => start(argv).ended

/** The same without a process of its own: the command alone. */
const runInside = async (...argv: string[]) => {
  const out = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      out[name] += String(text)
      return true
    }),
  )
  try {
    await Fail.run(argv, {
      root: fileURLToPath(new URL('../test/fixture', import.meta.url)),
      ignoreManifest: true,
    })
    throw new Error('the command did not fail')
  } catch (error) {
    return { ...out, code: (error as { oclif?: { exit?: number } }).oclif?.exit }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

describe('a command line', () => {
  it('exits by the kind of the error, and prints message, place and hint', async () => {
    const { code, stdout, stderr } = await run('fail', 'permission')
    expect(code).toBe(exitCodes.permission)
    expect(stdout).toBe('')
    expect(stderr).toContain('Failed with undefined. (Sample)')
    expect(stderr).toContain('at s3://b/k, line 3')
    expect(stderr).toContain('→ Try something else.')
  })

  it('hands words that it does not know to packages, and shows what they have in its help', async () => {
    const [greeting, help] = await Promise.all([run('greet', 'Ann', '--loud'), run('--help')])
    expect(greeting).toMatchObject({ code: 0, stdout: 'Hello Ann --loud\n' })
    expect(help.stdout).toMatch(/COMMANDS[\s\S]*INSTALLED\n {2}greet\n$/)
  })

  it('prints an error as JSON and nothing else', async () => {
    const { code, stdout, stderr } = await run('fail', 'not-found', '--json')
    expect(code).toBe(exitCodes['not-found'])
    expect(JSON.parse(stdout)).toEqual({
      error: {
        kind: 'not-found',
        code: 'Sample',
        message: 'Failed with undefined.',
        hint: 'Try something else.',
        place: { object: 's3://b/k', line: 3, value: '' },
      },
    })
    expect(stderr).toBe('')
  })

  const secret = 'hunter2/"quoted"+secret'
  it.each([
    ['config', '--secret', secret],
    ['config', '--secret', secret, '--json'],
    ['config', secret],
    ['config', secret, '--json'],
    [`--sekret=${secret}`, 'config'],
    [`--sekret=${secret}`, 'config', '--json'],
    ['config', '--mode', secret],
    ['config', '--mode', secret, '--json'],
    ['config', '--set', `a=${secret}`, '--sett', `b=${secret}`, '--json'],
    ['config', '--secret', secret, '--secret', secret, '--json'],
    ['--secret', secret, '--json'],
    ['config', '--secret', secret, '--mode'],
  ])('repeats no value of a flag: %s %s %s', async (...argv) => {
    const { code, stdout, stderr } = await runInside(...argv)
    expect(code).toBe(exitCodes.config)
    expect(stdout + stderr).not.toContain('hunter2')
    if (argv.includes('--json')) expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'config' } })
  })

  it.each([
    [['config', '--modee', 'full'], 'Unknown flag: --modee.', 'Did you mean --mode?'],
    [['config', '--mode', 'fulll'], '--mode must be one of: full, delta.', 'sample fail --help'],
    [['config', '--mode'], '--mode needs a value: full, delta.', ''],
    [[], 'KIND is missing.', 'sample fail --help'],
    [['a', 'b'], 'Too many arguments; sample fail takes KIND.', ''],
  ])('explains a wrong use: %j', async (argv, message, hint) => {
    const { code, stderr } = await runInside(...argv)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
  })

  it.each([[['fial', 'hunter2']], [['fial', '--help']]])('suggests the nearest command: %j', async (argv) => {
    const { code, stderr } = await run(...argv)
    expect(code).toBe(2)
    expect(stderr).toContain('There is no command "fial".')
    expect(stderr).toContain('Did you mean sample fail?')
    expect(stderr).not.toContain('hunter2')
  })

  it('stops at the first Ctrl-C and cleans up', async () => {
    const { child, ended, seen } = start(['slow'])
    await seen('started')
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code).toBe(130)
    expect(stderr).toContain('Press Ctrl-C again to quit at once.')
    expect(stderr).toContain('cleaned up\n')
    expect(stderr).toContain('Stopped by Ctrl-C.')
  })

  it('quits at once at the second one', async () => {
    const { child, ended, seen } = start(['slow', '--stubborn'])
    await seen('started')
    child.kill('SIGTERM')
    await seen('Stopping')
    child.kill('SIGTERM')
    const { code, stderr } = await ended
    expect(code).toBe(130)
    expect(stderr).not.toContain('cleaned up')
  })

  it('ends quietly when nobody reads any more', async () => {
    const { child, ended } = start(['lines'])
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const { code, stderr } = await ended
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('tells its version and its commands', async () => {
    expect((await run('--version')).stdout).toMatch(/^sample\/1\.2\.3 /)
    const { stdout } = await run('--help')
    for (const command of ['fail', 'lines', 'slow']) expect(stdout).toContain(command)
  })
})
