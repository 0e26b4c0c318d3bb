import { rm, stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { FileLayout } from '@penstock/core'
import { completePart, type Part } from './part.ts'
import type { PartsContext } from './parts.ts'
import type { Slice } from './rows.ts'
import { encodeBatch } from './text-part.ts'
import { wholePiece } from './writer.ts'

/** DuckDB reads with one thread as many rows as a row group has. */
const rowGroup = 122_880

/** Share of the staging folder for files that are being written at a time. */
const stagingShare = 4

/** Connections on one snapshot, and the threads of the database for them. */
export interface SideBySide {
  readonly connections: readonly DuckDBConnection[]
  readonly narrow: () => Promise<() => Promise<void>>
}

/** Whether files are so small that one statement would not keep all threads busy. */
export const areSmall = (
  { maxRows, maxBytes, partitionBy = [] }: FileLayout,
  { connections }: SideBySide,
): boolean =>
  maxRows !== undefined &&
  maxBytes === undefined &&
  partitionBy.length === 0 &&
  connections.length > 0 &&
  maxRows < 2 * connections.length * rowGroup

/** A complete file, before it is its turn to be handed out. */
interface FinishedPart {
  readonly path: string
  readonly size: number
  readonly rows: number
  readonly partition: Part['partition']
}

/** Small files of a table, several of which are written at a time; they come in order. */
export async function* smallFiles(
  context: PartsContext,
  { connections, narrow }: SideBySide,
): AsyncGenerator<Part> {
  const { layout, source, writer, space } = context
  const maxRows = layout.maxRows ?? rowGroup
  const { format } = layout
  let { rowBytes } = context
  let rowsBefore = 0
  let ordinal = 0
  const underWay: { readonly bytes: number; readonly part: Promise<FinishedPart> }[] = []

  const write = async (slice: Slice, before: number): Promise<FinishedPart> => {
    const written = await writer.write([wholePiece(slice)], { first: true, rowsBefore: before })
    rowBytes = Math.max(written.bytes / slice.rows, 0.001)
    await slice.release()
    if (format.type === 'parquet') return { path: written.path, size: written.bytes, ...partOf(slice) }
    const path = await encodeBatch(format, written.path, true)
    return { path, size: (await stat(path)).size, ...partOf(slice) }
  }

  let slice = await source.take(maxRows)
  // A file alone has all threads.
  let next = slice && (await source.take(maxRows))
  const widen = next ? await narrow() : async () => {}
  try {
    while (slice || underWay.length > 0) {
      const bytes = Math.ceil((slice?.rows ?? 0) * rowBytes)
      const others = underWay.reduce((sum, other) => sum + other.bytes, 0)
      const fits = underWay.length === 0 || others + bytes <= space.ceiling / stagingShare
      if (slice && underWay.length < connections.length && fits) {
        await space.waitFor(others + bytes)
        // The file that had this connection before is complete: files end in order.
        const connection = next || ordinal > 0 ? connections[ordinal++ % connections.length] : undefined
        const part = write(connection ? { ...slice, connection } : slice, rowsBefore)
        part.catch(() => {})
        underWay.push({ bytes, part })
        rowsBefore += slice.rows
        slice = next
        next = slice && (await source.take(maxRows))
      } else {
        const first = underWay[0]
        if (!first) break
        const part = await first.part
        underWay.shift()
        yield completePart(part, context)
      }
    }
  } finally {
    for (const { part } of underWay)
      await part.then(
        ({ path }) => rm(path, { force: true }),
        () => {},
      )
    await widen()
  }
}

const partOf = ({ rows, partition }: Slice) => ({ rows, partition })
