import type { GluePartition, GlueStorage, S3Entry } from '@penstock/aws'
import {
  type CatalogTable,
  type CatalogTableDetails,
  type Column,
  type ColumnPath,
  ConnectorError,
  type LogicalType,
  type Predicate,
  type Scan,
  type ScanColumn,
  type ScanFile,
  type ScanRequest,
  type TableVersion,
  type ZeroCopyTable,
} from '@penstock/core'
import type { LoadedTable } from '../catalogs/catalog.ts'
import type { TableFiles } from '../files.ts'
import { partitionExpression } from './expression.ts'
import { fileFormat, type HiveFormat, hiveFormat } from './format.ts'
import { mayMatch, mustMatch, type PartitionValues } from './prune.ts'
import { parseHiveType } from './types.ts'
import { partitionValue } from './values.ts'

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

/** One group of files that share the values of the partition columns. */
interface Partition {
  readonly storage: GlueStorage
  readonly values: PartitionValues
}

const scanHive = async (opened: Opened, request: ScanRequest): Promise<Scan> => {
  const { filter, signal } = request
  const partitions: Partition[] = []
  let skipped = 0
  for await (const partition of partitionsOf(opened, filter, signal)) {
    if (!filter || mayMatch(filter, partition.values)) partitions.push(partition)
    else skipped++
  }
  const files: ScanFile[] = []
  let bytes = 0
  let requests = 0
  for await (const { partition, entries } of listings(opened, partitions, signal)) {
    requests++
    for (const entry of entries) {
      files.push(scanFile(opened, partition, entry, request))
      bytes += entry.size
    }
  }
  return {
    kind: 'files',
    files,
    receipt: {
      manifests: 0,
      manifestsSkipped: 0,
      files: files.length,
      filesSkipped: 0,
      deleteFiles: 0,
      bytesTotal: bytes,
      metadataRequests: requests,
      metadataBytes: 0,
      skipped: skipped > 0 ? { partition: skipped } : {},
    },
  }
}

async function* partitionsOf(
  { loaded, keys }: Opened,
  filter: Predicate | undefined,
  signal: AbortSignal,
): AsyncGenerator<Partition> {
  const { table } = loaded
  if (keys.size === 0) {
    yield { storage: table.storage, values: new Map() }
    return
  }
  const pages = pagesOf(loaded, partitionExpression(filter, keys), signal)
  for await (const page of pages)
    for (const { values, storage } of page) {
      const named = [...keys].map(([name, type], index) => {
        const text = values[index]
        return [name, text === undefined ? null : partitionValue(text, type, name)] as const
      })
      // What GetPartitions leaves out is that of the table; its columns are asked to be left out.
      yield {
        storage: { ...table.storage, ...storage, columns: table.storage.columns },
        values: new Map(named),
      }
    }
}

/** An expression that Glue refuses costs a listing of all, not the query: partitions with odd values are a known case. */
async function* pagesOf(
  { partitions }: HiveTable,
  expression: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly GluePartition[]> {
  let begun = false
  try {
    for await (const page of partitions({ expression, signal })) {
      begun = true
      yield page
    }
  } catch (error) {
    const refused = ConnectorError.isInstance(error) && error.code === 'InvalidInputException'
    if (!refused || expression === undefined || begun) throw error
    yield* partitions({ expression: undefined, signal })
  }
}

/** Partitions that are listed at the same time. */
const listingsAhead = 8

async function* listings(
  { files }: Opened,
  partitions: readonly Partition[],
  signal: AbortSignal,
): AsyncGenerator<{ readonly partition: Partition; readonly entries: readonly S3Entry[] }> {
  const list = async (partition: Partition) => {
    const entries: S3Entry[] = []
    const { location } = partition.storage
    if (location !== undefined)
      for await (const page of files.list(location, { signal })) entries.push(...page.filter(isData))
    return { partition, entries }
  }
  const pending: ReturnType<typeof list>[] = []
  let next = 0
  for (;;) {
    while (pending.length < listingsAhead && next < partitions.length) {
      const listing = list(partitions[next++] as Partition)
      // A failure is thrown where it is awaited; until then it must not end the process.
      listing.catch(() => {})
      pending.push(listing)
    }
    const first = pending.shift()
    if (!first) return
    yield await first
  }
}

/** Hive passes over files whose names begin with `_` or `.`, and over folder markers. */
const isData = ({ key, size }: S3Entry): boolean => size > 0 && !/(^|\/)[_.][^/]*$|_\$folder\$$/.test(key)

const scanFile = (
  { loaded, files, format, columns, keys }: Opened,
  { storage, values }: Partition,
  entry: S3Entry,
  { columns: wanted, filter }: ScanRequest,
): ScanFile => ({
  file: files.listed(entry),
  format: fileFormat(format, storage, loaded.table, entry.key),
  columns: wanted.map((path) => scanColumn(path, columns, keys, { format, storage, values })),
  deletes: [],
  residual: filter !== undefined && !mustMatch(filter, values),
})

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
  const files = scan.kind === 'files' ? scan.files : []
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
