import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createBlockClient } from './block-client.ts'

const read = (name: string) => readFileSync(new URL(`../../test/tls/${name}`, import.meta.url), 'utf8')
/** Of a certificate that signs itself, for localhost. */
const identity = { key: read('localhost.key'), cert: read('localhost.crt') }
setDefaultCACertificates([...getCACertificates('default'), identity.cert])

describe.each(['http', 'https'] as const)('over %s', (protocol) => {
  /** A server that answers each request with what `answer` writes. */
  const serve = async (answer: (socket: Socket, request: number, head: string) => void) => {
    let requests = 0
    const sockets = new Set<Socket>()
    const listen = (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (head) => answer(socket, ++requests, head.toString()))
    }
    const server: Server = protocol === 'http' ? createServer(listen) : createTlsServer(identity, listen)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const client = createBlockClient({
      origin: `${protocol}://127.0.0.1:${port}`,
      connectTimeoutMs: 5_000,
      answerTimeoutMs: 400,
      stallTimeoutMs: 400,
    })
    onTestFinished(() => {
      client.close()
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const get = (signal = new AbortController().signal) =>
      client.get({ path: '/a?b=c', headers: { host: 'h' }, signal })
    return { get, client, sockets }
  }

  const collect = async (answer: Awaited<ReturnType<ReturnType<typeof createBlockClient>['get']>>) => {
    const blocks: Buffer[] = []
    // The memory of a block is used again: what is kept is a copy, taken late.
    await answer.drain(async (block) => {
      await new Promise((resolve) => setImmediate(resolve))
      blocks.push(Buffer.from(block))
    })
    return Buffer.concat(blocks)
  }

  const head = (length: number, more = '') => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n${more}\r\n`

  test('bodies of any length arrive as they were sent, however they are cut, over one connection', async () => {
    let body = Buffer.alloc(0)
    let cuts: number[] = []
    const { get, sockets } = await serve((socket) => {
      const bytes = Buffer.concat([Buffer.from(head(body.length)), body])
      const positions = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
      positions.slice(1).forEach((end, index) => void socket.write(bytes.subarray(positions[index], end)))
    })
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 3_000_000 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        async (length, at) => {
          body = Buffer.alloc(length, length % 251)
          for (let index = 0; index < length; index += 4096) body.writeUInt8(index % 256, index)
          cuts = at
          expect((await collect(await get())).equals(body)).toBe(true)
        },
      ),
      { numRuns: 25 },
    )
    expect(sockets.size).toBe(1)
  })

  test('an interim answer is passed over, headers of one name are joined', async () => {
    const { get } = await serve((socket) =>
      socket.write(`HTTP/1.1 100 Continue\r\n\r\n${head(2, 'X-A: 1\r\nx-a: 2\r\n')}ok`),
    )
    const answer = await get()
    expect([answer.status, answer.headers['x-a']]).toEqual([200, '1, 2'])
    expect(String(await collect(answer))).toBe('ok')
  })

  test.each([
    ['a length', 'Content-Length: 6\r\n\r\n<Err/>'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n3\r\n<Er\r\n3;x=y\r\nr/>\r\n0\r\n\r\n'],
    ['the end of the connection', 'Connection: close\r\n\r\n<Err/>'],
  ])('an error is text, its end told by %s', async (_, rest) => {
    const { get } = await serve((socket) => {
      socket.write('HTTP/1.1 503 Slow Down\r\n')
      socket.write(rest, () => rest.startsWith('Connection') && socket.end())
    })
    expect(await get()).toMatchObject({ status: 503, text: '<Err/>' })
  })

  test('what came before the connection broke is handed out, then it is an error', async () => {
    const { get } = await serve((socket) => socket.end(`${head(10)}12345`))
    const answer = await get()
    const seen: string[] = []
    const drained = answer.drain((block) => void seen.push(Buffer.from(block).toString()))
    await expect(drained).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(seen).toEqual(['12345'])
  })

  test('a connection that was closed meanwhile is replaced', async () => {
    const { get, sockets } = await serve((socket, request) => {
      if (request === 2) socket.destroy()
      else socket.write(`${head(2)}ok`)
    })
    expect(String(await collect(await get()))).toBe('ok')
    expect(String(await collect(await get()))).toBe('ok')
    expect(sockets.size).toBe(2)
  })

  test.each([
    ['no HTTP', 'SSH-2.0-x\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\nbody', 'UND_ERR_RESPONSE'],
    ['nothing', '', 'UND_ERR_HEADERS_TIMEOUT'],
  ])('an answer that is %s is an error', async (_, text, code) => {
    const { get } = await serve((socket) => text !== '' && socket.write(text))
    await expect(get()).rejects.toMatchObject({ code })
  })

  test('silence in the middle of a body, an abort and an error of the reader end it', async () => {
    const { get } = await serve((socket) => socket.write(`${head(10)}12345`))
    await expect((await get()).drain(() => {})).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' })
    const stop = new AbortController()
    const answer = await get(stop.signal)
    const drained = answer.drain(() => {})
    stop.abort(new Error('enough'))
    await expect(drained).rejects.toThrow('enough')
    const { get: whole } = await serve((socket) => socket.write(`${head(5)}12345`))
    await expect((await whole()).drain(() => Promise.reject(new Error('full')))).rejects.toThrow('full')
  })

  test('a line break in a header does not go out', async () => {
    const { client } = await serve(() => {})
    const { signal } = new AbortController()
    await expect(client.get({ path: '/', headers: { a: 'b\r\nc: d' }, signal })).rejects.toMatchObject({
      code: 'UND_ERR_INVALID_ARG',
    })
  })
})
