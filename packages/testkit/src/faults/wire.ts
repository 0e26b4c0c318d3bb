import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Clock, Reply, RequestInfo } from '../types.ts'
import { clockSkewMs, type Fault } from './faults.ts'
import { resetConnection, sleepWhileOpen } from './intercept.ts'
import { errorReply, isHandled } from './replies.ts'

export interface WriteOptions {
  /** Method of the request: HEAD gets headers alone. */
  method: string
  /** Sets the Date header; a `clock-skew` fault moves it. */
  clock?: Clock
  /** With `requestId`, for errors that strike after the operation was handled. */
  info?: RequestInfo
  requestId?: string
}

/** Body faults of one reply, put together. */
interface Plan {
  flips: number[]
  cut?: { afterBytes: number; reset: boolean }
  drip?: { chunkBytes: number; intervalMs: number }
}

const sliceBytes = 1 << 20
/** Time for the kernel to hand over what was written; RST drops what is still on its way. */
const settleMs = 20
/** How long a client may take to close its side after the server has closed its own. */
const closeMs = 2000

/**
 * Writes a reply to the wire, with the faults that disturb it there. Resolves with the body bytes that went out, also
 * when the client left early: then, and when the source fails, the source is destroyed and the connection closed, as
 * nothing else can tell the client that the body is not whole.
 */
export async function writeReply(
  res: ServerResponse,
  reply: Reply,
  faults: readonly Fault[],
  options: WriteOptions,
): Promise<number> {
  const handled = faults.filter(isHandled)
  const late = options.info && errorReply(handled, options.info, options.requestId ?? '')
  const { status, headers, body } = late ?? reply
  if (late) discard(reply.body)
  if (res.destroyed || handled.some(({ kind }) => kind === 'reset')) {
    discard(body)
    resetConnection(res)
    return 0
  }
  const whole = typeof body === 'string' ? Buffer.from(body) : body
  if (options.clock) res.setHeader('date', new Date(options.clock() + clockSkewMs(faults)).toUTCString())
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  const bodyless = status === 204 || status === 304
  if (!bodyless && !(whole instanceof Readable) && !res.hasHeader('content-length')) {
    res.setHeader('content-length', whole?.length ?? 0)
  }
  res.writeHead(status)
  if (options.method === 'HEAD' || bodyless || whole === undefined) {
    discard(whole)
    res.end()
    return 0
  }
  const plan = planOf(faults)
  const plain = plan.flips.length === 0 && !plan.cut && !plan.drip
  if (plain && !(whole instanceof Readable) && whole.length <= sliceBytes) {
    res.end(whole)
    return whole.length
  }
  return await writeBody(res, whole, plan)
}

function planOf(faults: readonly Fault[]): Plan {
  const plan: Plan = { flips: [] }
  for (const fault of faults) {
    if (fault.kind === 'corrupt-body') plan.flips.push(fault.atByte)
    else if (fault.kind === 'reset-body' || fault.kind === 'truncate-body') {
      const cut = { afterBytes: fault.afterBytes, reset: fault.kind === 'reset-body' }
      if (!plan.cut || cut.afterBytes < plan.cut.afterBytes) plan.cut = cut
    } else if (fault.kind === 'slow-drip') plan.drip = dripOf(fault)
  }
  return plan
}

function dripOf(fault: Extract<Fault, { kind: 'slow-drip' }>): { chunkBytes: number; intervalMs: number } {
  if (!('bytesPerSecond' in fault)) return fault
  const chunkBytes = Math.max(1, Math.floor(fault.bytesPerSecond / 20))
  return { chunkBytes, intervalMs: (chunkBytes / fault.bytesPerSecond) * 1000 }
}

async function writeBody(res: ServerResponse, body: Buffer | Readable, plan: Plan): Promise<number> {
  const length = res.hasHeader('content-length') ? Number(res.getHeader('content-length')) : undefined
  const leave = () => discard(body)
  res.once('close', leave)
  let sent = 0
  try {
    const cutAt = plan.cut?.afterBytes ?? Number.POSITIVE_INFINITY
    for await (const chunk of chunksOf(body)) {
      const piece = flipped(chunk, sent, plan.flips).subarray(0, cutAt - sent)
      const done = sent + piece.length === length && cutAt > sent + piece.length
      const open = await send(res, piece, plan.drip, done, (count) => {
        sent += count
      })
      if (!open || done) break
      if (sent >= cutAt) {
        await cutConnection(res, plan.cut?.reset === true)
        break
      }
    }
    // Ended already, or cut, or the client left; else the source has ended.
    if (res.writableEnded || res.destroyed || sent >= cutAt) return sent
    if (length === undefined || sent === length) res.end()
    else res.destroy()
    return sent
  } catch {
    res.destroy()
    return sent
  } finally {
    res.off('close', leave)
    discard(body)
  }
}

/** Big buffers in slices, so that a client that leaves is noticed and the count is right. */
async function* chunksOf(body: Buffer | Readable): AsyncGenerator<Buffer> {
  if (body instanceof Readable) {
    for await (const chunk of body) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    return
  }
  for (let from = 0; from < body.length; from += sliceBytes) yield body.subarray(from, from + sliceBytes)
}

/** A copy where a byte is flipped: the chunk may be the stored object itself. */
function flipped(chunk: Buffer, offset: number, flips: readonly number[]): Buffer {
  const here = flips.filter((position) => position >= offset && position < offset + chunk.length)
  if (here.length === 0) return chunk
  const copy = Buffer.from(chunk)
  for (const position of here) copy.writeUInt8(copy.readUInt8(position - offset) ^ 1, position - offset)
  return copy
}

/** False when the connection has closed. The last piece ends the reply at once, without waiting for the source's end. */
async function send(
  res: ServerResponse,
  piece: Buffer,
  drip: Plan['drip'],
  last: boolean,
  count: (bytes: number) => void,
): Promise<boolean> {
  if (piece.length === 0) return !res.destroyed
  const step = drip?.chunkBytes ?? piece.length
  for (let from = 0; from < piece.length; from += step) {
    if (res.destroyed) return false
    const part = piece.subarray(from, from + step)
    if (last && from + step >= piece.length) {
      res.end(part)
      count(part.length)
      return true
    }
    const room = res.write(part)
    count(part.length)
    if (drip && !(await sleepWhileOpen(res, drip.intervalMs))) return false
    if (!room && res.writableNeedDrain && !(await drained(res))) return false
  }
  return !res.destroyed
}

function drained(res: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = () => {
      res.off('drain', settle)
      res.off('close', settle)
      resolve(!res.destroyed)
    }
    res.once('drain', settle)
    res.once('close', settle)
  })
}

/** Ends the connection in the middle of a body, once all that was written has left. */
async function cutConnection(res: ServerResponse, reset: boolean): Promise<void> {
  const { socket } = res
  if (!socket || socket.destroyed) return
  // An empty write waits for the ones before it; it also sends the headers of a body that is cut at byte 0.
  res.flushHeaders()
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.write('', () => resolve())
  })
  if (reset) {
    await sleepWhileOpen(res, settleMs)
    resetConnection(res)
    return
  }
  socket.end()
  const timer = setTimeout(() => socket.destroy(), closeMs)
  socket.once('close', () => clearTimeout(timer))
}

function discard(body: Reply['body']): void {
  if (!(body instanceof Readable) || body.destroyed) return
  // A source that fails while it is thrown away must not bring the process down.
  body.on('error', () => undefined)
  body.destroy()
}
