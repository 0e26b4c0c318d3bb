import { compressions, csvOptions } from '@penstock/core'
import { z } from 'zod'

const csv = csvOptions.shape

/** File types that a user can name; `tsv` is CSV with tabs. */
const formatNames = ['csv', 'tsv', 'json', 'ndjson', 'parquet'] as const
export type FormatName = (typeof formatNames)[number]

/** Names of the selection's fields that hold for CSV and TSV alone. */
export const csvFields = [
  'delimiter',
  'header',
  'quote',
  'escape',
  'comment',
  'encoding',
  'nullStrings',
  'dateFormat',
  'timestampFormat',
  'skipLines',
  'lineEnds',
] as const satisfies readonly (keyof typeof csv)[]

const time = z.iso.datetime({ offset: true }).or(z.iso.date())

const fields = {
  object: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .meta({
      title: 'Object',
      description: 'Key of an object; several become a table each',
      examples: ['crm/customers.csv', ['crm/customers.csv', 'crm/regions.csv']],
    }),
  folder: z
    .string()
    .optional()
    .meta({
      title: 'Folder',
      description: 'Prefix whose objects become one table; / is the whole bucket',
      examples: ['shop/orders/'],
    }),
  glob: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Glob',
      description: 'Keys by pattern: *, **, ?, [a-z], {a,b}; (*) captures a part for the table name',
      examples: ['shop/orders/**/*.csv.gz', 'exports/(*)/*.csv'],
    }),
  table: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Table',
      description:
        'Name of the table; {1}, {name} (captures), {file} and {folder} make one table for each value',
      examples: ['orders', '{1}', 'raw_{folder}'],
    }),
  pattern: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Pattern',
      description: 'Regular expression that a key has to match; named groups can be used in the table name',
      examples: ['^exports/(?<table>[^/]+)/\\d{8}\\.csv$'],
    }),
  exclude: z
    .union([z.string().min(1), z.array(z.string().min(1))])
    .optional()
    .meta({
      title: 'Exclude',
      description: 'Globs of keys to leave out; one without a slash is held against the file name alone',
      examples: ['*.tmp', ['_*', 'shop/orders/archive/**']],
    }),
  recursive: z
    .boolean()
    .default(true)
    .meta({ title: 'Recursive', description: 'Whether folders below the folder belong to it' }),
  partitions: z
    .boolean()
    .default(true)
    .meta({ title: 'Partitions', description: 'Whether key=value/ folders become columns' }),
  format: z
    .enum(formatNames)
    .optional()
    .meta({ title: 'Format', description: 'File type, where the extension does not tell it or is wrong' }),
  compression: z.enum(compressions).optional().meta({
    title: 'Compression',
    description: 'Compression, where the extension does not tell it or is wrong',
  }),
  delimiter: csv.delimiter.meta({
    title: 'Delimiter',
    description: 'CSV: field delimiter; \\t is a tab; detected when absent',
    examples: [',', ';', '\\t', '|'],
  }),
  header: csv.header.meta({
    title: 'Header',
    description: 'CSV: whether the first line names the columns; detected when absent',
  }),
  quote: csv.quote.meta({
    title: 'Quote',
    description: 'CSV: quote character; empty for none',
    examples: ['"'],
  }),
  escape: csv.escape.meta({
    title: 'Escape',
    description: 'CSV: escape character inside quotes (default: the quote)',
    examples: ['\\'],
  }),
  comment: csv.comment.meta({
    title: 'Comment',
    description: 'CSV: lines that begin with it are skipped',
    examples: ['#'],
  }),
  encoding: csv.encoding.meta({
    title: 'Encoding',
    description: 'CSV: text encoding; a byte order mark decides when absent',
  }),
  nullStrings: csv.nullStrings.meta({
    title: 'Null strings',
    description: 'CSV: texts that mean null (default: an empty unquoted field)',
    examples: [['NULL', '\\N']],
  }),
  dateFormat: csv.dateFormat.meta({
    title: 'Date format',
    description: 'CSV: strptime format of dates',
    examples: ['%d.%m.%Y'],
  }),
  timestampFormat: csv.timestampFormat.meta({
    title: 'Timestamp format',
    description: 'CSV: strptime format of timestamps',
    examples: ['%d.%m.%Y %H:%M'],
  }),
  skipLines: csv.skipLines.meta({
    title: 'Skip lines',
    description: 'CSV: lines to skip before the header',
    examples: [2],
  }),
  lineEnds: csv.lineEnds.meta({
    title: 'Line ends',
    description: 'CSV: mixed where lines of one file end in several ways; a load finds out by itself',
    examples: ['mixed'],
  }),
  modifiedAfter: time.optional().meta({
    title: 'Modified after',
    description:
      'Only objects that were modified at or after this time (ISO 8601; UTC where it names no zone)',
    examples: ['2025-04-14', '2025-04-14T06:00:00Z'],
  }),
  modifiedBefore: time.optional().meta({
    title: 'Modified before',
    description: 'Only objects that were modified before this time',
    examples: ['2025-05-01T00:00:00Z'],
  }),
  maxObjects: z
    .int()
    .min(1)
    .optional()
    .meta({
      title: 'Max objects',
      description: 'At most that many objects for each table: a try-out',
      examples: [3],
    }),
  allowEmpty: z
    .boolean()
    .default(false)
    .meta({ title: 'Allow empty', description: 'Whether it is fine that nothing matches' }),
}

/**
 * What to extract, as fields of a pipeline in penstock.yaml and as flags. Exactly one of `object`, `folder` and `glob`
 * chooses the objects; all other fields narrow, name or describe them.
 */
export const selection = z.strictObject(fields).check(({ value, issues }) => {
  const add = (path: string, message: string) =>
    issues.push({ code: 'custom', input: value, path: [path], message })
  const chosen = (['object', 'folder', 'glob'] as const).filter((name) => value[name] !== undefined)
  if (chosen.length === 0) add('folder', 'choose objects by one of object, folder and glob')
  if (chosen.length > 1) add(chosen[1] as string, `give only one of ${chosen.join(', ')}`)
  if (!value.recursive && value.folder === undefined) add('recursive', 'goes with folder alone')
  if (value.format !== undefined && value.format !== 'csv' && value.format !== 'tsv')
    for (const name of csvFields)
      if (value[name] !== undefined) add(name, `goes with CSV alone, and the format is ${value.format}`)
  if (value.format === 'parquet' && value.compression !== undefined && value.compression !== 'none')
    add('compression', 'Parquet files carry their own compression')
  const { modifiedAfter, modifiedBefore } = value
  if (modifiedAfter !== undefined && modifiedBefore !== undefined)
    if (Date.parse(modifiedAfter) >= Date.parse(modifiedBefore))
      add('modifiedBefore', 'is not later than modifiedAfter, so nothing can match')
})

export type Selection = z.output<typeof selection>
export type SelectionInput = z.input<typeof selection>
