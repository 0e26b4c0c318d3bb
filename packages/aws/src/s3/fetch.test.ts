import { expect, test } from 'vitest'
import { bucket, bytesOf, embeddedAws, openEmbedded } from '../../test/embedded.ts'

test('an object of unknown size comes in one request, whole', async () => {
  const aws = await embeddedAws()
  const body = bytesOf(3 << 20)
  await aws.s3.putObject({ bucket, key: 'a', body })
  const access = openEmbedded(aws)
  expect(Buffer.from(await access.fetch('a')).equals(body)).toBe(true)
  expect(aws.log.entries().map(({ operation }) => operation)).toEqual(['GetObject'])
})

test('wrong bytes and broken connections are fetched again', async () => {
  const aws = await embeddedAws()
  const body = bytesOf(200_000)
  await aws.s3.putObject({ bucket, key: 'a', body })
  aws.faults.add({ times: 1, fault: { kind: 'truncate-body', afterBytes: 1000 } })
  aws.faults.add({ skip: 1, times: 1, fault: { kind: 'corrupt-body', atByte: 7 } })
  expect(Buffer.from(await openEmbedded(aws).fetch('a')).equals(body)).toBe(true)
  expect(aws.log.entries()).toHaveLength(3)
})

test('bytes that stay wrong, objects that are missing or too large', async () => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'a', body: bytesOf(100) })
  const access = openEmbedded(aws)
  await expect(access.fetch('none')).rejects.toMatchObject({ kind: 'not-found', code: 'NoSuchKey' })
  await expect(access.fetch('a', { maxBytes: 99 })).rejects.toMatchObject({ kind: 'resource' })
  aws.faults.add({ fault: { kind: 'corrupt-body', atByte: 7 } })
  await expect(access.fetch('a')).rejects.toMatchObject({ kind: 'data', code: 'ChecksumMismatch' })
})
