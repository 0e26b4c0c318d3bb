import { randomBytes } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  unlink,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open, unlink as unlinkFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFolder, openJournal, readJournal } from './journal.ts'
import { type BlobStore, type BlobWriter, createStore, readAtOnce, type Store } from './store.ts'

/** Bytes that a file is written and read in. */
const ioSize = 1 << 20

/**
 * A store in a folder: bodies in `blobs/` under random names (an object's key never becomes a file name), everything
 * else in `journal.ndjson`. It survives the end of the process at any moment, though not a loss of power.
 * Throws when another process has the folder open.
 */
export function createFolderStore(folder: string): Store {
  mkdirSync(folder, { recursive: true })
  const unlock = lockFolder(folder)
  const blobFolder = join(folder, 'blobs')
  for (let byte = 0; byte < 256; byte++) {
    mkdirSync(join(blobFolder, byte.toString(16).padStart(2, '0')), { recursive: true })
  }
  const journalPath = join(folder, 'journal.ndjson')
  return createStore(folderBlobs(blobFolder), readJournal(journalPath), (buckets, referenced) => {
    removeOrphans(blobFolder, referenced)
    const journal = openJournal(journalPath, buckets)
    return {
      append: journal.append,
      close() {
        journal.close()
        unlock()
      },
    }
  })
}

/** Bodies of requests that had not come to their end when the process did. */
function removeOrphans(blobFolder: string, referenced: ReadonlySet<string>): void {
  for (const shard of readdirSync(blobFolder)) {
    for (const name of readdirSync(join(blobFolder, shard))) {
      if (!referenced.has(name)) rmSync(join(blobFolder, shard, name))
    }
  }
}

function folderBlobs(blobFolder: string): BlobStore {
  const pathOf = (id: string) => join(blobFolder, id.slice(0, 2), id)
  return {
    writer: () => fileWriter(pathOf),
    readNow({ blob, start, length }) {
      if (length > readAtOnce) return undefined
      const bytes = Buffer.allocUnsafe(length)
      const file = openSync(pathOf(blob), 'r')
      try {
        let filled = 0
        while (filled < length) {
          const count = readSync(file, bytes, filled, length - filled, start + filled)
          if (count === 0) throw new Error('A body is shorter than its index says')
          filled += count
        }
      } finally {
        closeSync(file)
      }
      return bytes
    },
    stream: ({ blob, start, length }) =>
      createReadStream(pathOf(blob), { start, end: start + length - 1, highWaterMark: ioSize }),
    remove: (id) => {
      // Nothing waits for it, and an orphan goes at the next start.
      unlink(pathOf(id), () => {})
    },
  }
}

function fileWriter(pathOf: (id: string) => string): BlobWriter {
  const id = randomBytes(12).toString('hex')
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let file: FileHandle | undefined
  let writing: Promise<unknown> = Promise.resolve()

  const flush = async (): Promise<void> => {
    const chunks = waiting
    waiting = []
    waitingBytes = 0
    file ??= await open(pathOf(id), 'wx')
    for (let left = chunks; left.length > 0; ) {
      const { bytesWritten } = await file.writev(left)
      left = afterBytes(left, bytesWritten)
    }
  }

  return {
    write(chunk) {
      waiting.push(chunk)
      waitingBytes += chunk.length
      if (waitingBytes < ioSize) return undefined
      // One write is under way while the next mebibyte arrives and is hashed.
      const previous = writing
      writing = previous.then(flush)
      writing.catch(() => {})
      return previous.then(() => undefined)
    },
    async finish() {
      await writing
      if (!file) {
        writeFileSync(pathOf(id), Buffer.concat(waiting), { flag: 'wx' })
        return id
      }
      if (waitingBytes > 0) await flush()
      await file.close()
      return id
    },
    async abort() {
      waiting = []
      await writing.catch(() => {})
      await file?.close()
      if (file) await unlinkFile(pathOf(id)).catch(() => {})
    },
  }
}

/** What remains of a list of chunks when its first `count` bytes are gone. */
function afterBytes(chunks: Buffer[], count: number): Buffer[] {
  let gone = count
  for (const [index, chunk] of chunks.entries()) {
    if (gone < chunk.length) return [chunk.subarray(gone), ...chunks.slice(index + 1)]
    gone -= chunk.length
  }
  return []
}
