import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportFormat } from '@penstock/core'
import { samePartition } from './parquet-parts.ts'
import { createPart, type Part } from './part.ts'
import type { PartsContext } from './parts.ts'
import { encodeBatch, isPlain, memberPart, type TextPart, textPart } from './text-part.ts'
import { type Piece, wholePiece } from './writer.ts'

type TextFormat = Exclude<ExportFormat, { type: 'parquet' }>

/** Bytes of text that are compressed or recoded while DuckDB writes the next ones. */
const batchBytes = 32 * 1024 ** 2

/** A part whose remaining room is below this share of the limit is full: filling it row by row would not pay. */
const fullAt = 0.99

interface OpenPart {
  readonly file: TextPart
  readonly part: Part
  rows: number
  /** Bytes so far, where they are known. */
  bytes: number
  /** The batch that is being taken over. */
  adding: Promise<void>
}

/**
 * Files of text. DuckDB writes batches of rows, which become one file: in one go where nothing has to be done to the
 * bytes, else compressed while the next batch is written. A limit in bytes takes rows out again: such a file is handed
 * out complete.
 */
export async function* textFiles(context: PartsContext, format: TextFormat): AsyncGenerator<Part> {
  const { layout, source, writer, space, folder } = context
  const maxRows = layout.maxRows ?? Number.POSITIVE_INFINITY
  const { maxBytes } = layout
  const growing = context.growing && maxBytes === undefined
  let rowBytes = context.rowBytes
  let storedRowBytes = context.rowBytes
  let rowsBefore = 0
  let ordinal = 0
  let part: OpenPart | undefined

  const open = (partition: Part['partition']): OpenPart => {
    const path = join(folder, `text-${ordinal++}`)
    const file = maxBytes === undefined ? textPart(format, path) : memberPart(path)
    return {
      file,
      part: createPart({ path, partition }, context),
      rows: 0,
      bytes: 0,
      adding: Promise.resolve(),
    }
  }
  const close = async ({ adding, file, part, rows }: OpenPart): Promise<Part> => {
    await adding
    part.finish({ size: await file.finish(), rows })
    return part
  }
  /** Rows to ask for: what the part may still take, in batches that are worth a COPY and fit the staging folder. */
  const wanted = (open: OpenPart | undefined): number => {
    const share = isPlain(format) ? space.ceiling / 4 : Math.min(batchBytes, space.ceiling / 4)
    const batch = Math.max(1, Math.floor(share / rowBytes))
    const room = maxBytes === undefined ? batch : Math.ceil((maxBytes - (open?.bytes ?? 0)) / storedRowBytes)
    return Math.max(1, Math.min(batch, room, maxRows - (open?.rows ?? 0)))
  }
  const write = async (open: OpenPart, piece: Piece) => {
    // The part, the batch that it is taking over, and the next one.
    await space.waitFor(open.bytes + Math.ceil(piece.rows * rowBytes))
    const first = open.rows === 0
    const path = first && maxBytes === undefined && isPlain(format) ? open.part.path : undefined
    const written = await writer.write([piece], { first, rowsBefore, path })
    rowBytes = Math.max(written.bytes / piece.rows, 0.001)
    return written
  }

  const add = async (open: OpenPart, piece: Piece) => {
    const { path, bytes } = await write(open, piece)
    await open.adding
    open.adding = open.file.add(path)
    open.adding.catch(() => {})
    if (isPlain(format)) open.bytes += bytes
    else
      open.bytes = await stat(open.part.path).then(
        ({ size }) => size,
        () => 0,
      )
    open.rows += piece.rows
    rowsBefore += piece.rows
  }

  /** Adds as much of a piece as the limit in bytes allows; what is left of it. */
  const addWithin = async (open: OpenPart, piece: Piece, limit: number): Promise<Piece | undefined> => {
    const written = await write(open, piece)
    const encoded = await encodeBatch(format, written.path, open.rows === 0)
    const { size } = await stat(encoded)
    storedRowBytes = Math.max(size / piece.rows, 0.001)
    if (open.bytes + size <= limit || (piece.rows === 1 && open.rows === 0)) {
      await open.file.add(encoded)
      open.bytes += size
      open.rows += piece.rows
      rowsBefore += piece.rows
      return undefined
    }
    await rm(encoded)
    const room = limit - open.bytes
    if (piece.rows === 1 || (open.rows > 0 && open.bytes > limit * fullAt)) return piece
    const rows = Math.max(
      1,
      Math.min(Math.floor((piece.rows * room) / size), Math.ceil(piece.rows * 0.9) - 1),
    )
    const left = await addWithin(open, { ...piece, rows }, limit)
    const rest = { ...piece, offset: piece.offset + rows, rows: piece.rows - rows }
    if (left) return { ...left, rows: left.rows + rest.rows }
    return addWithin(open, rest, limit)
  }

  try {
    for (;;) {
      const slice = await source.take(wanted(part))
      if (part && (!slice || !samePartition(part.part.partition, slice.partition))) {
        const finished = await close(part)
        part = undefined
        if (!growing) yield finished
      }
      if (!slice) return
      let left: Piece | undefined = wholePiece(slice)
      while (left) {
        if (!part) {
          part = open(slice.partition)
          if (growing) yield part.part
        }
        if (maxBytes === undefined) {
          await add(part, left)
          left = undefined
        } else left = await addWithin(part, left, maxBytes)
        const isFull =
          part.rows >= maxRows ||
          left !== undefined ||
          (maxBytes !== undefined && part.bytes > maxBytes * fullAt)
        if (!isFull) continue
        const finished = await close(part)
        part = undefined
        if (!growing) yield finished
      }
      await slice.release()
    }
  } finally {
    if (part) {
      await part.adding.catch(() => {})
      await part.file.abandon()
    }
  }
}
