import type { Compression, CsvFormat, StagedFile } from '@penstock/core'
import { quoteText, quoteTextList } from '../sql.ts'
import { type Dialect, decodeHead, detectDialect, distinctNames, parseRecords } from './dialect.ts'
import { firstPlainBytes, headBytes, readHead, refuseOtherFormat } from './head.ts'
import { csvErrorTables, type Layout, type ReadColumn } from './reading.ts'
import { rewriteOf } from './rewrite.ts'

/** Longest record that is read, in bytes. Also the size of DuckDB's buffers, of which every thread has one or two. */
const maxRecordBytes = 16 * 1024 ** 2

/** Layout of a file by its beginning. Undefined for a file without any record: no header, no rows. */
export const csvLayout = async (
  file: StagedFile,
  format: CsvFormat,
  signal: AbortSignal,
): Promise<Layout | undefined> => {
  const head = await readHead(file, signal)
  if (head.length === 0) return undefined
  const dialect = detectDialect(head, format, head.length < headBytes)
  if (dialect.encoding === 'utf-8') refuseOtherFormat(file, head)
  const first = parseRecords(decodeHead(head, dialect.encoding), dialect, 1)[0]
  if (!first) return undefined
  const names = distinctNames(dialect.header ? first : first.map(() => ''))
  const columns = names.map((name, index): ReadColumn => {
    const text = `nullif(c${index}, '')`
    return { name, value: { raw: `c${index}`, text, literal: text } }
  })
  const lineEnd = head.indexOf(10)
  const rewrite = rewriteOf(dialect)
  const isPlain = dialect.header && !rewrite && dialect.skipLines === 0 && dialect.comment === ''
  const isOneLine = lineEnd > 0 && !head.subarray(0, lineEnd).includes(dialect.quote || '\n')
  return {
    type: 'csv',
    id: JSON.stringify([format.compression, dialect, names]),
    names,
    dialect,
    ...(rewrite && { rewrite }),
    ...(isPlain && isOneLine && { headerBytes: head.subarray(0, lineEnd + 1) }),
    source: (paths, _types, { tag, isPlain: isPlainCopy } = {}) => ({
      from: readCsv(paths, dialect, names.length, {
        compression: rewrite || isPlainCopy ? 'none' : format.compression,
        onBadRecord: tag === undefined ? 'skip' : { tag },
      }),
      columns,
    }),
  }
}

/** True when a local file begins with exactly this header: no further look at it is needed. */
export const beginsWith = (file: StagedFile, header: Buffer): boolean =>
  firstPlainBytes(file, header.length)?.equals(header) ?? false

/** What happens to a record that does not fit: it is left out, it ends the statement, or it goes to the tables of a tag. */
type OnBadRecord = 'skip' | 'fail' | { readonly tag: string }

/** Table expression of delimited text: columns `c0`, `c1` ... of VARCHAR. With `fail` missing fields are null. */
export const readCsv = (
  paths: readonly string[],
  dialect: Dialect,
  columnCount: number,
  { compression, onBadRecord }: { compression: Compression; onBadRecord: OnBadRecord },
): string => {
  const columns = Array.from({ length: columnCount }, (_, index) => `'c${index}': 'VARCHAR'`)
  const options = [
    'auto_detect = false',
    `header = ${dialect.header}`,
    `skip = ${dialect.skipLines - dialect.skippedComments}`,
    `delim = ${quoteText(dialect.delimiter)}`,
    `quote = ${quoteText(dialect.quote)}`,
    `escape = ${quoteText(dialect.quote === '' ? '' : dialect.escape)}`,
    ...(dialect.comment === '' ? [] : [`comment = ${quoteText(dialect.comment)}`]),
    ...(dialect.newLine === undefined
      ? []
      : [`new_line = ${quoteText(JSON.stringify(dialect.newLine).slice(1, -1))}`]),
    `nullstr = ${quoteTextList(dialect.nullStrings)}`,
    'allow_quoted_nulls = false',
    `compression = ${quoteText(compression)}`,
    `max_line_size = ${maxRecordBytes}`,
    // By default it is 16 times as much: more than the memory limit.
    `buffer_size = ${maxRecordBytes}`,
    `columns = {${columns.join(', ')}}`,
    ...rejectOptions(onBadRecord),
  ]
  return `read_csv(${quoteTextList(paths)}, ${options.join(', ')})`
}

/**
 * With `store_rejects` a statement has to use all columns: DuckDB 1.5 fails for good on invalid UTF-8 in a column that
 * is not the first of those in use.
 */
const rejectOptions = (onBadRecord: OnBadRecord): string[] => {
  if (onBadRecord === 'skip') return ['ignore_errors = true']
  if (onBadRecord === 'fail') return ['null_padding = true', 'parallel = false']
  const { errors, scans } = csvErrorTables(onBadRecord.tag)
  return [
    'store_rejects = true',
    'rejects_limit = 0',
    `rejects_table = ${quoteText(errors)}`,
    `rejects_scan = ${quoteText(scans)}`,
  ]
}
