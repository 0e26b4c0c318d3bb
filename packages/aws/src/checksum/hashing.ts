import { Worker } from 'node:worker_threads'
import type { SequentialName } from './expected.ts'

/** A hash of a growing file, computed by another thread from the page cache. */
export interface FileDigest {
  /** All bytes before `position` are in the file now. */
  advance(position: number): void
  /** Base64 of the hash of the first `size` bytes. */
  finish(size: number): Promise<string>
  cancel(): void
}

/** The thread of a connection that hashes files; started when it is needed. */
export interface Hashing {
  fileDigest(path: string, algorithm: SequentialName): FileDigest
  close(): void
}

/** Messages to the digest thread. */
export type DigestRequest =
  | { readonly id: number; readonly type: 'open'; readonly path: string; readonly algorithm: SequentialName }
  | { readonly id: number; readonly type: 'advance' | 'finish'; readonly position: number }
  | { readonly id: number; readonly type: 'cancel' }

export type DigestReply = { readonly id: number; readonly base64?: string; readonly error?: string }

export const createHashing = (): Hashing => {
  const waiting = new Map<number, { resolve: (base64: string) => void; reject: (error: Error) => void }>()
  let thread: Worker | undefined
  let lastId = 0

  const failAll = (error: Error): void => {
    thread = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  const settle = (reply: DigestReply): void => {
    const pending = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.base64 === undefined) pending?.reject(new Error(reply.error ?? 'The digest thread failed.'))
    else pending?.resolve(reply.base64)
    if (waiting.size === 0) thread?.unref()
  }

  const start = (): Worker => {
    if (thread) return thread
    // The sources run as .ts, the build as .js.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./digest-thread.${extension}`, import.meta.url))
    worker.on('message', settle)
    worker.on('error', failAll)
    worker.on('exit', () => failAll(new Error('The digest thread ended.')))
    worker.unref()
    thread = worker
    return worker
  }

  return Object.freeze({
    fileDigest: (path: string, algorithm: SequentialName): FileDigest => {
      const worker = start()
      const id = ++lastId
      const post = (message: DigestRequest): void => worker.postMessage(message)
      post({ id, type: 'open', path, algorithm })
      return {
        advance: (position) => post({ id, type: 'advance', position }),
        finish: (size) =>
          new Promise((resolve, reject) => {
            waiting.set(id, { resolve, reject })
            worker.ref()
            post({ id, type: 'finish', position: size })
          }),
        cancel: () => post({ id, type: 'cancel' }),
      }
    },
    close: () => {
      void thread?.terminate()
    },
  })
}
