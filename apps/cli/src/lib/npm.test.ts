import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { npm } from './npm.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-npm-'))
  vi.stubEnv('PATH', folder)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** An npm that says this and fails. */
const npmSays = async (said: string): Promise<void> => {
  await writeFile(join(folder, 'npm'), `#!/bin/sh\necho '${said}' >&2\nexit 1\n`)
  await chmod(join(folder, 'npm'), 0o755)
}
const install = () => npm(['install', 'acme'], { folder, signal: new AbortController().signal })

it.each([
  [
    'npm error code E404\nnpm error 404 Not Found - GET /acme\nnpm error 404\n',
    'not-found',
    'E404',
    '404 Not Found - GET /acme',
  ],
  [
    'npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error network request to x failed\n',
    'network',
    'ENOTFOUND',
    'network request to x failed',
  ],
  ['npm error code ERESOLVE\nnpm error could not resolve\n', 'config', 'ERESOLVE', 'could not resolve'],
  ['', 'config', 'NpmFailed', 'it says nothing'],
])('tells %j as %s', async (said, kind, code, message) => {
  await npmSays(said)
  await expect(install()).rejects.toMatchObject({ kind, code, message: `npm could not do it: ${message}` })
})

it('tells that there is no npm', async () => {
  await rm(join(folder, 'npm'))
  await expect(install()).rejects.toMatchObject({ kind: 'config', code: 'NoNpm' })
})
