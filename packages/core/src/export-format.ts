import { z } from 'zod'

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

/** How the files of an export are written. */
export type ExportFormat =
  | ({ readonly type: 'csv'; readonly compression: 'none' | 'gzip' | 'zstd' } & CsvExportOptions)
  /** One object a line. */
  | { readonly type: 'ndjson'; readonly compression: 'none' | 'gzip' | 'zstd' }
  | { readonly type: 'parquet'; readonly compression: 'none' | 'snappy' | 'zstd' | 'gzip' }

export const exportFileTypes = ['csv', 'ndjson', 'parquet'] as const
