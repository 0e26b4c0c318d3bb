import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo, runCheck } from '@penstock/runtime'
import { type Aws, startAws } from '@penstock/testkit'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { findPrograms } from '../src/programs.ts'
import { run } from '../src/run.ts'

/* Files that are encrypted for a key of GnuPG, and read by GnuPG. */

const bucket = 'interop'
const found = findPrograms('gpg')
const agent = findPrograms('gpgconf')
let aws: Aws
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-interop-'))
  await mkdir(join(folder, 'gnupg'), { mode: 0o700 })
  aws = await startAws()
  aws.s3.createBucket({ name: bucket })
})
afterAll(async () => {
  // Its agent goes with it.
  if ('programs' in found && 'programs' in agent)
    await run(agent.programs.gpgconf, ['--homedir', join(folder, 'gnupg'), '--kill', 'all'])
  await aws?.close()
  await rm(folder, { recursive: true, force: true })
})

const gpg = (args: readonly string[]) => {
  if ('missing' in found) throw new Error(found.missing)
  return run(found.programs.gpg, [
    '--homedir',
    join(folder, 'gnupg'),
    '--batch',
    '--quiet',
    '--passphrase',
    '',
    ...args,
  ])
}
const requireGpg = (context: TestContext): void => {
  if ('missing' in found) context.skip(`gpg: ${found.missing}`)
}
const newKey = async (name: string, algorithm: string, expires = 'never', subkey = true): Promise<string> => {
  await gpg(['--quick-generate-key', `${name} <${name}@example.com>`, algorithm, 'default', expires])
  const list = (await gpg(['--list-keys', '--with-colons', name])).output.toString()
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(list)?.[1] ?? ''
  if (subkey && algorithm !== 'default')
    await gpg(['--quick-add-key', fingerprint, algorithm === 'ed25519' ? 'cv25519' : algorithm, 'encr'])
  return fingerprint
}
const exported = async (name: string, armoured = true) => {
  const { output } = await gpg([...(armoured ? ['--armor'] : []), '--export', name])
  return armoured ? output.toString() : output.toString('base64')
}
const destination = (publicKey: string | undefined) =>
  s3Destination({
    region: 'us-east-1',
    bucket,
    endpoint: aws.endpoint,
    ...(publicKey !== undefined && { publicKey }),
    auth: { method: 'access-key', ...aws.root },
  })

test.for([
  ['rsa3072', 'csv', 'gzip', 10],
  ['ed25519', 'json', 'none', 300_000],
  ['nistp256', 'parquet', 'zstd', 1000],
  ['rsa3072', 'json', 'zstd', 0],
  ['ed25519', 'csv', 'zstd', 1000],
  ['nistp256', 'parquet', 'snappy', 0],
] as const)(
  'gpg decrypts to the very bytes that are exported without a key: %s, %s, %s',
  async ([algorithm, fileType, compression, rows], context) => {
    requireGpg(context)
    const name = `partner-${algorithm}-${fileType}-${compression}`
    await newKey(name, algorithm)
    const engine = await duckdb(join(folder, `${name}.duckdb`))
    const bytesFor = async (publicKey: string | undefined, kind: string): Promise<Buffer> => {
      const record = await exportTo({
        destination: destination(publicKey),
        engine,
        name: `${name}-${kind}`,
        streams: [
          {
            sql: `select i as id, 'row ' || i as name, md5(i::text) as hash from range(${rows}) t(i)`,
            name: 'rows',
          },
        ],
        options: { fileType, compression, keyTemplate: `${name}/{stream_name}-${kind}` },
      })
      expect(record.error).toBeUndefined()
      const key = record.export?.streams[0]?.written[0]?.name ?? ''
      expect(key.endsWith('.gpg')).toBe(publicKey !== undefined)
      return aws.s3.getObject(bucket, key)
    }
    try {
      const plain = await bytesFor(undefined, 'plain')
      for (const armoured of [true, false]) {
        const path = join(folder, 'encrypted.gpg')
        await writeFile(path, await bytesFor(await exported(name, armoured), `${armoured}`))
        const { output } = await gpg(['--decrypt', path])
        expect(output.equals(plain)).toBe(true)
      }
    } finally {
      await engine.close()
    }
  },
)

test('a key of gpg that expired, was revoked or only signs fails at check', async (context) => {
  requireGpg(context)
  const stepOf = async (publicKey: string) =>
    (await runCheck(destination(publicKey))).find(({ id }) => id === 'public-key')
  await newKey('fine', 'ed25519')
  expect(await stepOf(await exported('fine'))).toMatchObject({ status: 'passed' })

  await newKey('signs', 'ed25519', 'never', false)
  expect((await stepOf(await exported('signs')))?.error?.message).toMatch(/no valid key for encryption/)

  const fingerprint = await newKey('revoked', 'ed25519')
  const certificate = join(folder, 'gnupg', 'openpgp-revocs.d', `${fingerprint}.rev`)
  const text = await readFile(certificate, 'utf8')
  await writeFile(join(folder, 'revoke.asc'), text.replace(':-----BEGIN', '-----BEGIN'))
  await gpg(['--import', join(folder, 'revoke.asc')])
  expect((await stepOf(await exported('revoked')))?.error?.message).toMatch(/is revoked/)

  await newKey('expired', 'ed25519', 'seconds=2')
  await expect
    .poll(async () => (await stepOf(await exported('expired')))?.error?.message ?? '', {
      timeout: 10_000,
      interval: 500,
    })
    .toMatch(/expired at/)
})
