import type { RangedFile, ScanColumn, ScanDelete, ScanFile } from '@penstock/core'
import { readAvroRows } from '../avro/rows.ts'
import { scanColumn } from '../columns/scan-columns.ts'
import { type AppliedDeletes, deleteFilePathId, deletePositionId } from '../deletes/delete-index.ts'
import { readDeletionVector } from '../deletes/deletion-vector.ts'
import { respell, withoutScheme } from '../deletes/path.ts'
import { corrupt, unsupported } from '../errors.ts'
import type { TableFile } from '../manifest/manifest.ts'
import { fieldOfAnySchema } from '../metadata/fields.ts'
import { statsOfMetrics } from '../predicate/file-stats.ts'
import type { NestedField } from '../types.ts'
import type { PlanContext } from './context.ts'
import type { DataFile } from './data-files.ts'

/** Makes the files of a scan as engines take them. One maker serves one scan: files of deletes are made once. */
export const scanFileMaker = (context: PlanContext, requested: readonly NestedField[]) => {
  const { metadata, reader } = context
  const deleteFiles = new Map<TableFile, ScanFile>()
  const positionsOf = avroPositions()

  const baseOf = (
    file: TableFile,
    columns: readonly ScanColumn[],
  ): Omit<ScanFile, 'deletes' | 'residual'> => {
    const ranged = reader.open(file.path, file.size)
    return {
      file: ranged,
      format: formatOf(file),
      ...(file.recordCount >= 0n ? { rows: Number(file.recordCount) } : {}),
      columns,
      ...(file.format === 'avro' ? { decode: decoderOf(ranged, file.path, columns) } : {}),
    }
  }

  const deleteFileOf = (file: TableFile, fields: readonly NestedField[]): ScanFile => {
    const known = deleteFiles.get(file)
    if (known) return known
    // The columns are read as they stand in the file, the partition's constants included.
    const columns = fields.map((field) =>
      scanColumn(field, { spec: undefined, partition: {}, nameMapping: undefined }),
    )
    const made: ScanFile = { ...baseOf(file, columns), deletes: [], residual: false }
    deleteFiles.set(file, made)
    return made
  }

  const equalityFieldsOf = (file: TableFile): readonly NestedField[] => {
    if (file.equalityIds.length === 0) throw corrupt(file.path, 'An equality delete names no columns')
    return file.equalityIds.map((id) => equalityField(context, id, file.path))
  }

  const deletesOf = (dataPath: string, applied: AppliedDeletes): ScanDelete[] => [
    ...(applied.vector ? [vectorDelete(applied.vector, context)] : []),
    ...applied.positions.map((file): ScanDelete => {
      const scanFile = deleteFileOf(file, [pathField, positionField])
      if (scanFile.decode) return { kind: 'positions', load: positionsOf(scanFile.decode, dataPath) }
      return { kind: 'position-file', file: scanFile, dataPath: spellingIn(file, dataPath) }
    }),
    ...applied.equality.map((file): ScanDelete => {
      const scanFile = deleteFileOf(file, equalityFieldsOf(file))
      return { kind: 'equality', file: scanFile, columns: scanFile.columns }
    }),
  ]

  return ({ file, residual }: DataFile, applied: AppliedDeletes): ScanFile => {
    const needed = new Map(requested.map((field) => [field.name, field]))
    for (const field of applied.equality.flatMap(equalityFieldsOf)) needed.set(field.name, field)
    const fileColumns = {
      spec: context.specOf(file.specId, file.path),
      partition: file.partition,
      nameMapping: metadata.nameMapping,
    }
    const columns = [...needed.values()].map((field) => scanColumn(field, fileColumns))
    return { ...baseOf(file, columns), deletes: deletesOf(file.path, applied), residual }
  }
}

type Decode = NonNullable<ScanFile['decode']>

const pathField: NestedField = {
  id: deleteFilePathId,
  name: 'file_path',
  required: true,
  type: { type: 'string' },
}
const positionField: NestedField = {
  id: deletePositionId,
  name: 'pos',
  required: true,
  type: { type: 'long' },
}

const formatOf = ({ format, path }: TableFile): ScanFile['format'] => {
  if (format === 'parquet' || format === 'avro') return { type: format, compression: 'none' }
  throw unsupported(
    `The ${format.toUpperCase()} file ${path}`,
    'Data and delete files in Parquet and Avro can be read. Rewrite the table, or query a part of it without such files.',
    path,
  )
}

const decoderOf =
  (file: RangedFile, path: string, columns: readonly ScanColumn[]): Decode =>
  ({ signal }) =>
    readAvroRows(file.read({ start: 0, end: file.size }, { signal }), path, columns)

const vectorDelete = (file: TableFile, { reader }: PlanContext): ScanDelete => ({
  kind: 'positions',
  load: ({ signal }) => readDeletionVector(file, reader, signal),
})

/** Positions for a data file out of an Avro delete file. It may be about many files, and is read once for all. */
const avroPositions = () => {
  const read = new Map<Decode, Promise<ReadonlyMap<string, Set<bigint>>>>()
  return (decode: Decode, dataPath: string) =>
    async ({ signal }: { readonly signal: AbortSignal }): Promise<BigUint64Array> => {
      const known = read.get(decode) ?? readPositions(decode, signal)
      read.set(decode, known)
      const byPath = await known.catch((error: unknown) => {
        read.delete(decode)
        throw error
      })
      return BigUint64Array.from(byPath.get(withoutScheme(dataPath)) ?? []).sort()
    }
}

const readPositions = async (
  decode: Decode,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Set<bigint>>> => {
  const byPath = new Map<string, Set<bigint>>()
  for await (const page of decode({ signal }))
    for (const [path, position] of page) {
      if (typeof path !== 'string' || typeof position !== 'bigint') continue
      const key = withoutScheme(path)
      const positions = byPath.get(key) ?? new Set()
      byPath.set(key, positions.add(position))
    }
  return byPath
}

/** The path of a data file with the scheme that the delete file writes. */
const spellingIn = (deletes: TableFile, dataPath: string): string => {
  const { lower } = statsOfMetrics(deletes.metrics, deleteFilePathId, pathType)
  return typeof lower === 'string' ? respell(dataPath, lower) : dataPath
}

const pathType = { type: 'string' } as const

/** A column of an equality delete; one that the table no longer has comes under a name of its own. */
const equalityField = ({ metadata, version }: PlanContext, id: number, path: string): NestedField => {
  const current = version.schema.fields.find((field) => field.id === id)
  if (current) return current
  const former = fieldOfAnySchema(metadata, id)
  if (!former)
    throw corrupt(path, `An equality delete is about field ${id}, which no schema has; it is named`)
  const isColumn = metadata.schemas.some((schema) => schema.fields.some((field) => field.id === id))
  if (isColumn) return { ...former, name: `_field_${id}_${former.name}` }
  throw unsupported(
    `The equality delete ${path} on the nested field "${former.name}"`,
    'Equality deletes on columns can be read. Compact the table to apply its deletes.',
    path,
  )
}
