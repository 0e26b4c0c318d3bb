import { join } from 'node:path'
import type { ExportFile, FileLayout, GrowingFile } from '@penstock/core'
import { parquetFiles } from './parquet-parts.ts'
import { completePart, leftUnfinished, type Part } from './part.ts'
import type { RowSource } from './rows.ts'
import { areSmall, type SideBySide, smallFiles } from './small-files.ts'
import type { Space } from './space.ts'
import { textFiles } from './text-parts.ts'
import type { PieceWriter } from './writer.ts'

export interface PartsContext {
  readonly layout: FileLayout
  /** Whether a file may be handed out while it is written. */
  readonly growing: boolean
  readonly source: RowSource
  readonly writer: PieceWriter
  readonly folder: string
  readonly space: Space
  /** Bytes of a row as text, about. */
  readonly rowBytes: number
  readonly signal: AbortSignal
  /** Of rows that can be read on several connections. */
  readonly sideBySide?: SideBySide | undefined
  /** Error of a statement, as those who wait for a file are told it. */
  readonly translate: (error: unknown) => Error
  /** Called with the rows of each file that is complete. */
  readonly onRows: (rows: number) => void
}

/** The files of a stream, in order. Without `growing`, a file is complete when it is yielded. */
export async function* writeFiles(context: PartsContext): AsyncGenerator<GrowingFile> {
  const { layout } = context
  const numbers = new Map<string, number>()
  let last: Part | undefined
  const handOut = (part: Part): GrowingFile => {
    last = part
    const { path, partition, grown, finished, release } = part
    const key = JSON.stringify(partition)
    const number = (numbers.get(key) ?? 0) + 1
    // Partitions come one after another: the numbers of former ones are not needed again.
    if (number === 1) numbers.clear()
    numbers.set(key, number)
    return Object.freeze({ part: number, partition, path, grown, finished, release })
  }
  try {
    for await (const part of partsOf(context)) yield handOut(part)
    if (!last && layout.empty !== 'nothing' && (layout.partitionBy ?? []).length === 0)
      yield handOut(await emptyFile(context))
  } catch (error) {
    last?.fail(context.translate(error))
    throw error
  } finally {
    last?.fail(leftUnfinished())
  }
}

/** Files for those who take them complete. */
export async function* completeFiles(files: AsyncIterable<GrowingFile>): AsyncGenerator<ExportFile> {
  for await (const { part, partition, path, finished, release } of files)
    yield Object.freeze({ part, partition, path, ...(await finished), release })
}

const partsOf = (context: PartsContext): AsyncGenerator<Part> => {
  const { sideBySide, layout } = context
  if (sideBySide && areSmall(layout, sideBySide)) return smallFiles(context, sideBySide)
  return layout.format.type === 'parquet' ? parquetFiles(context) : textFiles(context, layout.format)
}

const emptyFile = async (context: PartsContext): Promise<Part> => {
  const { layout, writer, folder } = context
  const written = await writer.writeEmpty()
  const file = { partition: {}, rows: 0 }
  if (layout.format.type === 'parquet')
    return completePart({ ...file, path: written.path, size: written.bytes }, context)
  const { textPart } = await import('./text-part.ts')
  const path = join(folder, 'empty')
  const text = textPart(layout.format, path)
  await text.add(written.path)
  return completePart({ ...file, path, size: await text.finish() }, context)
}
