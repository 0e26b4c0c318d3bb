import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { collect, keyAuth, region } from '../../test/embedded.ts'
import type { OpenS3Options, S3RequestEvent } from './access.ts'
import { openS3 } from './open.ts'

const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' }

/** A store of a few lines, which shows what arrives. */
const store = async (listener: RequestListener, options: Partial<OpenS3Options> = {}) => {
  const sockets = new Set<Socket>()
  const server = createServer(listener)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const access = openS3({
    config: { region, bucket: 'lake', endpoint: `http://127.0.0.1:${port}` },
    auth: keyAuth(keys),
    access: 'read-only',
    signal: new AbortController().signal,
    clock: () => new Date(),
    ...options,
  })
  onTestFinished(() => access.close())
  return { access, sockets }
}

const headers = { etag: '"v"', 'content-length': '3', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }

test('no more requests are in flight than the concurrency says', async () => {
  let active = 0
  let most = 0
  const { access, sockets } = await store(
    async (_, response) => {
      most = Math.max(most, ++active)
      await sleep(3)
      active--
      response.writeHead(200, headers).end()
    },
    { concurrency: 3 },
  )
  await Promise.all(Array.from({ length: 20 }, (_, index) => access.head(`${index}`)))
  expect(most).toBe(3)
  expect(sockets.size).toBeLessThanOrEqual(3)
  expect(access.stats().requests).toBe(20)
})

test.each([
  [undefined, 96, 32],
  [3, 3, 3],
])('with concurrency %s: %i small bodies at once, %i large ones', async (concurrency, small, large) => {
  for (const [size, most] of [
    [1_000, small],
    [300_000, large],
  ] as const) {
    let active = 0
    const gate = Promise.withResolvers<void>()
    const seen: number[] = []
    const { access } = await store(
      async (_, response) => {
        seen.push(++active)
        await gate.promise
        active--
        response.writeHead(200, { ...headers, 'content-length': String(size) }).end(Buffer.alloc(size))
      },
      concurrency === undefined ? {} : { concurrency },
    )
    const entry = { container: 'lake', key: 'a', version: 'v', size, modified: 0 }
    const reading = Promise.all(Array.from({ length: 120 }, () => collect(access.file(entry).read())))
    await expect.poll(() => active, { timeout: 10_000 }).toBe(most)
    gate.resolve()
    expect(Buffer.concat(await reading)).toHaveLength(120 * size)
    expect(Math.max(...seen)).toBe(most)
  }
})

test('closing closes the sockets that are kept alive', async () => {
  const { access, sockets } = await store((_, response) => response.writeHead(200, headers).end())
  await access.head('a')
  expect(sockets.size).toBe(1)
  await access.close()
  while (sockets.size > 0) await sleep(1)
  await expect(access.head('a')).rejects.toMatchObject({ kind: 'cancelled' })
})

test('each request is told, without headers', async () => {
  const events: S3RequestEvent[] = []
  const { access } = await store((_, response) => response.writeHead(200, headers).end(), {
    onRequest: (event) => events.push(event),
  })
  await access.head('a b')
  expect(events).toEqual([{ operation: 'HeadObject', method: 'HEAD', key: 'a b', status: 200 }])
})

test('a store that ignores If-Match, ranges or lengths is found out', async () => {
  const body = 'x'.repeat(10)
  const entry = { container: 'lake', key: 'a', version: 'v', size: 10, modified: 0 }
  let answer: Record<string, string> = {}
  let status = 200
  const { access } = await store((_, response) => response.writeHead(status, answer).end(body))
  const read = async (range?: { start: number; end: number }): Promise<void> => {
    for await (const _ of access.file(entry).read(range)) void _
  }
  answer = { etag: '"other"' }
  await expect(read()).rejects.toMatchObject({ kind: 'conflict' })
  answer = { etag: '"v"', 'content-length': '10' }
  await read()
  await expect(read({ start: 2, end: 5 })).rejects.toMatchObject({ kind: 'data', code: 'RangeIgnored' })
  status = 206
  answer = { etag: '"v"', 'content-range': 'bytes 2-4/11' }
  await expect(read({ start: 2, end: 5 })).rejects.toMatchObject({ kind: 'conflict' })
})

test('a wait that the server asks for is kept', async () => {
  const { access } = await store((_, response) => response.writeHead(503, { 'retry-after': '7' }).end(), {
    retry: { baseDelayMs: 1, maxDelayMs: 1 },
  })
  const entry = { container: 'lake', key: 'a', version: 'v', size: 3, modified: 0 }
  const stop = new AbortController()
  const delays: number[] = []
  const onRetry = ({ delayMs }: { delayMs: number }): void => {
    delays.push(delayMs)
    stop.abort()
  }
  const reading = access.file(entry).read(undefined, { signal: stop.signal, onRetry })
  await expect(Array.fromAsync(reading)).rejects.toMatchObject({ kind: 'cancelled' })
  expect(delays).toEqual([7000])
})

test('requests name what they accept and who asks, and are signed', async () => {
  let seen: Record<string, unknown> = {}
  const { access } = await store((request, response) => {
    seen = request.headers
    response.writeHead(200, headers).end()
  })
  await access.head('a')
  expect(seen).toMatchObject({ 'user-agent': 'penstock', 'accept-encoding': 'identity' })
  expect(seen.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\//)
})
