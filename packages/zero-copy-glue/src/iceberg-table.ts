import {
  type CatalogTable,
  type CatalogTableDetails,
  ConnectorError,
  type TableVersion,
  type ZeroCopyTable,
} from '@penstock/core'
import {
  describeTransform,
  type FileReader,
  parseTableMetadata,
  planScan,
  type SelectedVersion,
  selectVersion,
  type TableMetadata,
  tableSchemaOf,
} from '@penstock/iceberg'
import type { IcebergTable } from './catalogs/catalog.ts'

/** An Iceberg table at one version. */
export const openIcebergTable = async (
  place: CatalogTable,
  loaded: IcebergTable,
  reader: FileReader,
  options: {
    readonly at: TableVersion | undefined
    readonly scanFollows?: boolean | undefined
    readonly signal: AbortSignal
  },
): Promise<ZeroCopyTable> => {
  const name = [...place.namespace, place.name].join('.')
  const { bytes, metadataLocation } = await metadataOf(loaded, reader, name, options.signal)
  const metadata = parseTableMetadata(bytes, metadataLocation ?? `table ${name}`)
  const version = selectVersion(metadata, options.at)
  const files = neverChanging(
    options.scanFollows ? readAhead(reader, version.snapshot?.manifestList, options.signal) : reader,
    metadata.uuid,
  )
  return Object.freeze({
    namespace: place.namespace,
    name: place.name,
    schema: tableSchemaOf(version.schema),
    ...(metadata.uuid === undefined ? {} : { versionId: versionIdOf(metadata, version) }),
    scan: (request) => planScan({ metadata, version, reader: files, request }),
    details: async () => detailsOf(metadata, version),
  } satisfies ZeroCopyTable)
}

/** The metadata file; the one that is likely is read while what counts is on its way. */
const metadataOf = async (
  { confirmed, metadata, metadataLocation = '' }: IcebergTable,
  reader: FileReader,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly metadataLocation: string | undefined }> => {
  if (metadata) return { bytes: metadata, metadataLocation: undefined }
  const stop = new AbortController()
  const reading = reader.read(metadataLocation, { signal: AbortSignal.any([signal, stop.signal]) })
  reading.catch(() => {})
  try {
    const sure = await confirmed
    if (sure && sure.metadataLocation !== metadataLocation)
      return await metadataOf(sure, reader, name, signal)
    return { bytes: await reading, metadataLocation }
  } catch (error) {
    throw missingMetadata(error, name, metadataLocation)
  } finally {
    stop.abort()
  }
}

/** A file that every scan asks for, but one whose filter is a contradiction, is on its way before: the first who asks gets it. */
const readAhead = (reader: FileReader, ahead: string | undefined, signal: AbortSignal): FileReader => {
  if (ahead === undefined) return reader
  let isKept = false
  const onKept = () => {
    isKept = true
  }
  let reading: Promise<Uint8Array> | undefined = reader.read(ahead, { signal, onKept })
  reading.catch(() => {})
  return {
    open: reader.open,
    read: async (path, options) => {
      if (path !== ahead || !reading) return reader.read(path, options)
      const first = reading
      reading = undefined
      const bytes = await first
      options.signal.throwIfAborted()
      if (isKept) options.onKept?.()
      return bytes
    },
  }
}

/** Files of a table are written once, under names of their own: what was read of them can be kept. */
const neverChanging = (reader: FileReader, uuid: string | undefined): FileReader =>
  uuid === undefined
    ? reader
    : { read: reader.read, open: (path, size) => ({ ...reader.open(path, size), version: uuid }) }

/** Rows of a snapshot never change; the schema that they are shown with may. */
const versionIdOf = ({ uuid }: TableMetadata, { snapshot, schema }: SelectedVersion): string =>
  `${uuid}/${snapshot?.snapshotId ?? 'empty'}/${schema.schemaId}`

const missingMetadata = (error: unknown, table: string, location: string): unknown =>
  ConnectorError.isInstance(error) && error.kind === 'not-found'
    ? new ConnectorError('not-found', `The metadata file of table ${table} is gone: ${location}.`, {
        code: 'NoMetadataFile',
        hint: 'The catalog points at a file that is not there. Register the table again, or restore the file.',
        place: { object: location },
        cause: error,
      })
    : error

const detailsOf = (metadata: TableMetadata, { snapshot, schema }: SelectedVersion): CatalogTableDetails => {
  const names = new Map(schema.fields.map((field) => [field.id, field.name]))
  const spec = metadata.specs.get(metadata.defaultSpecId)
  const { totalDataFiles, totalFilesSize } = snapshot ?? {}
  return {
    format: `iceberg v${metadata.formatVersion}`,
    location: metadata.location,
    partitions: (spec?.fields ?? []).map(({ name, transform, sourceIds }) => ({
      name,
      transform: describeTransform(transform),
      column: sourceIds.map((id) => names.get(id) ?? `field ${id}`).join(', '),
    })),
    snapshots: metadata.snapshots.map(({ snapshotId, timestampMs, operation, totalRecords }) => ({
      id: snapshotId,
      timestamp: new Date(timestampMs),
      ...(operation === undefined ? {} : { operation }),
      ...(totalRecords === undefined ? {} : { rows: totalRecords }),
    })),
    refs: [...metadata.refs].map(([name, ref]) => ({ name, ...ref })),
    ...(totalDataFiles === undefined ? {} : { files: Number(totalDataFiles) }),
    ...(totalFilesSize === undefined ? {} : { bytes: Number(totalFilesSize) }),
    properties: metadata.properties,
  }
}
