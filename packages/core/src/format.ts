import { z } from 'zod'

const oneCharacter = z.string().regex(/^.$/su, 'must be exactly one character')

/** Options of delimited text. Everything that is left out is detected from the file. */
export const csvOptions = z.strictObject({
  type: z.literal('csv'),
  delimiter: z.string().min(1).max(4).optional().describe('Field delimiter; detected when absent'),
  header: z.boolean().optional().describe('Whether the first line names the columns; detected when absent'),
  quote: oneCharacter.or(z.literal('')).optional().describe('Quote character, empty for none (default ")'),
  escape: oneCharacter
    .or(z.literal(''))
    .optional()
    .describe('Escape character inside quotes (default: the quote)'),
  comment: oneCharacter.optional().describe('Lines that begin with it are skipped'),
  encoding: z
    .enum(['utf-8', 'utf-16', 'latin-1'])
    .optional()
    .describe('Text encoding; a byte order mark decides when absent'),
  nullStrings: z
    .array(z.string())
    .optional()
    .describe('Texts that mean null (default: an empty unquoted field)'),
  dateFormat: z.string().min(1).optional().describe('strptime format of dates, such as %d.%m.%Y'),
  timestampFormat: z.string().min(1).optional().describe('strptime format of timestamps'),
  skipLines: z.int().min(0).optional().describe('Lines to skip before the header'),
  lineEnds: z
    .enum(['same', 'mixed'])
    .optional()
    .describe(
      'Whether the lines of one file end in several ways (LF, CR LF, CR); a load finds out by itself',
    ),
})

export const compressions = ['none', 'gzip', 'zstd'] as const
export type Compression = (typeof compressions)[number]

export type CsvFormat = z.output<typeof csvOptions> & { readonly compression: Compression }
export type FileFormat =
  | CsvFormat
  /** `ndjson`: one object a line; `json`: one array of objects, or one object. */
  | { readonly type: 'ndjson' | 'json' | 'parquet'; readonly compression: Compression }
export type FileType = FileFormat['type']

const compressionSuffixes: Record<string, Compression> = {
  gz: 'gzip',
  gzip: 'gzip',
  zst: 'zstd',
  zstd: 'zstd',
}
const typeSuffixes: Record<string, { type: FileType; delimiter?: string }> = {
  csv: { type: 'csv' },
  txt: { type: 'csv' },
  tsv: { type: 'csv', delimiter: '\t' },
  tab: { type: 'csv', delimiter: '\t' },
  json: { type: 'json' },
  ndjson: { type: 'ndjson' },
  jsonl: { type: 'ndjson' },
  parquet: { type: 'parquet' },
  pq: { type: 'parquet' },
}

/** Compression by the key's last suffix: `a.csv.gz` is gzip. */
export const detectCompression = (key: string): Compression =>
  compressionSuffixes[/\.([^./]+)$/.exec(key.toLowerCase())?.[1] ?? ''] ?? 'none'

const withoutCompression = (key: string): string =>
  detectCompression(key) === 'none' ? key : key.replace(/\.[^./]+$/, '')

/** Format by the key's suffixes (`a.csv.gz`: csv, gzip), or undefined where they say nothing. */
export const detectFormat = (key: string): FileFormat | undefined => {
  const suffix = /\.([^./]+)$/.exec(withoutCompression(key).toLowerCase())?.[1] ?? ''
  const found = typeSuffixes[suffix]
  return found && ({ ...found, compression: detectCompression(key) } as FileFormat)
}

/** Last segment of the key without format and compression suffixes: the name of the table that the file becomes. */
export const fileStem = (key: string): string => {
  const name =
    withoutCompression(key)
      .split('/')
      .findLast((segment) => segment !== '') ?? key
  return detectFormat(key) ? name.replace(/\.[^.]+$/, '') || name : name
}
