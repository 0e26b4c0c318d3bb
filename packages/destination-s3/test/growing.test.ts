import { randomBytes } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError, type GrowingFile } from '@penstock/core'
import type { Fault } from '@penstock/testkit'
import { decrypt, generateKey, readMessage, readPrivateKey } from 'openpgp'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bucket, failure, openBench } from './bench.ts'

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
afterEach(() => {
  bench.aws.faults.clear()
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
  expect(bench.aws.s3.listUploads(bucket)).toEqual([])
  expect(bench.unreleased.size).toBe(0)
})

const MiB = 1 << 20
const hold = { file: 4 * MiB, total: 16 * MiB }

let files = 0
/** A file that grows as the test wants it to. */
const growing = (part = 1) => {
  const path = join(bench.folder, `growing-${++files}`)
  const whole: Buffer[] = []
  const { promise: finished, resolve, reject } = Promise.withResolvers<{ size: number; rows: number }>()
  finished.catch(() => {})
  let complete = false
  let changed = Promise.withResolvers<void>()
  const change = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const size = () => whole.reduce((sum, { length }) => sum + length, 0)
  const file: GrowingFile = {
    part,
    partition: {},
    path,
    finished,
    grown: async (beyond, signal) => {
      const aborted = Promise.withResolvers<never>()
      aborted.promise.catch(() => {})
      signal?.addEventListener('abort', () => aborted.reject(signal.reason))
      for (;;) {
        signal?.throwIfAborted()
        if (complete) return { bytes: (await finished).size, complete }
        if (size() > beyond) return { bytes: size(), complete }
        await Promise.race([changed.promise, aborted.promise])
      }
    },
    release: async () => {
      bench.unreleased.delete(path)
      await rm(path, { force: true })
    },
  }
  bench.unreleased.add(path)
  return {
    file,
    whole: () => Buffer.concat(whole),
    append: (bytes: number): void => {
      const more = randomBytes(bytes)
      appendFileSync(path, more)
      whole.push(more)
      change()
    },
    finish: (): void => {
      if (whole.length === 0) writeFileSync(path, '')
      complete = true
      resolve({ size: size(), rows: 7 })
      change()
    },
    fail: (error: Error): void => {
      complete = true
      reject(error)
      change()
    },
  }
}

/** Operations of S3 on the files, since `from`. */
const operations = (from = 0): string[] =>
  bench.aws.log
    .entries()
    .slice(from)
    .filter(({ key = '' }) => key.startsWith('data'))
    .map(({ operation }) => operation)
const count = (operation: string, from: number): number =>
  operations(from).filter((each) => each === operation).length

const write = (grown: readonly GrowingFile[], more: Parameters<Bench['write']>[0] = {}) =>
  bench.write({
    hold,
    streams: [{ files: [], growing: grown }],
    ...more,
    options: { fileName: 'data', ...more?.options },
  })

describe('a file that is still being written', () => {
  it.each<[string, Fault | undefined]>([
    ['without a fault', undefined],
    ['with 503', { kind: 'slow-down' }],
    ['with a reset', { kind: 'reset' }],
    ['with a reset after the part is there', { kind: 'reset', handled: true }],
  ])('is sent in parts meanwhile, and seen when it is whole: %s', async (_, fault) => {
    const from = bench.aws.log.entries().length
    const grown = growing()
    if (fault) bench.aws.faults.add({ when: { operation: 'UploadPart' }, times: 2, fault })
    const running = write([grown.file])
    grown.append(19 * MiB)
    await expect.poll(() => count('UploadPart', from), { timeout: 20_000 }).toBeGreaterThanOrEqual(2)
    expect(bench.keys()).toEqual([])
    grown.append(2 * MiB)
    grown.append(5 * MiB)
    grown.finish()
    const { files: written } = await running
    expect(written).toMatchObject([{ name: 'data.csv', rows: 7, size: 26 * MiB }])
    expect((await bench.aws.s3.getObject(bucket, 'data.csv')).equals(grown.whole())).toBe(true)
  })

  it.each([
    ['up to the threshold is one request', 4 * MiB, ['PutObject']],
    ['one byte beyond is an upload', 4 * MiB + 1, ['UploadPart']],
    ['to the end of a part has no empty part', 16 * MiB, ['UploadPart', 'UploadPart']],
    ['without a byte is an empty object', 0, ['PutObject']],
  ])('%s', async (_, bytes, expected) => {
    const from = bench.aws.log.entries().length
    const grown = growing()
    const running = write([grown.file])
    if (bytes > 0) grown.append(bytes)
    if (bytes > 4 * MiB)
      await expect.poll(() => count('CreateMultipartUpload', from), { timeout: 20_000 }).toBe(1)
    grown.finish()
    await running
    expect(operations(from).filter((name) => name === 'PutObject' || name === 'UploadPart')).toEqual(expected)
    expect((await bench.aws.s3.getObject(bucket, 'data.csv')).equals(grown.whole())).toBe(true)
  })

  it.each([
    ['its writing fails', 'data'],
    ['the run is cancelled', 'cancelled'],
  ])('leaves nothing when %s', async (_, kind) => {
    const from = bench.aws.log.entries().length
    const stop = new AbortController()
    const grown = growing()
    const whole = growing(2)
    whole.append(100)
    whole.finish()
    const running = failure(write([whole.file, grown.file], { signal: stop.signal }))
    grown.append(20 * MiB)
    await expect.poll(() => count('UploadPart', from), { timeout: 20_000 }).toBeGreaterThanOrEqual(2)
    if (kind === 'cancelled') stop.abort()
    else grown.fail(new ConnectorError('data', 'The query broke.'))
    expect(await running).toMatchObject({ kind })
    expect(bench.keys()).toEqual([])
    expect(bench.notes().filter((key) => !key.endsWith('state.json'))).toEqual([])
  })

  it('is encrypted as it comes', async () => {
    const from = bench.aws.log.entries().length
    const { publicKey, privateKey } = await generateKey({ userIDs: [{ name: 'reader' }] })
    const grown = growing()
    const running = write([grown.file], { options: { publicKey } })
    grown.append(18 * MiB)
    await expect.poll(() => count('UploadPart', from), { timeout: 20_000 }).toBeGreaterThanOrEqual(2)
    expect(bench.keys()).toEqual([])
    grown.append(3 * MiB)
    grown.finish()
    const [written] = (await running).files
    const message = await readMessage({
      binaryMessage: await bench.aws.s3.getObject(bucket, written?.name ?? ''),
    })
    const decryptionKeys = await readPrivateKey({ armoredKey: privateKey })
    const { data } = await decrypt({ message, decryptionKeys, format: 'binary' })
    expect(grown.whole().equals(data as Uint8Array)).toBe(true)
  })
})
