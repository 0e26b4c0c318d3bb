import { Readable } from 'node:stream'
import type { Bucket, Change, Segment } from './model.ts'
import { applyChange, type References } from './state.ts'

/** Takes the bytes of one blob. Nothing of it counts before `finish`. */
export interface BlobWriter {
  /** Resolves when more may come. */
  write(chunk: Buffer): Promise<void> | undefined
  /** Id of the blob. */
  finish(): Promise<string>
  abort(): Promise<void>
}

/** Keeps immutable bytes under ids of its own choice. */
export interface BlobStore {
  writer(): BlobWriter
  /** Bytes `start` to `start + length` at once, or undefined when they had better be streamed. */
  readNow(segment: Segment): Buffer | undefined
  stream(segment: Segment): Readable
  remove(id: string): void
}

/** Where changes are kept beyond the process; one call is one unit. */
export interface Journal {
  append(changes: readonly Change[]): void
  close(): void
}

/** Everything that S3 remembers: buckets, objects, uploads and their bytes. */
export interface Store {
  readonly buckets: ReadonlyMap<string, Bucket>
  /** Makes changes visible, all at once. Blobs that lose their last reference are removed. */
  commit(...changes: Change[]): void
  writer(): BlobWriter
  /** Gives up a finished blob that no commit took. */
  discard(blob: string): void
  /** Keeps bytes from being removed until the returned function is called: for copies that take a while. */
  pin(segments: readonly Segment[]): () => void
  /** A body, or `length` bytes of it from `start`. What is being read stays readable when it is overwritten. */
  read(segments: readonly Segment[], start: number, length: number): Buffer | Readable
  close(): Promise<void>
}

/** Bodies up to this size are read at once instead of streamed, in bytes. */
export const readAtOnce = 256 * 1024

/** Builds a store over its parts; `history` is what the journal held. */
export function createStore(
  blobs: BlobStore,
  history: Iterable<Change>,
  openJournal: (buckets: ReadonlyMap<string, Bucket>, referenced: ReadonlySet<string>) => Journal,
): Store {
  const buckets = new Map<string, Bucket>()
  const counts = new Map<string, number>()
  let replaying = true

  const references: References = {
    retain(segments) {
      for (const { blob } of segments) counts.set(blob, (counts.get(blob) ?? 0) + 1)
    },
    release(segments) {
      for (const { blob } of segments) {
        const count = (counts.get(blob) ?? 0) - 1
        if (count > 0) {
          counts.set(blob, count)
          continue
        }
        counts.delete(blob)
        if (!replaying) blobs.remove(blob)
      }
    },
  }

  for (const change of history) applyChange(buckets, change, references)
  replaying = false
  const journal = openJournal(buckets, new Set(counts.keys()))

  /** Streams segments one after the other; they cannot vanish before the stream is closed. */
  const stream = (segments: readonly Segment[]): Readable => {
    references.retain(segments)
    const [only, more] = segments
    const source = only && !more ? blobs.stream(only) : Readable.from(chain(segments), { objectMode: false })
    source.once('close', () => references.release(segments))
    return source
  }

  async function* chain(segments: readonly Segment[]): AsyncGenerator<Buffer> {
    for (const segment of segments) {
      const now = blobs.readNow(segment)
      if (now) yield now
      else yield* blobs.stream(segment)
    }
  }

  return {
    buckets,
    commit(...changes) {
      journal.append(changes)
      // A blob may lose its last reference in one change and get a new one in the next (completed uploads).
      const kept = changes.flatMap(segmentsOf)
      references.retain(kept)
      for (const change of changes) applyChange(buckets, change, references)
      references.release(kept)
    },
    writer: () => blobs.writer(),
    discard: (blob) => {
      if (!counts.has(blob)) blobs.remove(blob)
    },
    pin(segments) {
      references.retain(segments)
      return () => references.release(segments)
    },
    read(segments, start, length) {
      const wanted = cutSegments(segments, start, length)
      const [only, more] = wanted
      if (!only) return Buffer.alloc(0)
      if (!more || length <= readAtOnce) {
        const pieces = wanted.map((segment) => blobs.readNow(segment))
        if (pieces.every((piece) => piece !== undefined)) {
          return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
        }
      }
      return stream(wanted)
    },
    async close() {
      journal.close()
    },
  }
}

function segmentsOf(change: Change): Segment[] {
  if (change.type === 'version') return change.version.segments
  return change.type === 'part' ? change.part.segments : []
}

/** The segments that hold `length` bytes from `start`. */
export function cutSegments(segments: readonly Segment[], start: number, length: number): Segment[] {
  const cut: Segment[] = []
  let skip = start
  let left = length
  for (const segment of segments) {
    if (left <= 0) break
    if (skip >= segment.length) {
      skip -= segment.length
      continue
    }
    const taken = Math.min(segment.length - skip, left)
    cut.push({ blob: segment.blob, start: segment.start + skip, length: taken })
    skip = 0
    left -= taken
  }
  return cut
}
