import { readdirSync, statSync } from 'node:fs'
import { ConnectorError, type RangedFile } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import {
  ask,
  fileTable,
  memoryFile,
  mountOf,
  openEngine,
  openWriter,
  temporaryFolder,
} from './mount-support.ts'

const select = 'SELECT i AS id, md5(i::VARCHAR) AS note FROM range(50000) t(i)'

const open = async (change: (bytes: Uint8Array) => RangedFile) => {
  const writer = await openWriter()
  const file = change(await writer.parquet(select))
  const engine = await openEngine()
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(select), [{ file }]) })]
  return {
    engine,
    mounts,
    left: () => readdirSync(engine.stagingFolder).filter((name) => name.startsWith('scan-')),
  }
}
const failure = (promise: Promise<unknown>) => promise.catch((reason: unknown) => reason)
const url = 's3://lake/a.parquet'

describe('a file that is not what it should be', () => {
  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['no Parquet', () => new TextEncoder().encode('hello, world: no parquet at all')],
    ['empty', () => new Uint8Array()],
    ['cut', (bytes) => bytes.subarray(0, bytes.length - 100)],
    [
      'with a damaged footer',
      (bytes) =>
        bytes.map((byte, index) => (index > bytes.length - 200 && index < bytes.length - 8 ? 0xff : byte)),
    ],
    ['encrypted', (bytes) => Uint8Array.from([...bytes.subarray(0, bytes.length - 4), 80, 65, 82, 69])],
  ])('%s', async (_name, change) => {
    const { engine, mounts, left } = await open((bytes) => memoryFile(url, change(bytes)))
    expect(await failure(ask(engine, 'SELECT sum(id) FROM sales.orders', { mounts }))).toMatchObject({
      kind: 'data',
      place: { object: url },
    })
    expect(left()).toEqual([])
  })

  it('whose pages are damaged', async () => {
    const { engine, mounts, left } = await open((bytes) =>
      memoryFile(
        url,
        bytes.map((byte, index) => (index > 4 && index < bytes.length - 20_000 ? 0xee : byte)),
      ),
    )
    const error = await failure(ask(engine, 'SELECT count(note), max(note) FROM sales.orders', { mounts }))
    expect(error).toMatchObject({ kind: expect.stringMatching(/data|config/) })
    expect(left()).toEqual([])
  })
})

describe('what happens on the way', () => {
  const failing =
    (error: () => unknown, after: number) =>
    (bytes: Uint8Array): RangedFile => {
      const file = memoryFile(url, bytes)
      let reads = 0
      return {
        ...file,
        read: (range, options) => {
          if (reads++ >= after) throw error()
          return file.read(range, options)
        },
      }
    }

  it.each([
    new ConnectorError('network', 'Broken off.'),
    new ConnectorError('auth', 'The credentials have expired.'),
    new ConnectorError('not-found', 'The object is gone.'),
  ])('%s', async (error) => {
    for (const after of [0, 1]) {
      const { engine, mounts, left } = await open(failing(() => error, after))
      expect(await failure(ask(engine, 'SELECT max(note) FROM sales.orders', { mounts }))).toMatchObject({
        kind: error.kind,
        place: { object: url },
      })
      expect(left()).toEqual([])
    }
  })

  it('fewer bytes than asked for', async () => {
    const { engine, mounts } = await open((bytes) => ({
      ...memoryFile(url, bytes),
      async *read({ start, end }) {
        yield bytes.subarray(start, end - 1)
      },
    }))
    expect(await failure(ask(engine, 'SELECT max(note) FROM sales.orders', { mounts }))).toMatchObject({
      kind: 'network',
    })
  })

  it.each(['at the footer', 'at the data'])('an abort ends requests and leaves nothing: %s', async (when) => {
    const abort = new AbortController()
    let reads = 0
    let isEnded = false
    const { engine, mounts, left } = await open((bytes) => {
      const file = memoryFile(url, bytes)
      return {
        ...file,
        async *read(range, options) {
          if (reads++ < (when === 'at the footer' ? 0 : 1)) {
            yield* file.read(range, options)
            return
          }
          setTimeout(() => abort.abort(), 10)
          await new Promise((_resolve, reject) =>
            options?.signal?.addEventListener('abort', () => {
              isEnded = true
              reject(options.signal?.reason)
            }),
          )
        },
      }
    })
    const error = await failure(
      ask(engine, 'SELECT max(note) FROM sales.orders', { mounts, signal: abort.signal }),
    )
    expect(error).toMatchObject({ kind: 'cancelled' })
    expect(isEnded).toBe(true)
    expect(left()).toEqual([])
  })

  it('more than fits on the disk that it may use', async () => {
    const { engine, mounts, left } = await open((bytes) => memoryFile(url, bytes))
    const error = await failure(
      ask(engine, 'SELECT max(note) FROM sales.orders', { mounts, limits: { diskBytes: 10_000 } }),
    )
    expect(error).toMatchObject({ kind: 'resource', hint: expect.stringMatching(/--staging/) })
    expect(left()).toEqual([])
  })

  it('a result that is left half-read', async () => {
    const { engine, mounts, left } = await open((bytes) => memoryFile(url, bytes))
    const { result } = await engine.queryMounted('SELECT id FROM sales.orders', { mounts })
    for await (const _page of result.rows()) break
    expect(left()).toEqual([])
  })
})

it('wrong SQL is told before anything is read', async () => {
  const reads: unknown[] = []
  const { engine, mounts } = await open((bytes) => {
    const file = memoryFile(url, bytes)
    reads.push(file.reads)
    return file
  })
  for (const sql of ['SELECT nothing FROM sales.orders', 'SELECT no_such(id) FROM sales.orders', 'SELEKT 1'])
    expect(await failure(ask(engine, sql, { mounts }))).toMatchObject({ kind: 'config', code: 'InvalidSql' })
  expect(reads).toEqual([[]])
})

describe('the cache', () => {
  const cached = async (version: string | undefined) => {
    const files: ReturnType<typeof memoryFile>[] = []
    const { engine, mounts } = await open((bytes) => {
      const file = memoryFile(url, bytes, version)
      files.push(file)
      return file
    })
    const cache = { folder: temporaryFolder(), bytes: 10_000_000 }
    const run = (sql: string, bytes = cache.bytes) => ask(engine, sql, { mounts, cache: { ...cache, bytes } })
    return { run, cache, reads: () => files[0]?.reads.length }
  }

  it('answers the second query without a request', async () => {
    const { run, reads } = await cached('v1')
    const first = await run('SELECT sum(id) FROM sales.orders')
    expect(first.receipt.cacheHits).toBe(0)
    const before = reads()
    const second = await run('SELECT sum(id) FROM sales.orders')
    expect(second.rows).toEqual(first.rows)
    expect(second.receipt).toMatchObject({ requests: 0, bytesFetched: 0 })
    expect(second.receipt.bytesFromCache).toBeGreaterThan(1000)
    expect(reads()).toBe(before)
  })

  it.skipIf(process.platform === 'win32')('is for nobody else to read', async () => {
    const { run, cache } = await cached('v1')
    await run('SELECT sum(id) FROM sales.orders')
    const folder = `${cache.folder}/ranges`
    const names = readdirSync(folder)
    expect(names.length).toBeGreaterThan(2)
    for (const path of [folder, ...names.map((name) => `${folder}/${name}`)])
      expect(statSync(path).mode & 0o077).toBe(0)
  })

  it('keeps nothing of a file that may change', async () => {
    const { run, cache } = await cached(undefined)
    await run('SELECT sum(id) FROM sales.orders')
    expect(readdirSync(cache.folder)).toEqual([])
  })

  it('stays below its ceiling', async () => {
    const { run, cache } = await cached('v1')
    await run('SELECT sum(id), max(note) FROM sales.orders', 50_000)
    const { receipt } = await run('SELECT sum(id), max(note) FROM sales.orders', 50_000)
    expect(receipt.bytesFetched).toBeGreaterThan(0)
    expect(readdirSync(`${cache.folder}/ranges`).every((name) => !name.endsWith('.tmp'))).toBe(true)
  })
})
