import { type FileHandle, open } from 'node:fs/promises'
import { type ByteRange, ConnectorError, type RangedFile } from '@penstock/core'
import type { LocalLayout, PlacedRange } from '../parquet/local-layout.ts'
import { copyPart, type RangeCache } from './cache.ts'
import { planRequests, sizeOf } from './ranges.ts'
import type { Transport } from './transport.ts'

/** A local file to be made of parts of a remote one. */
export interface LocalFile {
  readonly file: RangedFile
  readonly path: string
  readonly layout: LocalLayout
  /** Bytes of the remote file that are at hand already. */
  readonly tail: { readonly range: ByteRange; readonly bytes: Uint8Array }
}

export interface LocalFileResult {
  /** Ranges that came over the wire: what a cache may keep. */
  readonly fetched: readonly PlacedRange[]
  readonly hits: number
  readonly hitBytes: number
}

/** Makes the file: from the bytes at hand, the cache, and the rest in ranged requests. */
export const makeLocalFile = async (
  { file, path, layout, tail }: LocalFile,
  transport: Transport,
  cache: RangeCache,
): Promise<LocalFileResult> => {
  const target = await open(path, 'wx')
  let hits = 0
  let hitBytes = 0
  const fetched: PlacedRange[] = []
  try {
    for (const { target: position, bytes } of layout.made) await writeAll(target, bytes, position)
    for (const range of layout.ranges) {
      const { source } = range
      if (source.start >= tail.range.start) {
        const start = source.start - tail.range.start
        await writeAll(target, tail.bytes.subarray(start, start + sizeOf(source)), range.target)
        continue
      }
      const kept = await cache.find(file, source)
      if (kept !== undefined && (await copied(kept, path, range))) {
        hits += 1
        hitBytes += sizeOf(source)
      } else fetched.push(range)
    }
    await fetchAll(file, fetched, target, transport)
  } catch (error) {
    throw diskError(error, path)
  } finally {
    await target.close()
  }
  return { fetched, hits, hitBytes }
}

/** False when another process removed it from the cache in the meantime. */
const copied = async (from: string, to: string, { source, target }: PlacedRange): Promise<boolean> => {
  try {
    await copyPart(from, 0, to, target, sizeOf(source))
    return true
  } catch {
    return false
  }
}

const fetchAll = async (
  file: RangedFile,
  ranges: readonly PlacedRange[],
  target: FileHandle,
  transport: Transport,
): Promise<void> => {
  const sorted = ranges.toSorted((a, b) => a.source.start - b.source.start)
  const requests = planRequests(sorted.map(({ source }) => source))
  await Promise.all(
    requests.map(async (request) => {
      const parts = sorted.filter(({ source }) => source.start < request.end && source.end > request.start)
      await transport.stream(file, request, async (chunk, position) => {
        for (const { source, target: place } of parts) {
          const start = Math.max(position, source.start)
          const end = Math.min(position + chunk.length, source.end)
          if (start < end)
            await writeAll(
              target,
              chunk.subarray(start - position, end - position),
              place + start - source.start,
            )
        }
      })
    }),
  )
}

const writeAll = async (file: FileHandle, bytes: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

const diskError = (error: unknown, path: string): unknown => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new ConnectorError('resource', `The disk of the staging folder is full (${path}).`, {
    code,
    hint: 'Free some space, or choose another staging folder.',
    cause: error,
  })
}
