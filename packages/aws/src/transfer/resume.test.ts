import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Aws } from '@penstock/testkit'
import { beforeEach, expect, test } from 'vitest'
import {
  bucket,
  bytesOf,
  embeddedAws,
  entryOf,
  failure,
  openEmbedded,
  quick,
  temporaryFolder,
} from '../../test/embedded.ts'

const MiB = 1 << 20
/** Three ranges. */
const large = bytesOf(17 * MiB)

let aws: Aws
let path: string

beforeEach(async () => {
  aws = await embeddedAws()
  path = join(await temporaryFolder(), 'out')
  await aws.s3.putObject({ bucket, key: 'large', body: large })
})

/** A download whose second half never comes. */
const cutOff = async () => {
  const access = openEmbedded(aws, { concurrency: 1, retry: { ...quick, attempts: 2 } })
  const entry = await entryOf(access, 'large')
  const remove = aws.faults.add({
    when: { operation: 'GetObject', minRangeStart: 10 * MiB },
    fault: { kind: 'reset' },
  })
  await failure(access.file(entry).download(path, { resume: true }))
  remove()
  return entry
}

const gets = () =>
  aws.log.entries().filter((entry) => entry.operation === 'GetObject' && entry.status === 206)

test('a download that was cut off goes on where it was, and counts all bytes', async () => {
  const entry = await cutOff()
  const before = gets().length
  let counted = 0
  const onBytes = (bytes: number) => {
    counted += bytes
  }
  await openEmbedded(aws).file(entry).download(path, { resume: true, onBytes })
  expect(readFileSync(path).equals(large)).toBe(true)
  expect(gets().length - before).toBe(1)
  expect(counted).toBe(large.length)
  expect(readdirSync(join(path, '..'))).toEqual(['out'])
})

test('a line of the journal that was cut off does not count', async () => {
  const entry = await cutOff()
  appendFileSync(`${path}.journal`, '2 ab')
  await openEmbedded(aws).file(entry).download(path, { resume: true })
  expect(readFileSync(path).equals(large)).toBe(true)
})

test('bytes that changed on the disk are fetched again', async () => {
  const entry = await cutOff()
  const access = openEmbedded(aws)
  // The journal claims a range that is not in the file.
  writeFileSync(`${path}.journal`, readFileSync(`${path}.journal`, 'utf8').replace(/^0 .*$/m, '0 1234'))
  await access.file(entry).download(path, { resume: true })
  expect(readFileSync(path).equals(large)).toBe(true)
})

test('another version of the object starts from its beginning', async () => {
  await cutOff()
  const other = bytesOf(large.length)
  await aws.s3.putObject({ bucket, key: 'large', body: other })
  const access = openEmbedded(aws)
  await access.file(await entryOf(access, 'large')).download(path, { resume: true })
  expect(readFileSync(path).equals(other)).toBe(true)
})

test('what changed underneath leaves nothing to go on with', async () => {
  const entry = await cutOff()
  await aws.s3.putObject({ bucket, key: 'large', body: bytesOf(large.length) })
  expect(await failure(openEmbedded(aws).file(entry).download(path, { resume: true }))).toMatchObject({
    kind: 'conflict',
  })
  expect(existsSync(path) || existsSync(`${path}.journal`)).toBe(false)
})

test('a local file is told from another one of the same size', async () => {
  const access = openEmbedded(aws)
  const file = access.file(await entryOf(access, 'large'))
  writeFileSync(path, large)
  expect(await file.matches(path)).toBe(true)
  const other = Buffer.from(large)
  other[5] = (other[5] as number) ^ 1
  writeFileSync(path, other)
  expect(await file.matches(path)).toBe(false)
  writeFileSync(path, 'short')
  expect(await file.matches(path)).toBe(false)
})
