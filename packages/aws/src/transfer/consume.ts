import type { Readable } from 'node:stream'

/**
 * Gives each chunk of a body to `onChunk`, waiting where that gives a promise. Resolves at the end of the body;
 * rejects when it breaks off, or with the error of `onChunk`, and then the connection is closed; in any case only
 * after `onChunk` is through with its last chunk. Takes a third less time than `for await`, which makes promises for
 * every 64 kB.
 */
export const consume = (body: Readable, onChunk: (chunk: Buffer) => void | Promise<void>): Promise<void> =>
  new Promise((resolve, reject) => {
    let pending: Promise<void> = Promise.resolve()
    const fail = (error: unknown): void => {
      body.destroy()
      pending.then(
        () => reject(error),
        () => reject(error),
      )
    }
    body.on('data', (chunk: Buffer) => {
      try {
        const busy = onChunk(chunk)
        if (!busy) return
        pending = busy
        body.pause()
        busy.then(() => body.resume(), fail)
      } catch (error) {
        fail(error)
      }
    })
    body.once('end', () => pending.then(resolve, reject))
    body.once('error', fail)
    body.once('close', () => {
      if (!body.readableEnded) fail(Object.assign(new Error('The body ended early.'), { code: 'ECONNRESET' }))
    })
  })
