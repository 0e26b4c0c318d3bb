import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileEntry } from '@penstock/core'
import type { Aws, Fault, FaultRule } from '@penstock/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bucket,
  bytesOf,
  collect,
  embeddedAws,
  entryOf,
  failure,
  openEmbedded,
  quick,
  temporaryFolder,
} from '../../test/embedded.ts'
import type { S3Access } from '../s3/access.ts'

const MiB = 1 << 20
/** Two ranges of a download, three parts of a stream. */
const large = bytesOf(9 * MiB)
const small = bytesOf(100_000)

let aws: Aws
let access: S3Access
let folder: string

beforeEach(async () => {
  aws = await embeddedAws()
  access = openEmbedded(aws)
  folder = await temporaryFolder()
})

/** Puts the object `small` or `large`. */
const put = (key: string) => aws.s3.putObject({ bucket, key, body: key === 'large' ? large : small })

const gets = () => aws.log.entries().filter((entry) => entry.operation === 'GetObject')

const fault = (kind: Fault, rule: Partial<FaultRule> = {}): void => {
  aws.faults.add({ when: { operation: 'GetObject' }, times: 1, ...rule, fault: kind })
}

const download = async (key: string, from = access): Promise<{ counted: number; retries: number }> => {
  const path = join(folder, key)
  let counted = 0
  let retries = 0
  const onBytes = (bytes: number): void => {
    counted += bytes
  }
  const onRetry = (): void => {
    retries++
  }
  await from.file(await entryOf(from, key)).download(path, { onBytes, onRetry })
  expect((await readFile(path)).equals(key === 'large' ? large : small)).toBe(true)
  return { counted, retries }
}

const healed: [string, Fault][] = [
  ['503 SlowDown', { kind: 'slow-down' }],
  ['500 InternalError', { kind: 'internal-error' }],
  ['429', { kind: 'error', status: 429, code: 'TooManyRequests', message: 'Slow down' }],
  ['a reset before the answer', { kind: 'reset' }],
  ['a reset within the body', { kind: 'reset-body', afterBytes: 50_000 }],
  ['a truncated body', { kind: 'truncate-body', afterBytes: 50_001 }],
  ['a wrong byte', { kind: 'corrupt-body', atByte: 77_777 }],
  ['no answer', { kind: 'hang' }],
  ['a slow drip', { kind: 'slow-drip', chunkBytes: 1 << 18, intervalMs: 2 }],
]

describe.each(['small', 'large'])('a %s object', (key) => {
  beforeEach(() => put(key))

  test.each(healed)('arrives in spite of %s, every byte counted once', async (_, kind) => {
    fault(kind)
    const { counted } = await download(key)
    expect(counted).toBe(key === 'large' ? large.length : small.length)
    expect(aws.faults.list()[0]?.applied).toBe(1)
  })

  test.each(healed)('streams in spite of %s', async (_, kind) => {
    // Larger streams can't be taken back, and fail; see below.
    if (key === 'large' && kind.kind === 'corrupt-body') return
    fault(kind)
    const body = await collect(access.file(await entryOf(access, key)).read())
    expect(body.equals(key === 'large' ? large : small)).toBe(true)
  })

  test('that changed between list and get is a conflict that names it, and no file', async () => {
    const entry = await entryOf(access, key)
    fault({ kind: 'change-object' })
    const error = await failure(access.file(entry).download(join(folder, 'out')))
    expect(error).toMatchObject({ kind: 'conflict', code: 'ObjectChanged' })
    expect(error.message).toContain(`Object ${key} changed while it was read: it was overwritten`)
    expect(await readdir(folder)).toEqual([])
    await expect(collect(access.file(entry).read())).rejects.toMatchObject({ kind: 'conflict' })
  })

  test('that was deleted after the listing is a conflict', async () => {
    const entry = await entryOf(access, key)
    aws.s3.deleteObject(bucket, key)
    const error = await failure(access.file(entry).download(join(folder, 'out')))
    expect(error).toMatchObject({ kind: 'conflict', place: { object: `s3://lake/${key}` } })
    expect(error.message).toContain('it was deleted')
  })

  test('whose bytes are wrong every time is a data error after two tries, and no file', async () => {
    const entry = await entryOf(access, key)
    fault({ kind: 'corrupt-body', atByte: 5 }, { times: 1000 })
    let counted = 0
    const onBytes = (bytes: number): void => {
      counted += bytes
    }
    const error = await failure(access.file(entry).download(join(folder, 'out'), { onBytes }))
    expect(error).toMatchObject({ kind: 'data', code: 'ChecksumMismatch' })
    expect(error.message).toContain(`Object ${key} arrived with other bytes`)
    expect(counted).toBe(0)
    expect(existsSync(join(folder, 'out'))).toBe(false)
    await expect(collect(access.file(entry).read())).rejects.toMatchObject({ kind: 'data' })
  })

  test('that never comes is an error of the network with its last cause', async () => {
    const entry = await entryOf(access, key)
    fault({ kind: 'reset' }, { times: 10_000 })
    const impatient = openEmbedded(aws, { retry: { ...quick, attempts: 3 } })
    const error = await failure(impatient.file(entry).download(join(folder, 'out')))
    expect(error).toMatchObject({ kind: 'network' })
    expect(error.message).toMatch(/broke off the connection; gave up after 3 attempts/)
  })

  test('ends at once when its signal aborts', async () => {
    const entry = await entryOf(access, key)
    fault({ kind: 'hang' }, { times: 1000 })
    const stop = new AbortController()
    const patient = openEmbedded(aws, { retry: {} })
    const running = failure(patient.file(entry).download(join(folder, 'out'), { signal: stop.signal }))
    setTimeout(() => stop.abort(), 20)
    expect(await running).toMatchObject({ kind: 'cancelled' })
    expect(await readdir(folder)).toEqual([])
  })

  test('ends when the connection is closed', async () => {
    const entry = await entryOf(access, key)
    fault({ kind: 'hang' }, { times: 1000 })
    const patient = openEmbedded(aws, { retry: {} })
    const running = failure(patient.file(entry).download(join(folder, 'out')))
    setTimeout(() => patient.close(), 20)
    expect(await running).toMatchObject({ kind: 'cancelled' })
  })
})

test('a store that falls silent is given up after three tries without a byte', async () => {
  await put('small')
  const entry = await entryOf(access, 'small')
  fault({ kind: 'truncate-body', afterBytes: 40_000 })
  fault({ kind: 'hang' }, { times: 1000, skip: 1 })
  const impatient = openEmbedded(aws, { retry: { ...quick, answerTimeoutMs: 300 } })
  const error = await failure(impatient.file(entry).download(join(folder, 'out')))
  expect(error).toMatchObject({ kind: 'network', code: 'UND_ERR_HEADERS_TIMEOUT' })
  expect(gets()).toHaveLength(4)
  expect(await readdir(folder)).toEqual([])
})

test('a body that breaks off goes on at the byte that it had come to', async () => {
  await put('small')
  fault({ kind: 'truncate-body', afterBytes: 40_000 })
  const { retries } = await download('small')
  expect(retries).toBe(1)
  expect(gets().map((entry) => entry.range)).toEqual([undefined, { start: 40_000, end: 99_999 }])
})

test('ranges of a large object are resumed one by one, each byte is sent once', async () => {
  await put('large')
  fault({ kind: 'truncate-body', afterBytes: 300_000 }, { times: 3 })
  await download('large')
  const sent = gets().reduce((sum, entry) => sum + entry.bytesSent, 0)
  expect(sent).toBe(large.length)
  expect(access.stats()).toMatchObject({ retries: 3, bytes: large.length })
})

test('a silent body is given up and resumed', async () => {
  await put('small')
  fault({ kind: 'slow-drip', chunkBytes: 10_000, intervalMs: 60_000 })
  await download('small')
  expect(gets()).toHaveLength(2)
})

test('the budget of a connection ends retries of all its objects', async () => {
  await put('large')
  const entry = await entryOf(access, 'large')
  fault({ kind: 'slow-down' }, { times: 10_000 })
  const poor = openEmbedded(aws, { retry: { ...quick, budget: 20, attempts: 100 } })
  const error = await failure(poor.file(entry).download(join(folder, 'out')))
  expect(error).toMatchObject({ kind: 'throttled', code: 'SlowDown' })
  expect(error.message).toMatch(/SlowDown.*retry budget of the connection is used up \(4 retries\)/)
  expect(poor.stats().throttled).toBeGreaterThanOrEqual(4)
})

test('an expired token that nobody can renew is an error of the credentials', async () => {
  await put('large')
  fault({ kind: 'expired-token' }, { skip: 1 })
  const error = await failure(download('large'))
  expect(error).toMatchObject({ kind: 'auth', code: 'ExpiredToken' })
})

test.each(['small', 'large'])('a folder that is not there is an error of the machine (%s)', async (key) => {
  await put(key)
  const entry = await entryOf(access, key)
  const error = await failure(access.file(entry).download(join(folder, 'missing', 'out')))
  expect(error).toMatchObject({ kind: 'resource', code: 'ENOENT' })
})

describe('the request for the checksum of a large object', () => {
  let entry: FileEntry
  beforeEach(async () => {
    await put('large')
    entry = await entryOf(access, 'large')
  })
  const head = (kind: Fault, times: number) =>
    aws.faults.add({ when: { operation: 'HeadObject' }, times, fault: kind })
  const ways: [string, (from: S3Access) => Promise<unknown>][] = [
    ['download', (from) => from.file(entry).download(join(folder, 'large'), {})],
    ['stream', (from) => collect(from.file(entry).read())],
  ]

  test.each(ways)('that is refused is told once, and the object arrives: %s', async (_, use) => {
    const notices: string[] = []
    const told = openEmbedded(aws, { notice: (message) => notices.push(message) })
    head({ kind: 'error', status: 403, code: 'AccessDenied', message: 'Access Denied' }, 2)
    await use(told)
    await use(told)
    expect(notices).toEqual([expect.stringMatching(/refuses HeadObject .*, so objects over 8 MiB/)])
  })

  test.each(ways)(
    'that keeps failing fails the transfer: nothing is taken unverified: %s',
    async (_, use) => {
      head({ kind: 'internal-error' }, 100)
      const error = await failure(use(openEmbedded(aws, { retry: { ...quick, attempts: 2 } })))
      expect(error).toMatchObject({ kind: 'network', message: expect.stringContaining('HeadObject') })
      expect(await readdir(folder)).toEqual([])
    },
  )

  test.each(ways)('that fails once is sent again, and wrong bytes are found: %s', async (_, use) => {
    head({ kind: 'internal-error' }, 1)
    fault({ kind: 'corrupt-body', atByte: 77_777 }, { times: 10 })
    expect(await failure(use(access))).toMatchObject({ kind: 'data', code: 'ChecksumMismatch' })
  })

  test.each(ways)('that fails once does not wait for the range that waits for it: %s', async (_, use) => {
    head({ kind: 'internal-error' }, 1)
    await use(openEmbedded(aws, { concurrency: 1 }))
  })
})
