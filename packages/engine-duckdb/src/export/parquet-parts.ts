import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createPart, type Part } from './part.ts'
import type { PartsContext } from './parts.ts'
import { type Piece, wholePiece } from './writer.ts'

/** Rows that are written and thrown away, to learn how far they compress: one row group. */
const probeRows = 122_880

/** Share of the byte limit that is aimed at: the next rows may compress worse than the last ones. */
const aim = 0.95

/**
 * Files of Parquet, each written in one go. With a limit in bytes their rows are planned from the size of the file
 * before; one that came out too large is written again with fewer rows, and so handed out complete.
 */
export async function* parquetFiles(context: PartsContext): AsyncGenerator<Part> {
  const { layout, source, writer, space, folder } = context
  const maxRows = layout.maxRows ?? Number.POSITIVE_INFINITY
  const { maxBytes } = layout
  const growing = context.growing && maxBytes === undefined
  let ordinal = 0
  let pending: Piece[] = []
  let rowsBefore = 0
  let bytesPerRow = context.rowBytes

  const rowsOf = (pieces: readonly Piece[]) => pieces.reduce((sum, { rows }) => sum + rows, 0)
  const limit = () =>
    Math.max(
      1,
      maxBytes === undefined ? maxRows : Math.min(maxRows, Math.floor((maxBytes * aim) / bytesPerRow)),
    )

  const write = async (pieces: readonly Piece[], path?: string) => {
    await space.waitFor(Math.min(space.ceiling, Math.ceil(rowsOf(pieces) * bytesPerRow)))
    return writer.write(pieces, { first: true, rowsBefore, path })
  }

  /** Writes the first rows of what is pending, as many as fit. */
  async function* flush(): AsyncGenerator<Part, void, undefined> {
    const path = join(folder, `parquet-${ordinal++}`)
    const partition = pending[0]?.slice.partition ?? {}
    const part = createPart({ path, partition }, context)
    if (growing) yield part
    let rows = Math.min(rowsOf(pending), limit())
    for (;;) {
      const [taken, rest] = splitPieces(pending, rows)
      const { bytes } = await write(taken, path)
      bytesPerRow = Math.max(bytes / rows, 0.001)
      if (maxBytes !== undefined && bytes > maxBytes && rows > 1) {
        await rm(path)
        rows = Math.max(1, Math.min(rows - 1, Math.floor((rows * maxBytes * aim) / bytes)))
        continue
      }
      const kept = new Set(rest.map(({ slice }) => slice))
      for (const { slice } of taken) if (!kept.has(slice)) await slice.release()
      pending = rest
      rowsBefore += rows
      part.finish({ size: bytes, rows })
      if (!growing) yield part
      return
    }
  }

  let probed = maxBytes === undefined
  for (;;) {
    const slice = await source.take(probed ? limit() - rowsOf(pending) : Math.min(maxRows, probeRows))
    const partition = pending[0]?.slice.partition
    const changes = slice && partition && !samePartition(partition, slice.partition)
    if (!slice || changes) while (pending.length > 0) yield* flush()
    if (!slice) return
    if (!probed) {
      const { path, bytes } = await write([wholePiece(slice)])
      await rm(path)
      bytesPerRow = Math.max(bytes / slice.rows, 0.001)
      probed = true
    }
    pending.push(wholePiece(slice))
    while (pending.length > 0 && rowsOf(pending) >= limit()) yield* flush()
  }
}

/** The first `rows` rows, and the others. */
const splitPieces = (pieces: readonly Piece[], rows: number): [Piece[], Piece[]] => {
  const taken: Piece[] = []
  const rest: Piece[] = []
  let room = rows
  for (const piece of pieces) {
    const count = Math.min(room, piece.rows)
    if (count > 0) taken.push({ ...piece, rows: count })
    if (count < piece.rows) rest.push({ ...piece, offset: piece.offset + count, rows: piece.rows - count })
    room -= count
  }
  return [taken, rest]
}

export const samePartition = (
  a: Readonly<Record<string, string | null>>,
  b: Readonly<Record<string, string | null>>,
): boolean => Object.entries(a).every(([name, value]) => b[name] === value)
