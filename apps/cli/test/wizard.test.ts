import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTestProject, type TestProject, testConnector } from './project.ts'

const main = fileURLToPath(new URL('../bin/dev.ts', import.meta.url))
const down = '\u001b[B'

let project: TestProject
beforeEach(async () => {
  project = await createTestProject('connections: {}\n')
})
afterEach(() => project.remove())

/**
 * `penstock connect` at a pseudo terminal. All answers are typed at once, and what follows when a text has been shown:
 * a terminal that nobody has set up yet would take Backspace and Ctrl-C for itself.
 */
const wizard = async (keys: string, ...later: readonly { after: string; keys: string }[]) => {
  const command = [process.execPath, '--conditions=penstock:source', main, 'connect']
  const child = spawn('script', ['-qec', command.map((part) => `'${part}'`).join(' '), '/dev/null'], {
    cwd: project.folder,
    // A terminal of a CI is nobody's.
    env: { ...process.env, CI: '', NODE_OPTIONS: '', TERM: 'xterm', MINE_TOKEN: 'a-token' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  const waiting = [...later]
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    const [next] = waiting
    const found = next ? output.indexOf(next.after, seen) : -1
    if (next === undefined || found < 0) return
    seen = found + next.after.length
    waiting.shift()
    child.stdin.write(next.keys)
  })
  child.stdin.write(keys)
  const [code] = (await once(child, 'close')) as [number]
  return { code, output }
}

const withoutTerminal = spawnSync('script', ['--version']).error !== undefined

it.skipIf(withoutTerminal)('saves a connection of a built-in connector', async () => {
  const answers = ['first', '', `${down}${down}${down}`, 'us-east-1', 'sales']
  const { output } = await wizard(`${answers.join('\r')}\rnn`)
  expect(output).toContain('Added connection')
  expect(await project.text()).toContain(
    'connections:\n  first:\n    connector: source-s3\n    region: us-east-1\n    bucket: sales\n    auth:\n      method: anonymous\n',
  )
})

const installNumbers = async () => {
  const folder = join(project.folder, 'node_modules', 'penstock-source-numbers')
  await mkdir(folder, { recursive: true })
  const manifest = { type: 'module', exports: './main.js', keywords: ['penstock-connector'] }
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'penstock-source-numbers', version: '1.0.0', ...manifest }),
  )
  await writeFile(join(folder, 'main.js'), `export { default } from '${testConnector('numbers')}'`)
}

/** Upwards from the first one is the last one: what is installed stands behind what is built in. */
const up = '\u001b[A'

it.skipIf(withoutTerminal)('tests a connection of an installed connector, and saves it', async () => {
  await installNumbers()
  const answers = ['mine', up, '', '3', 'somebody', '', '']
  const { output, code } = await wizard(`${answers.join('\r')}\rny`)
  expect(output.indexOf('Credentials  as somebody')).toBeGreaterThan(0)
  expect(output.indexOf('Added connection')).toBeGreaterThan(output.indexOf('Credentials'))
  expect(code).toBe(0)
  expect(await project.text()).toContain(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how references are written
    'connections:\n  mine:\n    connector: penstock-source-numbers\n    count: 3\n    auth:\n      method: token\n      user: somebody\n      token: ${env:MINE_TOKEN}\n',
  )
})

/** The first answers, up to the name of a variable that is not set. */
const wrongVariable = ['mine', up, '', '3', 'somebody', ''].join('\r').concat('\r')
const another = { after: 'Name of the variable', keys: `${'\u007f'.repeat(10)}NOT_SET\rny` }

it.skipIf(withoutTerminal)('saves nothing when the test fails and Ctrl-C is typed', async () => {
  await installNumbers()
  const failed = 'The test failed; nothing is saved yet.'
  const { output, code } = await wizard(wrongVariable, another, { after: failed, keys: '\u0003' })
  expect(output).toContain('The environment variable NOT_SET is not set')
  expect(code).toBe(130)
  expect(await project.text()).toBe('connections: {}\n')
})

it.skipIf(withoutTerminal)('lets a wrong answer be changed, and saves what works', async () => {
  await installNumbers()
  const { output, code } = await wizard(
    wrongVariable,
    another,
    { after: 'The test failed', keys: '\r' },
    // The token is the field before the last entry, which is the auth method.
    { after: 'What is to be changed?', keys: `${up}${up}\r\r` },
    { after: 'Name of the variable', keys: `${'\u007f'.repeat(10)}MINE_TOKEN\ry` },
  )
  expect(output).toContain('Credentials  as somebody')
  expect(code).toBe(0)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how references are written
  expect(await project.text()).toContain('token: ${env:MINE_TOKEN}\n')
})
