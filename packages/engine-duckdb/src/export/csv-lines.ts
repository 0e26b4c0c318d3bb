import { type Column, type CsvExportOptions, csvEmptyIsNull } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'
import type { CopyForm, Refusal } from './copy-form.ts'
import { rawLines } from './raw-line.ts'
import { csvValue, mayBeEmpty } from './text-values.ts'
import { unquotable } from './unquotable.ts'

/** An empty text where null is something else. */
const quotedEmpty = '""'

/**
 * True for what DuckDB's COPY can't write, or would write so that it can't be read again: a delimiter beyond ASCII, an
 * escape character in the null value, an empty text in quotes beside a null of its own, a null of two quotes where there
 * is no quote, and the empty line that an empty field becomes where it is the only one.
 */
export const needsLines = (format: CsvExportOptions, columns: readonly Column[]): boolean =>
  columns.length === 1 ||
  Buffer.byteLength(format.delimiter) > 1 ||
  (format.quote !== '' && format.nullValue !== quotedEmpty && format.nullValue.includes(format.escape)) ||
  (format.emptyValue === quotedEmpty && format.nullValue !== '' && format.nullValue !== quotedEmpty) ||
  (format.nullValue === quotedEmpty && format.quote === '')

/** Lines of CSV as SQL puts them together; they equal those of COPY where it can write them. */
export const csvLines = (format: CsvExportOptions, columns: readonly Column[]): CopyForm => {
  const { delimiter, quote } = format
  const only = columns.length === 1
  const value = (column: Column) => csvValue(column.type, quoteIdentifier(column.name), format)
  const fields = columns.map((column) => {
    const text = `(${value(column)})::VARCHAR`
    const empty = emptyText(ofColumn(format, column), only)
    const written = format.quoteAll
      ? quoted(text, format)
      : `CASE WHEN ${needsQuote(text, format)} THEN ${quoted(text, format)} ELSE ${text} END`
    return [
      `CASE WHEN ${text} IS NULL THEN ${quoteText(nullText(format, column, only))}`,
      ...(mayBeEmpty(column.type) ? [`WHEN ${text} = '' THEN ${quoteText(empty)}`] : []),
      `ELSE ${quote === '' ? text : written} END`,
    ].join(' ')
  })
  const header = columns.map(({ name }) => fieldText(name, format)).join(delimiter)
  return rawLines(
    fields.join(` || ${quoteText(delimiter)} || `),
    [...(quote === '' ? unquotable(format, columns) : []), ...(only ? emptyLines(format, columns) : [])],
    { header: format.header ? header : undefined, crlf: format.lineSeparator === 'crlf' },
  )
}

/** The empty value is for texts: bytes and what else can be an empty text stay what they are. */
const ofColumn = (format: CsvExportOptions, { type }: Column): CsvExportOptions =>
  type.type === 'string' ? format : { ...format, emptyValue: undefined }

/** A number or a time that is null can be `""` where an empty line would stand for it: it has no empty text. */
const nullText = (format: CsvExportOptions, { type }: Column, only: boolean): string =>
  only && format.nullValue === '' && format.quote !== '' && !mayBeEmpty(type) ? quotedEmpty : format.nullValue

const emptyText = (format: CsvExportOptions, only: boolean): string => {
  const { nullValue, emptyValue = nullValue === '' ? quotedEmpty : '', quote } = format
  if (quote === '') return format.emptyValue ?? ''
  if (only && emptyValue === '' && nullValue !== quotedEmpty) return quotedEmpty
  if (emptyValue === nullValue || emptyValue === quotedEmpty) return emptyValue
  if (emptyValue !== '') return fieldText(emptyValue, format)
  return format.quoteAll && (nullValue !== quotedEmpty || csvEmptyIsNull(format)) ? quotedEmpty : ''
}

/** Of a file with one column: what would be an empty line, and could not be told from the null value otherwise. */
const emptyLines = (format: CsvExportOptions, [column]: readonly Column[]): Refusal[] => {
  const { quote, nullValue } = format
  if (
    !column ||
    emptyText(ofColumn(format, column), true) !== '' ||
    (quote !== '' && nullValue !== quotedEmpty)
  )
    return []
  if (!mayBeEmpty(column.type) && nullValue !== '') return []
  const text = `(${csvValue(column.type, quoteIdentifier(column.name), format)})::VARCHAR`
  return [
    {
      column: column.name,
      condition: nullValue === '' ? `coalesce(${text}, '') = ''` : `${text} = ''`,
      why: 'would be an empty line, as it is the only column',
      hint:
        quote === ''
          ? 'Write with a quote, or choose a null value and an empty value.'
          : 'Choose an empty value.',
    },
  ]
}

/** What the escape character stands before within quotes: itself first. */
const escapedCharacters = (format: CsvExportOptions): readonly string[] => [
  ...new Set([format.escape, format.quote]),
]

const needsQuote = (text: string, format: CsvExportOptions): string => {
  const special = [format.delimiter, ...escapedCharacters(format)].map(quoteText)
  return [
    `${text} = ${quoteText(format.nullValue)}`,
    ...[...special, 'chr(10)', 'chr(13)'].map((character) => `contains(${text}, ${character})`),
  ].join(' OR ')
}

const quoted = (text: string, format: CsvExportOptions): string => {
  const quote = quoteText(format.quote)
  const escaped = escapedCharacters(format).reduce(
    (sql, character) => `replace(${sql}, ${quoteText(character)}, ${quoteText(format.escape + character)})`,
    text,
  )
  return `${quote} || ${escaped} || ${quote}`
}

/** A name, or a text of the options, as it stands in a field. */
const fieldText = (name: string, format: CsvExportOptions): string => {
  const { quote, quoteAll } = format
  const characters = escapedCharacters(format)
  const special = [format.delimiter, ...characters, '\n', '\r'].some((character) => name.includes(character))
  if (quote === '' || !(quoteAll || special || name === format.nullValue)) return name
  const escaped = characters.reduce(
    (text, character) => text.replaceAll(character, format.escape + character),
    name,
  )
  return quote + escaped + quote
}
