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

/** `penstock connect` at a pseudo terminal, with all answers typed at once. */
const wizard = async (keys: string) => {
  const command = [process.execPath, '--conditions=penstock:source', main, 'connect']
  const child = spawn('script', ['-qec', command.map((part) => `'${part}'`).join(' '), '/dev/null'], {
    cwd: project.folder,
    // A terminal of a CI is nobody's.
    env: { ...process.env, CI: '', NODE_OPTIONS: '', TERM: 'xterm', MINE_TOKEN: 'a-token' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
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

it.skipIf(withoutTerminal)('saves a connection of an installed connector, and tests it', async () => {
  const folder = join(project.folder, 'node_modules', 'penstock-source-numbers')
  await mkdir(folder, { recursive: true })
  const manifest = { type: 'module', exports: './main.js', keywords: ['penstock-connector'] }
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'penstock-source-numbers', version: '1.0.0', ...manifest }),
  )
  await writeFile(join(folder, 'main.js'), `export { default } from '${testConnector('numbers')}'`)
  // Upwards from the first one is the last one: what is installed stands behind what is built in.
  const answers = ['mine', '\u001b[A', '', '3', 'somebody', '', '']
  const { output, code } = await wizard(`${answers.join('\r')}\rny`)
  expect(output).toContain('Credentials  as somebody')
  expect(code).toBe(0)
  expect(await project.text()).toContain(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how references are written
    'connections:\n  mine:\n    connector: penstock-source-numbers\n    count: 3\n    auth:\n      method: token\n      user: somebody\n      token: ${env:MINE_TOKEN}\n',
  )
})
