import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import type { Reply, RequestInfo } from '../types.ts'
import type { Fault } from './faults.ts'
import { interceptRequest } from './intercept.ts'
import { writeReply } from './wire.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

interface Scenario {
  faults?: Fault[]
  reply?: () => Reply
  service?: RequestInfo['service']
  latencyMs?: number
}

/** A server that answers every request as the embedded AWS does: intercept, handle, write. */
async function serve({ faults = [], reply, service = 's3', latencyMs = 0 }: Scenario) {
  const state = { handled: 0, sent: [] as number[] }
  const server = createServer(async (req, res) => {
    const method = req.method ?? ''
    const info: RequestInfo = { service, operation: 'GetObject', method, sequence: 1 }
    const early = await interceptRequest({ res, info, faults, requestId: 'R1', latencyMs })
    if (early === 'gone') return
    if (!early) state.handled++
    const answer = early ?? reply?.() ?? { status: 200, headers: {}, body: Buffer.from('0123456789') }
    const clock = () => Date.UTC(2025, 0, 1)
    state.sent.push(await writeReply(res, answer, faults, { method, clock, info, requestId: 'R1' }))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { state, port, get: (method = 'GET') => exchange(port, method) }
}

/** What arrives on a raw socket until the other side ends it. */
async function exchange(port: number, method: string) {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.write(`${method} / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  socket.on('data', (chunk) => chunks.push(chunk))
  const end = await new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    socket.on('end', () => resolve('end'))
  })
  socket.destroy()
  const all = Buffer.concat(chunks)
  const split = all.indexOf('\r\n\r\n')
  const head = all.subarray(0, Math.max(split, 0)).toString('latin1').toLowerCase()
  return { end, head, status: Number(head.split(' ')[1]), body: all.subarray(split + 4), all }
}

const big = Buffer.alloc(5_000_000, 'abcdefghijklmnopqrstuvwxyz')
const bigReply = (): Reply => ({ status: 200, headers: { etag: '"e"' }, body: big })
const streamed = (): Reply => ({
  status: 200,
  headers: { 'content-length': String(big.length) },
  body: Readable.from([big.subarray(0, 1_000_000), big.subarray(1_000_000)]),
})

test('a reply without faults arrives as it is, from a buffer and from a stream', async () => {
  for (const reply of [bigReply, streamed]) {
    const server = await serve({ reply })
    const answer = await server.get()
    expect(answer.body.equals(big)).toBe(true)
    expect(answer.head).toContain(`content-length: ${big.length}`)
    expect(server.state.sent).toEqual([big.length])
  }
})

test('HEAD and 304 have no body and leave the source destroyed', async () => {
  const source = Readable.from([Buffer.from('x')])
  const head = await serve({
    reply: () => ({ status: 200, headers: { 'content-length': '5' }, body: source }),
  })
  const answer = await head.get('HEAD')
  expect(answer.head).toContain('content-length: 5')
  expect(answer.body.length).toBe(0)
  expect(source.destroyed).toBe(true)
  const unchanged = await serve({ reply: () => ({ status: 304, headers: { etag: '"e"' } }) })
  expect((await unchanged.get()).status).toBe(304)
})

test.each([0, 1, 4_321_987])(
  'truncate-body lets exactly %i bytes through, then closes in order',
  async (afterBytes) => {
    for (const reply of [bigReply, streamed]) {
      const server = await serve({ reply, faults: [{ kind: 'truncate-body', afterBytes }] })
      const answer = await server.get()
      expect(answer.end).toBe('end')
      expect(answer.head).toContain(`content-length: ${big.length}`)
      expect(answer.body.equals(big.subarray(0, afterBytes))).toBe(true)
      expect(server.state.sent).toEqual([afterBytes])
    }
  },
)

test.each([0, 7, 70_000])('reset-body lets %i bytes through, then resets', async (afterBytes) => {
  const server = await serve({ reply: bigReply, faults: [{ kind: 'reset-body', afterBytes }] })
  const answer = await server.get()
  expect(answer.end).toBe('ECONNRESET')
  expect(answer.head).toContain(`content-length: ${big.length}`)
  expect(answer.body.equals(big.subarray(0, afterBytes))).toBe(true)
})

test('a cut behind the end of the body leaves the reply whole', async () => {
  const server = await serve({ faults: [{ kind: 'truncate-body', afterBytes: 11 }] })
  expect((await server.get()).body.toString()).toBe('0123456789')
})

test('a streamed body without a length ends without its last chunk when it is cut', async () => {
  const reply = (): Reply => ({ status: 200, headers: {}, body: Readable.from([Buffer.from('0123456789')]) })
  const server = await serve({ reply, faults: [{ kind: 'truncate-body', afterBytes: 4 }] })
  const answer = await server.get()
  expect(answer.head).toContain('transfer-encoding: chunked')
  expect(answer.body.toString()).toBe('4\r\n0123\r\n')
})

test('corrupt-body flips one bit of one byte, and not in the stored object', async () => {
  const stored = Buffer.from('0123456789')
  const reply = (): Reply => ({ status: 200, headers: { etag: '"e"' }, body: stored })
  const server = await serve({ reply, faults: [{ kind: 'corrupt-body', atByte: 4 }] })
  const answer = await server.get()
  expect(answer.body.toString()).toBe('0123556789')
  expect(answer.head).toContain('etag: "e"')
  expect(answer.head).toContain('content-length: 10')
  expect(stored.toString()).toBe('0123456789')
})

test('corrupt-body finds its byte in a later chunk of a stream', async () => {
  const server = await serve({ reply: streamed, faults: [{ kind: 'corrupt-body', atByte: 1_000_003 }] })
  const { body } = await server.get()
  expect(body.readUInt8(1_000_003)).toBe(big.readUInt8(1_000_003) ^ 1)
  body.writeUInt8(big.readUInt8(1_000_003), 1_000_003)
  expect(body.equals(big)).toBe(true)
})

test('a body can be corrupt and cut at once', async () => {
  const faults: Fault[] = [
    { kind: 'corrupt-body', atByte: 0 },
    { kind: 'truncate-body', afterBytes: 2 },
  ]
  const server = await serve({ faults })
  expect((await server.get()).body.toString()).toBe('11')
})

test('slow-drip sends all bytes in small pieces', async () => {
  const pieces: number[] = []
  const server = await serve({ faults: [{ kind: 'slow-drip', chunkBytes: 4, intervalMs: 15 }] })
  const answer = await fetch(`http://127.0.0.1:${server.port}/`)
  for await (const piece of answer.body ?? []) pieces.push(piece.length)
  expect(pieces.reduce((sum, size) => sum + size, 0)).toBe(10)
  expect(pieces.length).toBeGreaterThan(1)
})

test('reset ends the connection without a byte, before or after the operation took effect', async () => {
  const before = await serve({ faults: [{ kind: 'reset' }] })
  expect(await before.get()).toMatchObject({ end: 'ECONNRESET', all: Buffer.alloc(0) })
  expect(before.state.handled).toBe(0)
  const after = await serve({ faults: [{ kind: 'reset', handled: true }] })
  expect(await after.get()).toMatchObject({ end: 'ECONNRESET', all: Buffer.alloc(0) })
  expect(after.state.handled).toBe(1)
})

test('errors answer in the form of the service, with the operation untouched', async () => {
  const cases: [Fault, RequestInfo['service'], number, string][] = [
    [
      { kind: 'slow-down' },
      's3',
      503,
      '<Code>SlowDown</Code><Message>Please reduce your request rate.</Message>',
    ],
    [{ kind: 'internal-error' }, 's3', 500, '<Code>InternalError</Code>'],
    [{ kind: 'expired-token' }, 's3', 400, '<Code>ExpiredToken</Code>'],
    [{ kind: 'expired-token' }, 'sts', 403, '<Type>Sender</Type><Code>ExpiredToken</Code>'],
    [{ kind: 'internal-error' }, 'sts', 500, '<Type>Receiver</Type><Code>InternalFailure</Code>'],
    [{ kind: 'slow-down' }, 'glue', 400, '"__type":"ThrottlingException"'],
    [{ kind: 'error', status: 418, code: 'Tea', message: 'a < b' }, 's3', 418, '<Message>a &lt; b</Message>'],
  ]
  for (const [fault, service, status, text] of cases) {
    const server = await serve({ faults: [fault], service })
    const answer = await server.get()
    expect(answer.status).toBe(status)
    expect(answer.body.toString()).toContain(text)
    expect(server.state.handled).toBe(0)
  }
})

test('a handled error replaces the answer of an operation that took effect', async () => {
  const source = Readable.from([Buffer.from('x')])
  const fault: Fault = { kind: 'error', status: 200, code: 'InternalError', message: 'm', handled: true }
  const server = await serve({ faults: [fault], reply: () => ({ status: 200, headers: {}, body: source }) })
  const answer = await server.get()
  expect(answer.status).toBe(200)
  expect(answer.body.toString()).toContain('<Error><Code>InternalError</Code>')
  expect(server.state.handled).toBe(1)
  expect(source.destroyed).toBe(true)
})

test('clock-skew moves the Date header', async () => {
  const server = await serve({ faults: [{ kind: 'clock-skew', ms: 3_600_000 }] })
  expect((await server.get()).head).toContain('date: wed, 01 jan 2025 01:00:00 gmt')
})

test('latency comes before the operation; a client that leaves meanwhile leaves it undone', async () => {
  const server = await serve({ faults: [{ kind: 'latency', ms: 5 }], latencyMs: 5 })
  expect((await server.get()).status).toBe(200)
  const slow = await serve({ faults: [{ kind: 'latency', ms: 60_000 }] })
  await expect(fetch(`http://127.0.0.1:${slow.port}/`, { signal: AbortSignal.timeout(50) })).rejects.toThrow()
  expect(slow.state.handled).toBe(0)
})

test('hang answers nothing until the client gives up', async () => {
  const server = await serve({ faults: [{ kind: 'hang' }] })
  await expect(
    fetch(`http://127.0.0.1:${server.port}/`, { signal: AbortSignal.timeout(50) }),
  ).rejects.toThrow()
  expect(server.state).toEqual({ handled: 0, sent: [] })
})

test('a client that leaves early destroys the source', async () => {
  const source = new Readable({
    read() {
      this.push(Buffer.alloc(1 << 20))
    },
  })
  const gone = new Promise<void>((resolve) => {
    source.once('close', () => resolve())
  })
  const server = await serve({
    reply: () => ({ status: 200, headers: { 'content-length': '1000000000000' }, body: source }),
  })
  const socket = connect(server.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  socket.once('data', () => socket.destroy())
  await gone
  expect(source.destroyed).toBe(true)
})

test('a source that fails or falls short closes the connection instead of ending the body', async () => {
  const failing = () =>
    Readable.from(
      (async function* () {
        yield Buffer.from('01234')
        throw new Error('disk')
      })(),
    )
  const short = () => Readable.from([Buffer.from('01234')])
  for (const body of [failing, short]) {
    const server = await serve({
      reply: () => ({ status: 200, headers: { 'content-length': '10' }, body: body() }),
    })
    const answer = await server.get()
    expect(answer.body.length).toBeLessThan(10)
    expect(answer.body.toString()).not.toContain('disk')
    expect(server.state.sent).toEqual([5])
  }
})
