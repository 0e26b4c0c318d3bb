import { randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogicalType } from '@penstock/core'
import { firstRow, quoteText } from '../sql.ts'
import { dropErrorTables } from './bad-rows.ts'
import { smallBytes } from './head.ts'
import type { FileGroup } from './inputs.ts'
import { csvErrorTables, type InputFile, type ReadContext, type Source } from './reading.ts'
import { carriageReturn, lineFeed } from './rewrite.ts'

/** Fewer files are not worth a copy. */
export const minFiles = 8

/** Mean size up to which files are packed, in bytes: DuckDB takes 1 ms to begin a file, in which it parses about as much. */
const maxMeanBytes = 256 * 1024

/** Size up to which a file is packed, decompressed, in bytes: it is held in memory. */
const maxFileBytes = 4 * 1024 ** 2

/** Bytes that text has for each one that is stored, where it is compressed: about. */
const usualExpansion = 4

/** Bytes that are packed at a time: bounds the copy, and the table of its rows. */
const maxPackedBytes = 32 * 1024 ** 2

const writeBytes = 1024 ** 2

/** What the record before the first one of each file says: no text that a file has, and nothing that needs quotes. */
const newMark = () => `penstock${randomBytes(12).toString('hex')}x`

/** How many of the first files were taken together, and what came of it: undefined where they are not to be read as one. */
export interface Packed<Result> {
  readonly files: number
  readonly result: Result | undefined
}

/**
 * Reads many small files of delimited text as one: `use` gets their rows, each with the `file_index` of its file. The
 * first of the files are taken, up to one that is too large or can't be joined. There is no result where there are
 * too few of them (then the one that ended them is among them), or where it can't be done without doubt: when a record
 * can't be parsed, or when a record at the end of one file runs on into the next.
 */
export const withPacked = async <Result>(
  connection: DuckDBConnection,
  group: FileGroup,
  types: readonly (LogicalType | undefined)[],
  options: { read: ReadContext; tag: string },
  use: (source: Source, files: readonly InputFile[]) => Promise<Result>,
): Promise<Packed<Result>> => {
  const { layout, files } = group
  const { tag, read } = options
  const mark = newMark()
  const table = `__penstock_packed_${tag}`
  const path = join(read.folder, `packed-${tag}`)
  const { errors } = csvErrorTables(tag)
  try {
    const count = await pack(group, path, mark, read)
    if (count < minFiles) return { files: Math.min(files.length, count + 1), result: undefined }
    const { from, columns } = layout.source([path], types, { tag, isPlain: true })
    const isMark = `starts_with(c0, ${quoteText(mark)})`
    await connection.run(
      `CREATE TEMP TABLE ${table} AS
       SELECT *, count(*) FILTER (${isMark}) OVER (ROWS UNBOUNDED PRECEDING) - 1 AS file_index FROM ${from}`,
    )
    const found = await firstRow(
      connection,
      `SELECT count(*), EXISTS (FROM ${errors}) FROM temp.${table} WHERE c0 = ${quoteText(mark)} || file_index`,
    )
    if (Number(found?.[0]) !== count || found?.[1] === true) return { files: count, result: undefined }
    const source = { from: `(SELECT * FROM temp.${table} WHERE (${isMark}) IS NOT TRUE)`, columns }
    return { files: count, result: await use(source, files.slice(0, count)) }
  } finally {
    await rm(path, { force: true })
    await connection.run(`DROP TABLE IF EXISTS temp.${table}`).catch(() => {})
    await dropErrorTables(connection, tag).catch(() => {})
  }
}

export const isPackable = ({ layout, files }: FileGroup): boolean => {
  const { dialect, headerBytes } = layout
  if (!dialect || !headerBytes || files.length < minFiles) return false
  if ([dialect.delimiter, dialect.quote, dialect.escape].some((mark) => /[a-z0-9]/.test(mark))) return false
  const stored = files.reduce((sum, { file }) => sum + file.entry.size, 0)
  const expansion = files[0]?.file.format.compression === 'none' ? 1 : usualExpansion
  return stored * expansion <= maxMeanBytes * files.length
}

/** Writes the copy; returns how many of the first files it holds. */
const pack = async (
  { layout, files }: FileGroup,
  path: string,
  mark: string,
  { signal, copyBytes }: ReadContext,
): Promise<number> => {
  const header = layout.headerBytes ?? Buffer.alloc(0)
  const lineEnd = header.at(-2) === carriageReturn ? '\r\n' : '\n'
  const otherFields = (layout.dialect?.delimiter ?? '').repeat(layout.names.length - 1)
  let part: Buffer[] = [header]
  let partBytes = 0
  let room = Math.min(maxPackedBytes, copyBytes)
  let count = 0
  const copy = await open(path, 'wx')
  const flush = async () => {
    signal.throwIfAborted()
    await copy.writev(part)
    part = []
    partBytes = 0
  }
  try {
    for (const { file } of files) {
      const content = smallBytes(file, maxFileBytes)
      if (!content || content.length > room) break
      if (!content.subarray(0, header.length).equals(header) || !endsLines(content, lineEnd)) break
      part.push(Buffer.from(`${mark}${count++}${otherFields}${lineEnd}`), content.subarray(header.length))
      if (content.at(-1) !== lineFeed) part.push(Buffer.from(lineEnd))
      room -= content.length
      partBytes += content.length
      if (partBytes >= writeBytes) await flush()
    }
    await flush()
    return count
  } finally {
    await copy.close()
  }
}

const otherThanCrLf = /(?<!\r)\n|\r(?!\n)/

/** Whether all line ends, also those inside quotes, are this one. */
const endsLines = (content: Buffer, lineEnd: '\n' | '\r\n'): boolean =>
  lineEnd === '\n' ? !content.includes(carriageReturn) : !otherThanCrLf.test(content.toString('latin1'))
