import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  bucket,
  bytesOf,
  collect,
  embeddedAws,
  listAll,
  openEmbedded,
  temporaryFolder,
} from '../../test/embedded.ts'

test('an object that is listed can be read and downloaded, with its bytes', async () => {
  const aws = await embeddedAws()
  const body = bytesOf(300_000)
  await aws.s3.putObject({ bucket, key: 'a/b.csv', body })
  const access = openEmbedded(aws)
  const [entry] = await listAll(access)
  expect(entry).toMatchObject({ container: bucket, key: 'a/b.csv', size: body.length })
  const file = access.file(entry as never)
  expect(file.url).toBe('s3://lake/a/b.csv')
  expect((await collect(file.read())).equals(body)).toBe(true)
  expect((await collect(file.read({ start: 10, end: 20 }))).equals(body.subarray(10, 20))).toBe(true)
  const path = join(await temporaryFolder(), 'out')
  await file.download(path)
  expect((await readFile(path)).equals(body)).toBe(true)
  expect(await access.location()).toBe('eu-central-1')
  expect((await access.acl()).grants).toHaveLength(1)
  expect(await access.headBucket()).toEqual({ region: 'eu-central-1' })
  expect((await access.identity())?.account).toBe(aws.account)
})
