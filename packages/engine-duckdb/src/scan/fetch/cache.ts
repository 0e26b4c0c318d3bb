import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteRange, KeptFiles, RangedFile, ScanCache } from '@penstock/core'
import { sizeOf } from './ranges.ts'

/**
 * Ranges of files that never change, each in a file of its own, whose name tells which. A file appears whole or not at
 * all, so several processes may use one folder; what was not used for the longest time goes first. They are rows of
 * tables: nobody but the user can read them.
 */
export interface RangeCache {
  /** Bytes of a range, or undefined. */
  read(file: RangedFile, range: ByteRange): Promise<Uint8Array | undefined>
  /** Path of the file that holds a range, or undefined. It may be removed at any time: open it at once. */
  find(file: RangedFile, range: ByteRange): Promise<string | undefined>
  write(file: RangedFile, range: ByteRange, bytes: Uint8Array): Promise<void>
  /** Whole files by a name that says which bytes they are. */
  readonly files: KeptFiles
  /** Keeps a part of a local file. */
  copyFrom(path: string, position: number, file: RangedFile, range: ByteRange): Promise<void>
  /** Removes what is beyond the ceiling. */
  trim(): Promise<void>
}

/** A cache that keeps nothing. */
const noCache: RangeCache = Object.freeze({
  read: async () => undefined,
  find: async () => undefined,
  write: async () => {},
  files: Object.freeze({ read: async () => undefined, write: async () => {} }),
  copyFrom: async () => {},
  trim: async () => {},
})

/** After an unfinished write of a process that died, its file goes once it is this old. */
const abandonedMs = 60 * 60 * 1000
const copyBytes = 1024 ** 2

/** Any failure of the cache's own disk is a miss: a query never fails because of it. */
export const openCache = (options: ScanCache | undefined): RangeCache => {
  if (!options || options.bytes <= 0) return noCache
  const folder = join(options.folder, 'ranges')
  let isDirty = false
  const pathOf = (file: RangedFile, { start, end }: ByteRange): string | undefined => {
    if (file.version === undefined) return undefined
    const key = createHash('sha256')
      .update(JSON.stringify([file.url, file.size, file.version]))
      .digest('hex')
    return join(folder, `${key.slice(0, 40)}-${start}-${end}`)
  }
  const find: RangeCache['find'] = async (file, range) => {
    const path = pathOf(file, range)
    if (path === undefined) return undefined
    try {
      if ((await stat(path)).size !== sizeOf(range)) return undefined
      await touch(path)
      return path
    } catch {
      return undefined
    }
  }
  const wholePath = (name: string) =>
    join(folder, `${createHash('sha256').update(name).digest('hex').slice(0, 40)}-whole`)
  /** Writes beside, then renames: nobody sees a part of it. */
  const put = async (path: string, write: (unfinished: string) => Promise<void>): Promise<void> => {
    const unfinished = `${path}.${randomBytes(6).toString('hex')}.tmp`
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(unfinished, '', { mode: 0o600 })
      await write(unfinished)
      await rename(unfinished, path)
      isDirty = true
    } catch {
      await rm(unfinished, { force: true }).catch(() => {})
    }
  }
  return Object.freeze({
    find,
    read: async (file: RangedFile, range: ByteRange) => {
      const path = await find(file, range)
      const bytes = path === undefined ? undefined : await readFile(path).catch(() => undefined)
      return bytes?.length === sizeOf(range) ? new Uint8Array(bytes) : undefined
    },
    write: async (file: RangedFile, range: ByteRange, bytes: Uint8Array) => {
      const path = pathOf(file, range)
      if (path !== undefined && bytes.length < options.bytes / 4)
        await put(path, (unfinished) => writeFile(unfinished, bytes))
    },
    files: Object.freeze({
      read: async (name: string) => {
        try {
          const bytes = await readFile(wholePath(name))
          await touch(wholePath(name))
          return new Uint8Array(bytes)
        } catch {
          return undefined
        }
      },
      write: async (name: string, bytes: Uint8Array) => {
        if (bytes.length < options.bytes / 4)
          await put(wholePath(name), (unfinished) => writeFile(unfinished, bytes))
      },
    }),
    copyFrom: async (source: string, position: number, file: RangedFile, range: ByteRange) => {
      const path = pathOf(file, range)
      if (path === undefined || sizeOf(range) >= options.bytes / 4) return
      await put(path, (unfinished) => copyPart(source, position, unfinished, 0, sizeOf(range)))
    },
    trim: async () => {
      if (isDirty) await trimFolder(folder, options.bytes).catch(() => {})
      isDirty = false
    },
  })
}

const touch = (path: string): Promise<void> => {
  const now = new Date()
  return utimes(path, now, now)
}

/** Copies a part of a file into another one, which is made if it is not there. */
export const copyPart = async (
  from: string,
  fromPosition: number,
  to: string,
  toPosition: number,
  length: number,
): Promise<void> => {
  const source = await open(from, 'r')
  try {
    const target = await open(to, toPosition === 0 ? 'a+' : 'r+')
    await target.close()
    const writer = await open(to, 'r+')
    try {
      const buffer = Buffer.allocUnsafe(Math.min(copyBytes, Math.max(1, length)))
      for (let done = 0; done < length; ) {
        const { bytesRead } = await source.read(
          buffer,
          0,
          Math.min(buffer.length, length - done),
          fromPosition + done,
        )
        if (bytesRead === 0) throw new RangeError('The file ends early.')
        await writer.write(buffer, 0, bytesRead, toPosition + done)
        done += bytesRead
      }
    } finally {
      await writer.close()
    }
  } finally {
    await source.close()
  }
}

const trimFolder = async (folder: string, ceiling: number): Promise<void> => {
  const now = Date.now()
  const entries = []
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (!found) continue
    if (!name.endsWith('.tmp')) entries.push({ path, size: found.size, used: found.mtimeMs })
    else if (now - found.mtimeMs > abandonedMs) await rm(path, { force: true })
  }
  let total = entries.reduce((sum, { size }) => sum + size, 0)
  for (const { path, size } of entries.toSorted((a, b) => a.used - b.used)) {
    if (total <= ceiling) return
    await rm(path, { force: true })
    total -= size
  }
}
