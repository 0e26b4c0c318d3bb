import type { GlueStorage, GlueTable } from '@penstock/aws'
import { ConnectorError, detectCompression, type FileFormat } from '@penstock/core'

export type HiveFormat = 'parquet' | 'csv' | 'json'

/** Writers differ in the case of it. */
export const isIcebergTable = ({ parameters }: Pick<GlueTable, 'parameters'>): boolean =>
  parameters.table_type?.toUpperCase() === 'ICEBERG'

/** SerDes by their class, https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html */
const formats: readonly { readonly serde: RegExp; readonly format: HiveFormat }[] = [
  { serde: /ParquetHiveSerDe$/, format: 'parquet' },
  { serde: /(OpenCSVSerde|LazySimpleSerDe)$/, format: 'csv' },
  { serde: /JsonSerDe$/i, format: 'json' },
]

/** Format of the files, by the table's SerDe; undefined where it is none that can be read. */
export const hiveFormat = ({ storage }: Pick<GlueTable, 'storage'>): HiveFormat | undefined =>
  formats.find(({ serde }) => serde.test(storage.serde ?? ''))?.format

const otherFormats: readonly { readonly pattern: RegExp; readonly name: string }[] = [
  { pattern: /orc/i, name: 'ORC files' },
  { pattern: /avro/i, name: 'Avro files in the manner of Hive' },
  { pattern: /ion/i, name: 'Ion files' },
  { pattern: /regex|grok|cloudtrail/i, name: 'text files with a SerDe of their own' },
]

/** Why a table can't be read, undefined for one that can. */
export const unsupportedReason = (table: GlueTable): string | undefined => {
  const { parameters, storage, tableType } = table
  if (/VIEW/.test(tableType ?? '')) return 'it is a view'
  if (isIcebergTable(table)) return undefined
  const lake = [parameters.table_type, parameters['spark.sql.sources.provider'], parameters.classification]
  if (lake.some((text) => /^delta/i.test(text ?? ''))) return 'it is a Delta Lake table'
  if (lake.some((text) => /^hudi/i.test(text ?? '')) || /hudi/i.test(storage.inputFormat ?? ''))
    return 'it is a Hudi table'
  if (/^true$/i.test(parameters['projection.enabled'] ?? ''))
    return 'its partitions are projected, which Glue does not list'
  if (/Symlink/.test(storage.inputFormat ?? '')) return 'its files are named by a symlink manifest'
  if (/^true$/i.test(storage.serdeParameters['parquet.column.index.access'] ?? ''))
    return 'its Parquet columns go by position'
  if (hiveFormat(table) !== undefined) return undefined
  const serde = storage.serde ?? storage.inputFormat ?? parameters.classification ?? ''
  const known = otherFormats.find(({ pattern }) => pattern.test(serde))
  return known ? `it has ${known.name}` : `its SerDe is ${serde || 'not known'}`
}

/** How one file is read. Text files say their compression by their suffix. */
export const fileFormat = (
  format: HiveFormat,
  storage: GlueStorage,
  table: GlueTable,
  key: string,
): FileFormat => {
  if (format === 'parquet') return { type: 'parquet', compression: 'none' }
  const compression = textCompression(key)
  if (format === 'json') return { type: 'ndjson', compression }
  return { ...csvOptions(storage, table), type: 'csv', compression }
}

const textCompression = (key: string): FileFormat['compression'] => {
  const other = /\.(bz2|snappy|lz4|lzo|xz|zip|deflate)$/i.exec(key)?.[1]
  if (other === undefined) return detectCompression(key)
  throw new ConnectorError('data', `${key} is compressed with ${other}, which can't be read.`, {
    code: 'UnsupportedCompression',
    hint: 'Text files are read plain, with gzip or with zstd.',
  })
}

const csvOptions = ({ serde = '', serdeParameters: serdeOf }: GlueStorage, { parameters }: GlueTable) => {
  const open = /OpenCSVSerde$/.test(serde)
  const skipLines = Number(serdeOf['skip.header.line.count'] ?? parameters['skip.header.line.count'] ?? 0)
  const nulls = serdeOf['serialization.null.format'] ?? parameters['serialization.null.format']
  return {
    header: false,
    delimiter: open
      ? (serdeOf.separatorChar ?? ',')
      : (serdeOf['field.delim'] ?? serdeOf['serialization.format'] ?? '\x01'),
    quote: open ? (serdeOf.quoteChar ?? '"') : '',
    escape: open ? (serdeOf.escapeChar ?? '\\') : (serdeOf['escape.delim'] ?? ''),
    ...(skipLines > 0 ? { skipLines } : {}),
    // Hive's simple SerDe writes null as \N.
    nullStrings: nulls === undefined ? (open ? [''] : ['\\N']) : [nulls],
  }
}
