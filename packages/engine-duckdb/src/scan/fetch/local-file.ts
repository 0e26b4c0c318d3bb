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
  /** A local file that has ranges of the remote one already. */
  readonly near?: { readonly path: string; readonly ranges: readonly PlacedRange[] } | undefined
}

export interface LocalFileResult {
  /** Ranges that came over the wire: what a cache may keep. */
  readonly fetched: readonly PlacedRange[]
  readonly hits: number
  readonly hitBytes: number
}

/** Makes the file: from the bytes at hand, the cache, and the rest in ranged requests. */
export const makeLocalFile = async (
  { file, path, layout, tail, near }: LocalFile,
  transport: Transport,
  cache: RangeCache,
): Promise<LocalFileResult> => {
  const target = await open(path, 'wx')
  let hits = 0
  let hitBytes = 0
  const fetched: PlacedRange[] = []
  const missing: PlacedRange[] = []
  const atHand: Piece[] = layout.made.map(({ target: position, bytes }) => ({ position, bytes }))
  try {
    for (const range of layout.ranges) {
      const { source } = range
      const own = near?.ranges.find((part) => part.source.start === source.start)
      if (near && own) {
        await copyPart(near.path, own.target, path, range.target, sizeOf(source))
        continue
      }
      const isAtHand = source.start >= tail.range.start
      const kept = isAtHand ? undefined : await cache.find(file, source)
      if (kept !== undefined && (await copied(kept, path, range))) {
        hits += 1
        hitBytes += sizeOf(source)
        continue
      }
      const from = Math.max(source.start, tail.range.start)
      if (from < source.end) {
        const bytes = tail.bytes.subarray(from - tail.range.start, source.end - tail.range.start)
        atHand.push({ position: range.target + from - source.start, bytes })
      }
      const end = Math.min(source.end, from)
      if (!isAtHand) missing.push({ source: { start: source.start, end }, target: range.target })
      fetched.push(range)
    }
    await writePieces(target, atHand)
    await fetchAll(file, missing, target, transport)
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
      await transport.stream(file, request, async (chunks) => {
        const pieces = parts.flatMap(({ source, target: place }): Piece[] => {
          const start = Math.max(request.start, source.start)
          const end = Math.min(request.end, source.end)
          let position = place + start - source.start
          return partOf(chunks, start - request.start, end - request.start).map((bytes) => {
            const piece = { position, bytes }
            position += bytes.length
            return piece
          })
        })
        await writePieces(target, pieces)
      })
    }),
  )
}

/** The bytes [start, end) of what the chunks are together. */
const partOf = (chunks: readonly Uint8Array[], start: number, end: number): readonly Uint8Array[] => {
  const found: Uint8Array[] = []
  let position = 0
  for (const chunk of chunks) {
    const from = Math.max(start - position, 0)
    const to = Math.min(end - position, chunk.length)
    if (from < to) found.push(chunk.subarray(from, to))
    position += chunk.length
  }
  return found
}

interface Piece {
  readonly position: number
  readonly bytes: Uint8Array
}

/** Writes pieces at their places; neighbours with one call, as each costs more than the copying of a small one. */
const writePieces = async (file: FileHandle, pieces: readonly Piece[]): Promise<void> => {
  const runs: { readonly position: number; readonly chunks: Uint8Array[]; end: number }[] = []
  for (const { position, bytes } of pieces.toSorted((a, b) => a.position - b.position)) {
    const last = runs.at(-1)
    if (last?.end === position) {
      last.chunks.push(bytes)
      last.end += bytes.length
    } else runs.push({ position, chunks: [bytes], end: position + bytes.length })
  }
  for (const { position, chunks } of runs) await writeAll(file, chunks, position)
}

/** Writes all of the chunks, one behind the other. */
export const writeAll = async (
  file: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> => {
  const size = chunks.reduce((sum, { length }) => sum + length, 0)
  for (let done = 0; done < size; )
    done += (await file.writev(partOf(chunks, done, size), position + done)).bytesWritten
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
