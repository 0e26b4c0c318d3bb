import { execFile } from 'node:child_process'
import { constants, createWriteStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { ConnectorError } from '@penstock/core'

/** Makes a named pipe. Throws a `resource` error where the system has none. */
const makePipe = async (path: string): Promise<void> => {
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path])
  } catch (cause) {
    throw new ConnectorError(
      'resource',
      'This system has no named pipes, so an object has to fit on the staging disk.',
      {
        hint: 'Raise --staging above the size of the object.',
        cause,
      },
    )
  }
}

/**
 * Runs `use` with the path of a named pipe that `bytes` flow through: what is larger than the staging disk is read
 * without a local copy. A failure of the bytes is a failure of the whole, also when the reader took it for the end.
 */
export const throughPipe = async <Result>(
  folder: string,
  name: string,
  bytes: () => Readable,
  use: (path: string) => Promise<Result>,
): Promise<Result> => {
  const path = join(folder, name)
  await makePipe(path)
  try {
    const feeding = feed(path, bytes()).then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    const using = use(path).finally(() => release(path, constants.O_RDONLY))
    const failure = feeding.then(async (failed) => {
      // The reader may still wait for a writer: it gets one that says nothing.
      if (failed) await release(path, constants.O_WRONLY)
      return failed
    })
    const [result, failed] = await Promise.allSettled([using, failure])
    if (failed.status === 'fulfilled' && failed.value) throw failed.value.error
    if (result.status === 'rejected') throw result.reason
    return result.value
  } finally {
    await rm(path, { force: true })
  }
}

const feed = async (path: string, bytes: Readable): Promise<void> => {
  try {
    await pipeline(bytes, createWriteStream(path, { flags: 'w', highWaterMark: 1 << 20 }))
  } catch (error) {
    // The reader has what it wants, or failed and says so itself.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

/** Opens the other end for a moment, so that an open that waits for it returns. */
const release = async (path: string, side: number): Promise<void> => {
  try {
    const handle = await open(path, side | constants.O_NONBLOCK)
    await handle.close()
  } catch {
    // Nobody waits.
  }
}
