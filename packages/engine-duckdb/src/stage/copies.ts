import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StagedFile } from '@penstock/core'
import { mapLimited } from '../scan/fetch/map-limited.ts'
import { isStreamed, storedPart } from './head.ts'
import type { FileGroup } from './inputs.ts'
import type { ReadContext } from './reading.ts'
import { type Rewrite, textBytes } from './rewrite.ts'

/** Bytes of disk that copies take at a time, where the caller names no other bound. */
export const defaultCopyBytes = 128 * 1024 ** 2

/** Files that are decompressed at once: Node has that many threads for it. */
const copiesAtOnce = 4

/** Bytes that a copy is guessed to have for each stored one, where the file does not say it. */
const usualExpansion = 4

/**
 * Whether a group's rows are loaded from plain copies. DuckDB 1.5 reads compressed text as well, but takes its first
 * part for the whole where the rest is missing, checks no checksum of gzip, and needs three times as long.
 */
export const isCopied = ({ layout, files }: FileGroup): boolean =>
  layout.type !== 'parquet' &&
  files.some(({ file }) => !isStreamed(file) && (layout.rewrite || file.format.compression !== 'none'))

/** Bytes that a local file is likely to have when it is plain. Gzip says it at its end, up to 4 GiB. */
export const plainSizeOf = (file: StagedFile): number => {
  const { format, entry } = file
  if (format.compression === 'none') return entry.size
  if (format.compression === 'zstd' || isStreamed(file)) return usualExpansion * entry.size
  const end = storedPart(file, -4)
  return end.length < 4 ? entry.size : Math.max(entry.size, end.readUInt32LE())
}

/**
 * Runs `use` with plain copies of a group's files, which are gone afterwards. Undefined when they would have more bytes
 * than copies may. Fails with a `data` error that names the file that is corrupt.
 */
export const withCopies = async <Result>(
  { layout, files }: FileGroup,
  { folder, signal, copyBytes }: ReadContext,
  use: (paths: readonly string[]) => Promise<Result>,
): Promise<Result | undefined> => {
  if (files.reduce((sum, { file }) => sum + plainSizeOf(file), 0) > copyBytes) return undefined
  const room = { bytes: copyBytes }
  const pathOf = (ordinal: number) => join(folder, `copy-${ordinal}`)
  try {
    const copied = await mapLimited(files, copiesAtOnce, ({ file, ordinal }) =>
      writeCopy(file, layout.rewrite, { path: pathOf(ordinal), room, signal }),
    )
    return copied.every(Boolean) ? await use(files.map(({ ordinal }) => pathOf(ordinal))) : undefined
  } finally {
    for (const { ordinal } of files) await rm(pathOf(ordinal), { force: true })
  }
}

/** Writes the bytes as DuckDB is to see them. False when the room, which all copies of a group share, is used up. */
export const writeCopy = async (
  file: StagedFile,
  rewrite: Rewrite | undefined,
  { path, room, signal }: { path: string; room: { bytes: number }; signal: AbortSignal },
): Promise<boolean> => {
  const copy = await open(path, 'wx')
  try {
    for await (const chunk of textBytes(file, rewrite, signal) as AsyncIterable<Buffer>) {
      room.bytes -= chunk.length
      if (room.bytes < 0) return false
      await copy.writeFile(chunk)
    }
    return true
  } finally {
    await copy.close()
  }
}
