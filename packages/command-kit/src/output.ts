import { once } from 'node:events'
import type { Writable } from 'node:stream'

/**
 * Writes to a stream with backpressure. False when the reader is gone (`| head`): then there is nothing left to do,
 * and that is no error.
 */
export const writeOut = async (stream: Writable, text: string | Uint8Array): Promise<boolean> => {
  if (isGone(stream)) return false
  if (stream.write(text)) return true
  try {
    await once(stream, 'drain')
  } catch (error) {
    if (!isBrokenPipe(error)) throw error
  }
  return !isGone(stream)
}

const gone = new WeakSet<object>()

/** Makes a closed reader harmless for this stream. Other errors of the stream stay errors. */
export const tolerateClosedReader = (stream: Writable): void => {
  if (gone.has(stream) || stream.listeners('error').includes(onStreamError)) return
  stream.on('error', onStreamError)
}

function onStreamError(this: Writable, error: Error): void {
  if (!isBrokenPipe(error)) throw error
  gone.add(this)
}

const isGone = (stream: Writable): boolean => gone.has(stream) || stream.destroyed || stream.writableEnded

const isBrokenPipe = (error: unknown): boolean =>
  ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'].includes(
    (error as NodeJS.ErrnoException | null)?.code ?? '',
  )

/** Waits until everything that was written to a stream has left the process, or the reader is gone. */
export const flushed = async (stream: Writable): Promise<void> => {
  if (isGone(stream)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off('error', done)
      resolve()
    }
    stream.once('error', done)
    stream.write('', done)
  })
}

/**
 * JSON as the command line prints it: two spaces, and integers beyond 2^53 with all their digits, which JSON allows
 * and JavaScript alone would round.
 */
export const toJson = (value: unknown, indent = 2): string =>
  JSON.stringify(
    value,
    (_, entry: unknown) => (typeof entry === 'bigint' ? exactNumber(String(entry)) : entry),
    indent,
  )

/** Reads JSON text so that {@link toJson} writes its numbers with the digits that they have here. */
export const exactJson = (text: string): unknown =>
  JSON.parse(text, ((_: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? exactNumber(context.source) : value) as (
    name: string,
    value: unknown,
  ) => unknown)

const exactNumber = (digits: string): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits)
