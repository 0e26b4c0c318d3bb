import {
  ConnectorError,
  csvEmptyIsNull,
  csvExportOptions,
  csvOptionIssues,
  type ExportFormat,
  type FileLayout,
} from '@penstock/core'
import { z } from 'zod'
import { defaultFileName } from './template/key-template.ts'

/** Names and encryption: of a connection as the default of all exports, or of one export. */
export const namingFields = {
  folder: z
    .string()
    .optional()
    .meta({
      title: 'Folder',
      description: 'Folder of the files below the prefix, with macros; a file name follows',
      examples: ['exports/%SEGMENT_NAME%', 'sales/{year}/{month}'],
    }),
  fileName: z
    .string()
    .optional()
    .meta({
      title: 'File name',
      description: `Name of the files, with macros; the extension follows by itself (default ${defaultFileName})`,
      examples: ['{stream_name}_{date_time}', '%DESTINATION%_%SEGMENT_NAME%_%TIMESTAMP%'],
    }),
  keyTemplate: z
    .string()
    .optional()
    .meta({
      title: 'Key template',
      description: 'Folder and file name in one, below the prefix, with macros',
      examples: ['{stream_name}/{iso_date}/{stream_name}_{part}.{extension}'],
    }),
  customText: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'Custom text', description: 'Text of the macro %CUSTOM_TEXT%', examples: ['eu'] }),
  publicKey: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'OpenPGP public key',
      description:
        'Encrypts each file for this key, and adds .gpg to its name: ASCII-armoured or base64, or a reference to a file with it',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the project file's own notation
      examples: ['${file:partner.asc}'],
    }),
} as const

const character = (text: string): string => ({ tab: '\t', '\\t': '\t' })[text] ?? text

/** Options of CSV files; each has the default of `csvExportOptions`. */
const csvFields = {
  delimiter: z
    .string()
    .overwrite(character)
    .regex(/^.$/su, 'must be exactly one character, or tab')
    .optional()
    .meta({
      title: 'Delimiter',
      description: 'Field delimiter of CSV (default ,)',
      examples: [';', 'tab', '|'],
    }),
  quote: z
    .enum(['"', 'none'])
    .optional()
    .meta({ title: 'Quote', description: 'Quote character of CSV (default ")', examples: ['none'] }),
  escape: csvExportOptions.shape.escape
    .unwrap()
    .optional()
    .meta({ title: 'Escape', description: 'Escape character inside quotes of CSV (default ")' }),
  quoteAll: z
    .boolean()
    .optional()
    .meta({ title: 'Quote all', description: 'Quote every field of CSV (default: where it is needed)' }),
  header: z
    .boolean()
    .optional()
    .meta({ title: 'Header', description: 'Write the column names first (default true)', examples: [false] }),
  nullValue: z
    .string()
    .optional()
    .meta({
      title: 'Null value',
      description: 'Text that stands for null in CSV (default: an empty field)',
      examples: ['NULL', '\\N'],
    }),
  emptyValue: z
    .string()
    .optional()
    .meta({ title: 'Empty value', description: 'Text that stands for an empty text in CSV (default "")' }),
  dateFormat: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Date format',
      description: 'strftime format of dates in CSV (default ISO 8601)',
      examples: ['%d.%m.%Y'],
    }),
  timestampFormat: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'Timestamp format',
      description: 'strftime format of timestamps in CSV (default ISO 8601)',
      examples: ['%Y-%m-%dT%H:%M:%S'],
    }),
  encoding: csvExportOptions.shape.encoding
    .unwrap()
    .optional()
    .meta({ title: 'Encoding', description: 'Text encoding of CSV (default utf-8)' }),
  lineSeparator: csvExportOptions.shape.lineSeparator
    .unwrap()
    .optional()
    .meta({ title: 'Line separator', description: 'End of a line of CSV (default lf)' }),
} as const

const csvNames = Object.keys(csvFields) as readonly (keyof typeof csvFields)[]

/** Options of one export. */
export const options = z
  .strictObject({
    fileType: z
      .enum(['csv', 'json', 'parquet'])
      .default('csv')
      .meta({ title: 'File type', description: 'csv, json (one object a line) or parquet' }),
    compression: z
      .enum(['none', 'gzip', 'zstd', 'snappy'])
      .optional()
      .meta({
        title: 'Compression',
        description: 'none, gzip or zstd; of Parquet also snappy (default: none, of Parquet snappy)',
        examples: ['gzip'],
      }),
    ...namingFields,
    maxRows: z
      .int()
      .min(1)
      .optional()
      .meta({
        title: 'Rows of a file',
        description:
          'Rows of one file at most; further files are name_2, name_3 (default 5,000,000 for csv and json)',
        examples: [1_000_000],
      }),
    maxBytes: z
      .int()
      .min(1)
      .optional()
      .meta({
        title: 'Bytes of a file',
        description: 'Bytes of one file, about (default: no limit)',
        examples: [268_435_456],
      }),
    partitionBy: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .meta({
        title: 'Partition by',
        description: 'Columns that become key=value folders and leave the files',
        examples: [['country', 'day']],
      }),
    manifest: z
      .boolean()
      .default(false)
      .meta({ title: 'Manifest', description: 'Write a JSON file last that lists all files of the run' }),
    empty: z.enum(['header', 'nothing']).default('header').meta({
      title: 'Empty export',
      description: 'Of a stream without rows write a file with its header alone, or nothing',
    }),
    ...csvFields,
  })
  .superRefine((given, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if (given.compression === 'snappy' && given.fileType !== 'parquet')
      issue('compression', 'snappy is for parquet: choose none, gzip or zstd')
    if (given.fileType === 'csv') {
      const csv = csvExportOptions.safeParse(csvOf(given))
      for (const { field, message, hint } of csv.success ? csvOptionIssues(csv.data) : [])
        issue(field, `${message} ${hint}`)
      return
    }
    for (const name of csvNames)
      if (given[name] !== undefined)
        issue(name, `is an option of csv, and the file type is ${given.fileType}`)
  })

export type S3ExportOptions = z.output<typeof options>
export type S3ExportOptionsInput = z.input<typeof options>

/** The options of CSV among those of an export. */
const csvOf = (given: Readonly<Partial<Record<keyof typeof csvFields, unknown>>>) => ({
  ...Object.fromEntries(csvNames.map((name) => [name, given[name]])),
  ...(given.quote === 'none' ? { quote: '' } : {}),
})

const defaultMaxRows = 5_000_000

const formatOf = (given: S3ExportOptions): ExportFormat => {
  const { fileType, compression } = given
  if (fileType === 'parquet') return { type: 'parquet', compression: compression ?? 'snappy' }
  const plain = compression ?? 'none'
  // Refused by the schema; here for the type.
  if (plain === 'snappy') throw new ConnectorError('config', 'snappy is for parquet.')
  if (fileType === 'json') return { type: 'ndjson', compression: plain }
  return { type: 'csv', compression: plain, ...csvExportOptions.parse(csvOf(given)) }
}

/** How the engine cuts and writes the files. */
export const layoutOf = (given: S3ExportOptions): FileLayout => {
  const maxRows = given.maxRows ?? (given.fileType === 'parquet' ? undefined : defaultMaxRows)
  return {
    format: formatOf(given),
    empty: given.empty,
    ...(maxRows === undefined ? {} : { maxRows }),
    ...(given.maxBytes === undefined ? {} : { maxBytes: given.maxBytes }),
    ...(given.partitionBy === undefined ? {} : { partitionBy: given.partitionBy }),
  }
}

/** What an export is told of options that are allowed and lose something; undefined for all others. */
export const lossWarning = (given: S3ExportOptions): string | undefined => {
  const format = formatOf(given)
  return format.type === 'csv' && csvEmptyIsNull(format)
    ? 'Null and empty texts are written alike: no reader can tell them apart.'
    : undefined
}

/** `csv`, `csv.gz`, `jsonl.zst`, `parquet`: Parquet compresses inside of the file. */
export const extensionOf = (given: S3ExportOptions): string => {
  const { fileType, compression = 'none' } = given
  if (fileType === 'parquet') return 'parquet'
  const suffix = { none: '', gzip: '.gz', zstd: '.zst', snappy: '' }[compression]
  return `${fileType === 'json' ? 'jsonl' : 'csv'}${suffix}`
}
