import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { type BlobStore, createStore, type Store } from './store.ts'

/** A store that lives and ends with the process. */
export function createMemoryStore(): Store {
  return createStore(memoryBlobs(), [], () => ({ append() {}, close() {} }))
}

function memoryBlobs(): BlobStore {
  const blobs = new Map<string, Buffer>()
  const get = (id: string): Buffer => blobs.get(id) ?? Buffer.alloc(0)
  return {
    writer() {
      let chunks: Buffer[] = []
      return {
        write(chunk) {
          chunks.push(chunk)
          return undefined
        },
        async finish() {
          const id = randomBytes(12).toString('hex')
          // A copy: chunks of the network are slices of larger buffers, which would stay in memory with them.
          blobs.set(id, Buffer.concat(chunks))
          chunks = []
          return id
        },
        async abort() {
          chunks = []
        },
      }
    },
    readNow: ({ blob, start, length }) => get(blob).subarray(start, start + length),
    stream: ({ blob, start, length }) => Readable.from([get(blob).subarray(start, start + length)]),
    remove: (id) => {
      blobs.delete(id)
    },
  }
}
