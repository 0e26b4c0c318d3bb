import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportFile, FileLayout } from '@penstock/core'
import { parquetFiles } from './parquet-parts.ts'
import type { RowSource } from './rows.ts'
import { areSmall, type SideBySide, smallFiles } from './small-files.ts'
import type { Space } from './space.ts'
import { textFiles } from './text-parts.ts'
import type { PieceWriter } from './writer.ts'

/** A complete file, before it is handed out. */
export interface FinishedPart {
  readonly path: string
  readonly size: number
  readonly rows: number
  readonly partition: Readonly<Record<string, string | null>>
}

export interface PartsContext {
  readonly layout: FileLayout
  readonly source: RowSource
  readonly writer: PieceWriter
  readonly folder: string
  readonly space: Space
  /** Bytes of a row as text, about. */
  readonly rowBytes: number
  readonly signal: AbortSignal
  /** Of rows that can be read on several connections. */
  readonly sideBySide?: SideBySide | undefined
}

/** The files of a stream, in order; a file is complete when it is yielded. */
export async function* writeFiles(context: PartsContext): AsyncGenerator<ExportFile> {
  const { layout, folder, space } = context
  const numbers = new Map<string, number>()
  let ordinal = 0
  const handOut = async (part: FinishedPart): Promise<ExportFile> => {
    const key = JSON.stringify(part.partition)
    const number = (numbers.get(key) ?? 0) + 1
    // Partitions come one after another: the numbers of former ones are not needed again.
    if (number === 1) numbers.clear()
    numbers.set(key, number)
    const path = join(folder, `part-${ordinal++}`)
    await rename(part.path, path)
    space.hold(part.size)
    let released: Promise<void> | undefined
    const release = async () => {
      await rm(path, { force: true })
      space.free(part.size)
    }
    return Object.freeze({
      part: number,
      partition: part.partition,
      path,
      size: part.size,
      rows: part.rows,
      release: () => {
        released ??= release()
        return released
      },
    })
  }
  for await (const part of partsOf(context)) yield await handOut(part)
  if (ordinal === 0 && layout.empty !== 'nothing' && (layout.partitionBy ?? []).length === 0) {
    const { path, bytes } = await emptyFile(context)
    yield await handOut({ path, size: bytes, rows: 0, partition: {} })
  }
}

const partsOf = (context: PartsContext): AsyncGenerator<FinishedPart> => {
  const { sideBySide, layout } = context
  if (sideBySide && areSmall(layout, sideBySide)) return smallFiles(context, sideBySide)
  return layout.format.type === 'parquet' ? parquetFiles(context) : textFiles(context, layout.format)
}

const emptyFile = async ({ layout, writer, folder }: PartsContext) => {
  const written = await writer.writeEmpty()
  if (layout.format.type === 'parquet') return written
  const { textPart } = await import('./text-part.ts')
  const path = join(folder, 'empty')
  const part = textPart(layout.format, path)
  await part.add(written.path)
  return { path, bytes: await part.finish() }
}
