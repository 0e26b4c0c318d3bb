import { createThread } from '../threads/thread.ts'
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

/** Requests to the digest thread. It answers `finish` with base64. */
export type DigestRequest =
  | { readonly id: number; readonly type: 'open'; readonly path: string; readonly algorithm: SequentialName }
  | { readonly id: number; readonly type: 'advance' | 'finish'; readonly position: number }
  | { readonly id: number; readonly type: 'cancel' }

export const createHashing = (): Hashing => {
  const thread = createThread<DigestRequest, string>('./digest-thread', import.meta.url)
  let lastId = 0
  return Object.freeze({
    fileDigest: (path: string, algorithm: SequentialName): FileDigest => {
      const id = ++lastId
      thread.post({ id, type: 'open', path, algorithm })
      return {
        advance: (position) => thread.post({ id, type: 'advance', position }),
        finish: (size) => thread.call({ id, type: 'finish', position: size }),
        cancel: () => thread.post({ id, type: 'cancel' }),
      }
    },
    close: thread.close,
  })
}
