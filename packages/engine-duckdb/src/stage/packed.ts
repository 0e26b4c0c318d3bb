import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogicalType } from '@penstock/core'
import { firstRow, quoteText } from '../sql.ts'
import { dropErrorTables } from './bad-rows.ts'
import type { FileGroup } from './inputs.ts'
import { csvErrorTables, type InputFile, type ReadContext, type Source } from './reading.ts'
import { carriageReturn, lineFeed } from './rewrite.ts'

/** Fewer files are not worth a copy. */
const minFiles = 8

/** Mean size up to which files are packed, in bytes: DuckDB takes 1 ms to begin a file, in which it parses about as much. */
const maxMeanBytes = 256 * 1024

/** Bytes that are packed at a time: bounds the copy, and the table of its rows. */
const maxPackedBytes = 32 * 1024 ** 2

const writeBytes = 1024 ** 2

/** What the record before the first one of each file says: no text that a file has, and nothing that needs quotes. */
const newMark = () => `penstock${randomBytes(12).toString('hex')}x`

/**
 * Reads many small files of delimited text as one: `use` gets their rows, each with the `file_index` of its file.
 * Returns undefined where that can't be done without doubt, and they have to be read one by one: when a record can't be
 * parsed, or when a record at the end of one file runs on into the next.
 */
export const withPacked = async <Result>(
  connection: DuckDBConnection,
  group: FileGroup,
  types: readonly (LogicalType | undefined)[],
  options: { read: ReadContext; tag: string },
  use: (source: Source) => Promise<Result>,
): Promise<Result | undefined> => {
  const { layout, files } = group
  const { tag } = options
  const mark = newMark()
  const table = `__penstock_packed_${tag}`
  const path = join(options.read.folder, `packed-${tag}`)
  const { errors } = csvErrorTables(tag)
  if (!isPackable(group)) return undefined
  try {
    if (!(await pack(group, path, mark, options.read.signal))) return undefined
    const { from, columns } = layout.source([path], types, tag)
    const isMark = `starts_with(c0, ${quoteText(mark)})`
    await connection.run(
      `CREATE TEMP TABLE ${table} AS
       SELECT *, count(*) FILTER (${isMark}) OVER (ROWS UNBOUNDED PRECEDING) - 1 AS file_index FROM ${from}`,
    )
    const found = await firstRow(
      connection,
      `SELECT count(*), EXISTS (FROM ${errors}) FROM temp.${table} WHERE c0 = ${quoteText(mark)} || file_index`,
    )
    if (Number(found?.[0]) !== files.length || found?.[1] === true) return undefined
    return await use({ from: `(SELECT * FROM temp.${table} WHERE (${isMark}) IS NOT TRUE)`, columns })
  } finally {
    await rm(path, { force: true })
    await connection.run(`DROP TABLE IF EXISTS temp.${table}`).catch(() => {})
    await dropErrorTables(connection, tag).catch(() => {})
  }
}

/** Parts of a group that are packed together; the whole group where it is not packed at all. */
export const packsOf = (group: FileGroup): readonly FileGroup[] => {
  if (!isPackable(group)) return [group]
  const packs: InputFile[][] = []
  let room = 0
  for (const input of group.files) {
    const { size } = input.file.entry
    if (size > room) {
      packs.push([])
      room = maxPackedBytes
    }
    packs.at(-1)?.push(input)
    room -= size
  }
  return packs.map((files) => ({ layout: group.layout, files }))
}

const isPackable = ({ layout, files }: FileGroup): boolean => {
  const { dialect, headerBytes } = layout
  if (!dialect || !headerBytes || files.length < minFiles) return false
  if ([dialect.delimiter, dialect.quote, dialect.escape].some((mark) => /[a-z0-9]/.test(mark))) return false
  return bytesOf(files) <= maxMeanBytes * files.length
}

const bytesOf = (files: readonly InputFile[]): number =>
  files.reduce((sum, { file }) => sum + file.entry.size, 0)

/** Writes the copy. False for files whose lines may end in several ways, or that have another header. */
const pack = async (
  { layout, files }: FileGroup,
  path: string,
  mark: string,
  signal: AbortSignal,
): Promise<boolean> => {
  const header = layout.headerBytes ?? Buffer.alloc(0)
  const otherFields = (layout.dialect?.delimiter ?? '').repeat(layout.names.length - 1)
  const lineEnd = Buffer.from([lineFeed])
  let part: Buffer[] = [header]
  let partBytes = 0
  const flush = async (copy: FileHandle) => {
    await copy.writev(part)
    part = []
    partBytes = 0
  }
  const copy = await open(path, 'wx')
  try {
    for (const [index, { file }] of files.entries()) {
      // Small files are read in a moment: asking for each one takes longer.
      const content = readFileSync(file.path ?? '')
      if (content.includes(carriageReturn) || !content.subarray(0, header.length).equals(header)) return false
      part.push(Buffer.from(`${mark}${index}${otherFields}\n`), content.subarray(header.length))
      if (content.at(-1) !== lineFeed) part.push(lineEnd)
      partBytes += content.length
      if (partBytes < writeBytes) continue
      signal.throwIfAborted()
      await flush(copy)
    }
    if (part.length > 0) await flush(copy)
    return true
  } finally {
    await copy.close()
  }
}
