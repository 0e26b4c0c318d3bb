import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../src/main.ts'
import type { PackageScore } from '../src/score.ts'

const packages = fileURLToPath(new URL('packages', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-harness-'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = async (...argv: string[]) => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const said = Promise.all([text(stdout), text(stderr)])
  const code = await main(argv, { stdout, stderr, cwd: () => packages, once: () => {} })
  stdout.end()
  stderr.end()
  const [out, error] = await said
  return { code, out, error }
}

describe('a sound connector', () => {
  test('passes; each check has a line, each skip its reason, within 80 columns and without colours', async () => {
    const { code, out } = await run('sound')
    expect(code).toBe(0)
    expect(out).toContain('sound-numbers 1.2.3\nsource-numbers (source)\n')
    expect(out).toContain('✔ read/full-twice  Two full reads give the same rows\n')
    expect(out).toContain('    There is nothing to keep.\n')
    expect(out).toMatch(/read +\d\/8 +█+░+\n/)
    expect(out).toMatch(/\n\d+ passed, 0 failed, \d+ skipped in /)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(out).not.toContain('\u001b')
  })

  test('as JSON, and of some checks alone', async () => {
    const { code, out } = await run('sound', '--json', '--only', 'read/', '--only', 'spec/titles')
    expect(code).toBe(0)
    const [score] = JSON.parse(out) as PackageScore[]
    expect(score).toMatchObject({
      specificationVersion: 1,
      connector: 'source-numbers',
      kind: 'source',
      package: { name: 'sound-numbers', version: '1.2.3' },
      failed: 0,
    })
    expect(new Set(score?.results.map(({ id }) => id.split('/')[0]))).toEqual(new Set(['spec', 'read']))
  })

  test('as a page that asks for nothing, and as a badge', async () => {
    const out = join(folder, 'cards')
    expect((await run('sound', '--only', 'spec/', '--out', out)).code).toBe(0)
    expect((await readdir(out)).sort()).toEqual([
      'source-numbers.html',
      'source-numbers.json',
      'source-numbers.svg',
    ])
    const page = await readFile(join(out, 'source-numbers.html'), 'utf8')
    expect(page).not.toMatch(/<script|<link|src=|url\(|https?:/)
    expect(page).toContain('prefers-color-scheme:dark')
    expect(page).toContain('aria-label="8 passed, 1 skipped"')
    const badge = await readFile(join(out, 'source-numbers.svg'), 'utf8')
    expect(badge).toContain('<title>conformance: 8 passed, 1 skipped</title>')
  })
})

test('a broken connector fails with the exit code of wrong data, and the page says first what failed', async () => {
  const { code, out } = await run('broken', '--only', 'read/full', '--out', join(folder, 'broken'))
  expect(code).toBe(7)
  expect(out).toContain('✖ read/full-twice')
  expect(out).toContain('    The second read lacks a row of the first:')
  const page = await readFile(join(folder, 'broken', 'source-numbers.html'), 'utf8')
  expect(page).toContain('<a href="#read-full-twice">read/full-twice</a>: The second read lacks a row')
  expect(page).toContain('{&quot;id&quot;:3}')
})

test('a package without a fixture: its definition is checked, the rest is skipped and says why', async () => {
  const { code, out } = await run('plain', '--json')
  const [score] = JSON.parse(out) as PackageScore[]
  expect(code).toBe(0)
  const passed = score?.results.filter(({ status }) => status === 'passed').map(({ id }) => id) ?? []
  expect(passed.length).toBeGreaterThan(5)
  expect(passed.every((id) => id.startsWith('spec/'))).toBe(true)
  expect(score?.results.find(({ id }) => id === 'read/empty')?.reason).toContain('names no fixture')
})

describe('what is wrong is told, with its exit code', () => {
  test.each([
    [['--no-such-flag'], 2, 'no-such-flag'],
    [['nowhere'], 5, 'npm install nowhere'],
    [['sound', '--fixture', 'missing.ts'], 5, 'missing.ts'],
    [['sound', '--fixture', 'connector.ts'], 2, 'exports no fixture'],
  ] as const)('%s', async (argv, exit, words) => {
    const { code, out, error } = await run(...argv)
    expect(code).toBe(exit)
    expect(error).toContain(words)
    expect(out).toBe('')
  })

  test('help and version', async () => {
    expect((await run('--help')).out).toContain('penstock-harness [PACKAGE...]')
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
