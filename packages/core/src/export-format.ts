import { z } from 'zod'
import { ConnectorError } from './errors.ts'

const oneCharacter = z.string().regex(/^.$/su, 'must be exactly one character')

/** Options of delimited text that is written. */
export const csvExportOptions = z.strictObject({
  delimiter: oneCharacter.default(',').describe('Field delimiter'),
  quote: z.enum(['"', '']).default('"').describe('Quote character, empty for none'),
  escape: z.enum(['"', '\\', "'"]).default('"').describe('Escape character inside quotes'),
  quoteAll: z.boolean().default(false).describe('Quote every field'),
  header: z.boolean().default(true).describe('Write the column names first'),
  nullValue: z.string().default('').describe('Text that stands for null'),
  emptyValue: z.string().optional().describe('Text that stands for an empty text (default: "" in quotes)'),
  dateFormat: z.string().min(1).optional().describe('strftime format of dates (default ISO 8601)'),
  timestampFormat: z.string().min(1).optional().describe('strftime format of timestamps (default ISO 8601)'),
  encoding: z.enum(['utf-8', 'utf-16']).default('utf-8').describe('Text encoding'),
  lineSeparator: z.enum(['lf', 'crlf']).default('lf').describe('End of a line'),
  binary: z.enum(['base64', 'hex']).default('base64').describe('Text of bytes; hex begins with \\x'),
  lists: z
    .enum(['json', 'braces'])
    .default('json')
    .describe('Text of a list of scalars; braces: {"a","b",NULL}, as PostgreSQL has it'),
})

export type CsvExportOptions = z.output<typeof csvExportOptions>

/** A text as a quoted empty one has it: as a null value or an empty value it stands there as it is. */
const quotedEmpty = '""'

/** What is wrong with options of CSV, and the way out. */
export interface CsvOptionIssue {
  readonly field: keyof CsvExportOptions
  readonly message: string
  readonly hint: string
}

/**
 * Options of CSV that can't be written, or that would write a null and an empty text alike without anybody having said
 * so: `emptyValue` says so.
 */
export const csvOptionIssues = (format: CsvExportOptions): readonly CsvOptionIssue[] => {
  const { delimiter, quote, quoteAll, nullValue, emptyValue } = format
  const breaks = (text: string) => text.includes(delimiter) || /[\r\n]/.test(text)
  const issues: (CsvOptionIssue | false)[] = [
    '\0\r\n'.includes(delimiter) && {
      field: 'delimiter',
      message: 'The delimiter must not be a line break.',
      hint: 'Choose , ; | : or a tab.',
    },
    (delimiter === quote || (quote !== '' && delimiter === format.escape)) && {
      field: 'delimiter',
      message: 'Delimiter, quote and escape have to be different characters.',
      hint: 'Choose another delimiter.',
    },
    quote === '' &&
      quoteAll && {
        field: 'quoteAll',
        message: 'Every field can not be quoted without a quote.',
        hint: 'Leave one of the two out.',
      },
    nullValue !== quotedEmpty &&
      ((quote !== '' && nullValue.includes(quote)) || breaks(nullValue)) && {
        field: 'nullValue',
        message: 'The null value must not hold the delimiter, the quote or a line break.',
        hint: 'Take an empty one, or "" as a whole.',
      },
    quote === '' &&
      emptyValue !== undefined &&
      breaks(emptyValue) && {
        field: 'emptyValue',
        message: 'Without a quote the empty value must not hold the delimiter or a line break.',
        hint: 'Choose another empty value, or write with a quote.',
      },
    quoteAll &&
      nullValue === quotedEmpty &&
      emptyValue === undefined && {
        field: 'nullValue',
        message: 'With all fields in quotes an empty text is "" as well: it could not be told from null.',
        hint: 'Choose another null value, or an empty value. To have both alike, make the empty value "" as well.',
      },
  ]
  return issues.filter((issue) => issue !== false)
}

/** True where the empty value was chosen so that a null and an empty text are written alike. */
export const csvEmptyIsNull = ({ quoteAll, nullValue, emptyValue }: CsvExportOptions): boolean =>
  emptyValue !== undefined &&
  (emptyValue === nullValue || (quoteAll && nullValue === quotedEmpty && emptyValue === ''))

/** Throws a `config` error for a column whose name the header can't hold, as there is no quote. */
export const requireCsvNames = (
  { quote, header, delimiter }: CsvExportOptions,
  names: readonly string[],
): void => {
  if (quote !== '' || !header) return
  const column = names.find((name) => name.includes(delimiter) || /[\r\n]/.test(name))
  if (column === undefined) return
  throw new ConnectorError(
    'config',
    `The header can't hold the name of column ${JSON.stringify(column)}: it has the delimiter or a line break, and there is no quote.`,
    {
      code: 'CsvOptions',
      place: { column },
      hint: 'Write with a quote or without a header, choose another delimiter, or rename the column.',
    },
  )
}

/** How the files of an export are written. */
export type ExportFormat =
  | ({ readonly type: 'csv'; readonly compression: 'none' | 'gzip' | 'zstd' } & CsvExportOptions)
  /** One object a line. */
  | { readonly type: 'ndjson'; readonly compression: 'none' | 'gzip' | 'zstd' }
  | { readonly type: 'parquet'; readonly compression: 'none' | 'snappy' | 'zstd' | 'gzip' }

export const exportFileTypes = ['csv', 'ndjson', 'parquet'] as const
