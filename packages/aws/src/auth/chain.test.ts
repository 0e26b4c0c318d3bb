import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeEach, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../../test/embedded.ts'
import { chainProvider } from './chain.ts'

const environment = {
  region: 'eu-central-1',
  signal: new AbortController().signal,
  clock: () => new Date(),
}

beforeEach(async () => {
  const folder = await temporaryFolder()
  vi.unstubAllEnvs()
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  await writeFile(
    join(folder, 'credentials'),
    '[analytics]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = hush-profile\n',
  )
})

test('the environment comes first', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hush')
  vi.stubEnv('AWS_SESSION_TOKEN', 'token')
  expect(await chainProvider(undefined, environment)()).toEqual({
    accessKeyId: 'AKIAENVIRONMENT',
    secretAccessKey: 'hush',
    sessionToken: 'token',
  })
})

test('a profile is read by its name', async () => {
  expect(await chainProvider('analytics', environment)()).toEqual({
    accessKeyId: 'AKIAPROFILE',
    secretAccessKey: 'hush-profile',
  })
})

test('keys that change underneath are found when the old ones are refused', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAFIRST')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'one')
  const provider = chainProvider(undefined, environment)
  const rejected = await provider()
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIASECOND')
  expect((await provider()).accessKeyId).toBe('AKIAFIRST')
  expect((await provider({ rejected })).accessKeyId).toBe('AKIASECOND')
})

test.each([
  [undefined, 'No AWS credentials were found by the default chain.'],
  ['missing', 'No AWS credentials were found by profile "missing".'],
])('without credentials (profile %s) the error names variables and fields', async (profile, message) => {
  const error = await chainProvider(profile, environment)().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ kind: 'auth', code: 'MissingCredentials', message })
  const { hint } = error as { hint: string }
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'auth.profile', 'AWS_PROFILE'])
    expect(hint).toContain(name)
  expect(inspect(error, { depth: 20 })).not.toContain('hush')
})

test('a signal ends the search', async () => {
  const stop = new AbortController()
  stop.abort()
  const provider = chainProvider(undefined, { ...environment, signal: stop.signal })
  await expect(provider()).rejects.toMatchObject({ kind: 'cancelled' })
})
