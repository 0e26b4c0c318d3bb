import type { GlueStorage, S3Entry } from '@penstock/aws'
import {
  type CatalogTable,
  type CatalogTableDetails,
  type Column,
  type ColumnPath,
  ConnectorError,
  type LogicalType,
  type Scan,
  type ScanColumn,
  type ScanFile,
  type ScanRequest,
  type TableVersion,
  type ZeroCopyTable,
} from '@penstock/core'
import type { LoadedTable } from '../catalogs/catalog.ts'
import type { TableFiles } from '../files.ts'
import { expectedFolder } from './expected-folder.ts'
import { fileFormat, type HiveFormat, hiveFormat } from './format.ts'
import { listAhead, listPartitions, listSome } from './listing.ts'
import { matchingPartitions, type Partition } from './partitions.ts'
import { mustMatch, type PartitionValues } from './prune.ts'
import { parseHiveType } from './types.ts'

type HiveTable = Extract<LoadedTable, { kind: 'hive' }>

interface Opened {
  readonly loaded: HiveTable
  readonly files: TableFiles
  readonly format: HiveFormat
  readonly columns: readonly Column[]
  readonly keys: ReadonlyMap<string, LogicalType>
}

/** A table in the manner of Hive: the files below its location, or below those of its partitions. */
export const openHiveTable = (
  place: CatalogTable,
  loaded: HiveTable,
  files: TableFiles,
  at: TableVersion | undefined,
): ZeroCopyTable => {
  const { table } = loaded
  if (at)
    throw new ConnectorError(
      'config',
      `Table ${[...place.namespace, place.name].join('.')} has no versions.`,
      {
        code: 'NoTimeTravel',
        hint: 'Only Iceberg tables keep former states.',
      },
    )
  const columnOf = ({ name, type, comment }: GlueStorage['columns'][number]): Column => ({
    name,
    type: parseHiveType(type),
    nullable: true,
    ...(comment === undefined ? {} : { description: comment }),
  })
  const partitionColumns = table.partitionKeys.map(columnOf)
  const opened: Opened = {
    loaded,
    files,
    format: hiveFormat(table) ?? 'parquet',
    columns: [...table.storage.columns.map(columnOf), ...partitionColumns],
    keys: new Map(partitionColumns.map(({ name, type }) => [name, type])),
  }
  return Object.freeze({
    namespace: place.namespace,
    name: place.name,
    schema: { columns: opened.columns },
    scan: (request) => scanHive(opened, request),
    details: ({ signal }) => hiveDetails(opened, signal),
  } satisfies ZeroCopyTable)
}

type FileScan = Extract<Scan, { readonly kind: 'files' }>

const scanHive = async (opened: Opened, request: ScanRequest): Promise<FileScan> => {
  const { filter, limit, explain = false, signal } = request
  const someAreEnough = limit !== undefined
  const folder = expectedFolder(opened.loaded.table.storage.location, opened.keys, filter)
  const ahead = folder === undefined ? undefined : listAhead(opened.files, folder, signal)
  const matching = { filter, counted: explain, someAreEnough, signal }
  const { partitions, skipped, expression } = await matchingPartitions(
    opened.loaded,
    opened.keys,
    matching,
  ).catch((error: unknown) => {
    ahead?.stop()
    throw error
  })
  const list = someAreEnough ? listSome : listPartitions
  const { listed, requests } = await list(opened.files, partitions, signal, ahead)
  const files = listed.flatMap(({ partition, entries }) =>
    entries.map((entry) => scanFile(opened, partition, entry, request)),
  )
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0)
  const all = () => scanHive(opened, { columns: request.columns, signal, explain, ...(filter && { filter }) })
  if (someAreEnough && files.length === 0) return all()
  const left = partitions.length - listed.filter(({ entries }) => entries.length > 0).length
  const glue = `Glue left out partitions that do not fulfil ${expression}; it does not count them, and bytesTotal is without them.`
  return {
    kind: 'files',
    files,
    ...(someAreEnough && { more: all }),
    receipt: {
      manifests: 0,
      manifestsSkipped: 0,
      files: files.length,
      filesSkipped: 0,
      deleteFiles: 0,
      bytesTotal: bytes,
      metadataRequests: requests,
      metadataBytes: 0,
      skipped: {
        ...(skipped > 0 && { partition: skipped }),
        ...(someAreEnough && left > 0 && { limit: left }),
      },
      ...(expression !== undefined && { notes: [glue] }),
    },
  }
}

const scanFile = (
  { loaded, files, columns, keys }: Opened,
  { storage, values }: Partition,
  entry: S3Entry,
  { columns: wanted, filter }: ScanRequest,
): ScanFile => {
  const format = partitionFormat(storage, entry)
  return {
    file: files.listed(entry),
    format: fileFormat(format, storage, loaded.table, entry.key),
    columns: wanted.map((path) => scanColumn(path, columns, keys, { format, storage, values })),
    deletes: [],
    residual: filter !== undefined && !mustMatch(filter, values),
  }
}

/** A partition may have another SerDe than its table: one from before the table's was changed. */
const partitionFormat = (storage: GlueStorage, { container, key }: S3Entry): HiveFormat => {
  const format = hiveFormat({ storage })
  if (format !== undefined) return format
  const object = `s3://${container}/${key}`
  throw new ConnectorError(
    'data',
    `The partition of ${object} can't be read: its SerDe is ${storage.serde}.`,
    {
      code: 'UnsupportedTable',
      hint: 'Leave its partition out with a condition on the partition columns, or write it anew in the format of the table.',
      place: { object },
    },
  )
}

const scanColumn = (
  [name]: ColumnPath,
  columns: readonly Column[],
  keys: ReadonlyMap<string, LogicalType>,
  { format, storage, values }: { format: HiveFormat; storage: GlueStorage; values: PartitionValues },
): ScanColumn => {
  const index = columns.findIndex((column) => column.name === name)
  const column = columns[index]
  if (!column) throw new ConnectorError('internal', `The table has no column ${name}.`)
  const { type } = column
  if (keys.has(name)) return { name, type, source: { from: 'constant', value: values.get(name) ?? null } }
  if (format === 'csv') return { name, type, source: { from: 'position', index } }
  const stored = format === 'json' ? (storage.serdeParameters[`mapping.${name}`] ?? name) : name
  return { name, type, source: { from: 'name', name: stored }, ...childrenOf(type) }
}

/** Parts of a nested type, which files have by the same names. */
const childrenOf = (type: LogicalType): { children?: readonly ScanColumn[] } => {
  const parts: readonly (readonly [string, LogicalType])[] =
    type.type === 'struct'
      ? type.fields.map((field) => [field.name, field.type] as const)
      : type.type === 'list'
        ? [['element', type.element]]
        : type.type === 'map'
          ? [
              ['key', type.key],
              ['value', type.value],
            ]
          : []
  if (parts.length === 0) return {}
  return {
    children: parts.map(([name, part]) => ({
      name,
      type: part,
      source: { from: 'name', name },
      ...childrenOf(part),
    })),
  }
}

const hiveDetails = async (opened: Opened, signal: AbortSignal): Promise<CatalogTableDetails> => {
  const { table } = opened.loaded
  const scan = await scanHive(opened, { columns: [], signal })
  const { files } = scan
  return {
    format: opened.format,
    ...(table.storage.location === undefined ? {} : { location: table.storage.location }),
    partitions: table.partitionKeys.map(({ name }) => ({ name, transform: 'identity', column: name })),
    snapshots: [],
    refs: [],
    files: files.length,
    bytes: files.reduce((sum, { file }) => sum + file.size, 0),
    properties: table.parameters,
  }
}
