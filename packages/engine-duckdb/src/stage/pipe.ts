import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { close as closeFile, constants, open as openDescriptor } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ConnectorError } from '@penstock/core'

const openFile = promisify(openDescriptor)
const close = promisify(closeFile)

/** Ms between two looks at the other end of a pipe. */
const pollMs = 5

/** Makes a named pipe. Throws a `resource` error where the system has none. */
const makePipe = async (path: string): Promise<void> => {
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path])
  } catch (cause) {
    throw new ConnectorError(
      'resource',
      'This system has no named pipes, so an object has to fit into the staging space.',
      { hint: 'Raise the limit of the staging space above the size of the object.', cause },
    )
  }
}

/**
 * Runs `use` with the path of a named pipe that `bytes` flow through: what is larger than the staging space is read
 * without a local copy. A failure of the bytes is a failure of the whole, also when the reader took it for the end.
 * Neither side can wait for ever: when one ends, for whatever reason, the other is let go.
 */
export const throughPipe = async <Result>(
  folder: string,
  name: string,
  bytes: () => Readable,
  use: (path: string) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> => {
  const path = join(folder, name)
  await makePipe(path)
  const readerEnded = new AbortController()
  const failure: { error?: unknown } = {}
  const feeding = async () => {
    try {
      await feed(path, bytes, AbortSignal.any([signal, readerEnded.signal]))
    } catch (error) {
      if (!readerEnded.signal.aborted) failure.error = error
    }
    // A reader that has not opened the pipe yet would wait for its writer.
    if ('error' in failure || signal.aborted) await releaseReader(path, readerEnded.signal)
  }
  try {
    const using = use(path).finally(() => readerEnded.abort())
    const [, used] = await Promise.allSettled([feeding(), using])
    signal.throwIfAborted()
    if ('error' in failure) throw failure.error
    if (used.status === 'rejected') throw used.reason
    return used.value
  } finally {
    await rm(path, { force: true })
  }
}

/** Writes the bytes into the pipe, until they end, the reader goes away, or `ended` is aborted. */
const feed = async (path: string, open: () => Readable, ended: AbortSignal): Promise<void> => {
  const descriptor = await openForReader(path, ended)
  if (descriptor === undefined) return
  // Not before: bytes that fail while nobody listens would end the process.
  const bytes = open()
  // A socket writes without a thread that could block.
  const pipe = new Socket({ fd: descriptor, readable: false, writable: true })
  const closed = once(pipe, 'close')
  const stop = () => {
    bytes.destroy()
    pipe.destroy()
  }
  pipe.on('error', stop)
  ended.addEventListener('abort', stop)
  if (ended.aborted) stop()
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>)
      if (!pipe.write(chunk)) await Promise.race([once(pipe, 'drain', { signal: ended }), closed])
    await Promise.race([new Promise((resolve) => pipe.write('', resolve)), closed])
  } catch (error) {
    if (!ended.aborted && !pipe.destroyed) throw error
  } finally {
    ended.removeEventListener('abort', stop)
    stop()
    await closed
  }
}

/** Opens the pipe for writing as soon as somebody reads; undefined when `ended` comes first. */
const openForReader = async (path: string, ended: AbortSignal): Promise<number | undefined> => {
  while (!ended.aborted) {
    const descriptor = await openForWriting(path)
    if (descriptor !== undefined) return descriptor
    await sleep(pollMs)
  }
  return undefined
}

const releaseReader = async (path: string, ended: AbortSignal): Promise<void> => {
  while (!ended.aborted) {
    const descriptor = await openForWriting(path)
    if (descriptor !== undefined) await close(descriptor)
    await sleep(pollMs)
  }
}

/** Undefined where nobody reads. */
const openForWriting = async (path: string): Promise<number | undefined> => {
  try {
    return await openFile(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return undefined
    throw error
  }
}
