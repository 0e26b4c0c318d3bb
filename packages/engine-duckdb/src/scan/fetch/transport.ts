import { type ByteRange, ConnectorError, type RangedFile } from '@penstock/core'
import { sizeOf } from './ranges.ts'

/** Bytes that requests in flight may hold in memory, all together. */
const inFlightBytes = 128 * 1024 ** 2
const defaultConcurrency = 128

export interface TransportCounts {
  readonly requests: number
  readonly bytes: number
}

/** Ranged reads of a query: so many at once, counted, ended together. */
export interface Transport {
  /** Reads a range whole. */
  read(file: RangedFile, range: ByteRange): Promise<Uint8Array>
  /** Reads a range whole and gives its chunks to `sink`; the range counts as in flight until that has ended. */
  stream(
    file: RangedFile,
    range: ByteRange,
    sink: (chunks: readonly Uint8Array[]) => Promise<void>,
  ): Promise<void>
  counts(): TransportCounts
}

export const createTransport = (options: {
  readonly concurrency: number | undefined
  readonly signal: AbortSignal
  readonly onBytes: () => void
}): Transport => {
  const { signal, onBytes } = options
  const counts = { requests: 0, bytes: 0 }
  const enter = createGate(options.concurrency ?? defaultConcurrency, inFlightBytes)

  const stream: Transport['stream'] = async (file, range, sink) => {
    const size = sizeOf(range)
    const leave = await enter(size, signal)
    counts.requests += 1
    try {
      const chunks: Uint8Array[] = []
      let received = 0
      for await (const chunk of file.read(range, { signal })) {
        signal.throwIfAborted()
        received += chunk.length
        if (received > size) throw wrongLength(file, range, 'more')
        chunks.push(chunk)
        counts.bytes += chunk.length
        onBytes()
      }
      if (received < size) throw wrongLength(file, range, 'fewer')
      await sink(chunks)
    } catch (error) {
      throw placed(error, file)
    } finally {
      leave()
    }
  }
  return Object.freeze({
    stream,
    read: async (file: RangedFile, range: ByteRange) => {
      let bytes = new Uint8Array()
      await stream(file, range, async (chunks) => {
        bytes = chunks.length === 1 ? (chunks[0] as typeof bytes) : Buffer.concat(chunks)
      })
      return bytes
    },
    counts: () => ({ ...counts }),
  })
}

const wrongLength = (file: RangedFile, { start, end }: ByteRange, kind: 'more' | 'fewer'): ConnectorError =>
  new ConnectorError(
    'network',
    `${file.url} gave ${kind} bytes than the ${end - start} that were asked for.`,
    {
      code: 'WrongRange',
      place: { object: file.url },
    },
  )

/** The error with the file that it is about. */
const placed = (error: unknown, file: RangedFile): unknown => {
  if (!ConnectorError.isInstance(error) || error.kind === 'cancelled' || error.place?.object !== undefined)
    return error
  const { kind, message, hint, code, cause } = error
  return new ConnectorError(kind, message, {
    place: { ...error.place, object: file.url },
    ...(hint !== undefined && { hint }),
    ...(code !== undefined && { code }),
    ...(cause !== undefined && { cause }),
  })
}

/** Lets requests in, in order, as long as their count and their bytes have room; one always has. */
const createGate = (permits: number, bytes: number) => {
  let inside = 0
  let held = 0
  const waiting: { readonly size: number; readonly enter: () => void }[] = []
  const hasRoom = (size: number) => inside < permits && (inside === 0 || held + size <= bytes)
  const admit = () => {
    for (let next = waiting[0]; next && hasRoom(next.size); next = waiting[0]) {
      waiting.shift()
      inside += 1
      held += next.size
      next.enter()
    }
  }
  return async (size: number, signal: AbortSignal): Promise<() => void> => {
    signal.throwIfAborted()
    const leave = () => {
      inside -= 1
      held -= size
      admit()
    }
    if (waiting.length === 0 && hasRoom(size)) {
      inside += 1
      held += size
      return leave
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { size, enter: resolve }
    const abort = () => {
      const index = waiting.indexOf(waiter)
      if (index < 0) return
      waiting.splice(index, 1)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    waiting.push(waiter)
    admit()
    await promise.finally(() => signal.removeEventListener('abort', abort))
    return leave
  }
}
