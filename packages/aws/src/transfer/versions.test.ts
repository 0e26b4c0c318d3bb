import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  bytesOf,
  collect,
  embeddedAws,
  entryOf,
  keyAuth,
  openEmbedded,
  region,
  temporaryFolder,
} from '../../test/embedded.ts'
import { s3SourcePolicy } from '../policy/source.ts'

const bucket = 'versioned'
const former = bytesOf(9 << 20)

/** An object that was overwritten after its entry was taken. */
const overwritten = async (actions: string[] = []) => {
  const aws = await embeddedAws()
  aws.s3.createBucket({ name: bucket, region, versioning: 'Enabled' })
  await aws.s3.putObject({ bucket, key: 'a', body: former })
  const user = aws.identities.createUser({
    name: 'source',
    policies: [
      s3SourcePolicy({ bucket }) as never,
      {
        Statement: {
          Effect: 'Allow',
          Action: ['s3:GetObject', ...actions],
          Resource: `arn:aws:s3:::${bucket}/*`,
        },
      },
    ],
  })
  const access = openEmbedded(aws, { auth: keyAuth(user), config: { bucket } })
  const entry = await entryOf(access, 'a')
  expect(entry.versionId).toBeTruthy()
  await aws.s3.putObject({ bucket, key: 'a', body: 'new' })
  return { aws, access, entry }
}

test('a former version is still read, by who may read versions', async () => {
  const { aws, access, entry } = await overwritten(['s3:GetObjectVersion'])
  const path = join(await temporaryFolder(), 'out')
  await access.file(entry).download(path)
  expect((await readFile(path)).equals(former)).toBe(true)
  expect((await collect(access.file(entry).read())).equals(former)).toBe(true)
  aws.s3.deleteObject(bucket, 'a')
  expect((await collect(access.file(entry).read())).equals(former)).toBe(true)
})

test('for everybody else it is a conflict, and no question of permission', async () => {
  const { access, entry } = await overwritten()
  const reading = collect(access.file(entry).read())
  await expect(reading).rejects.toMatchObject({ kind: 'conflict', code: 'ObjectChanged' })
})
