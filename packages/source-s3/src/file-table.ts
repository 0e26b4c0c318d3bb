import type { S3Access, S3Entry } from '@penstock/aws'
import { type FileEntry, type FileTable, fileTable, hivePartitions } from '@penstock/core'
import type { Formats } from './format.ts'
import { lookUp, openObject } from './look-up.ts'

export interface TableOptions {
  readonly name: string
  readonly access: S3Access
  readonly formats: Formats
  /** Where partitions begin; undefined when the selection has none or wants none. */
  readonly partitionsBelow: string | undefined
  /** Unchecked pages, in key order. */
  readonly pages: (signal: AbortSignal) => AsyncIterable<readonly S3Entry[]>
  readonly maxObjects: number | undefined
  /** Options of the selection that leave out objects which exist. */
  readonly narrowedBy: readonly string[]
}

/** A table of S3 objects: one file type, bounded to `maxObjects`. */
export const s3Table = (options: TableOptions): FileTable => {
  const { name, access, formats, partitionsBelow } = options
  return fileTable({
    name,
    format: (entry) => formats.of(entry.key),
    open: (entry) => openObject(access, entry),
    list: ({ signal }) => checkedPages(options, signal),
    narrowedBy: options.narrowedBy,
    ...(partitionsBelow !== undefined && {
      constants: (entry: FileEntry) => hivePartitions(entry.key.slice(partitionsBelow.length)),
    }),
    refresh: (entry, { signal }) => lookUp(access, entry.key, signal),
  })
}

async function* checkedPages(
  options: TableOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly FileEntry[]> {
  const check = options.formats.createCheck()
  let left = options.maxObjects ?? Number.POSITIVE_INFINITY
  for await (const page of options.pages(signal)) {
    signal.throwIfAborted()
    const entries = page.length > left ? page.slice(0, left) : page
    for (const entry of entries) check(entry)
    yield entries
    left -= entries.length
    if (left === 0) return
  }
}
