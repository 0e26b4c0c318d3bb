import { corrupt } from '../errors.ts'
import type { TableFile } from '../manifest/manifest.ts'
import { isUnpartitioned, type PartitionSpec } from '../metadata/spec.ts'
import { mergeStats, statsOfMetrics } from '../predicate/file-stats.ts'
import type { PrimitiveType } from '../types.ts'
import { compareValues, type Value } from '../values/value.ts'
import { withoutScheme } from './path.ts'

/** Field ids of the columns of position-delete files. */
export const deleteFilePathId = 2147483546
export const deletePositionId = 2147483545

/** Delete files by what they may apply to. */
export interface DeleteIndex {
  add(file: TableFile): void
  /** The deletes that apply to a data file, after https://iceberg.apache.org/spec/#scan-planning. */
  deletesOf(file: TableFile): AppliedDeletes
}

export interface AppliedDeletes {
  readonly vector: TableFile | undefined
  readonly positions: readonly TableFile[]
  readonly equality: readonly TableFile[]
}

/** A key that is equal for equal partitions: the same spec and values (floats by their bits). */
export const partitionKey = (specId: number, partition: Readonly<Record<number, Value | null>>): string =>
  `${specId}|${Object.entries(partition)
    .map(([id, value]) => `${id}=${valueKey(value)}`)
    .sort()
    .join('|')}`

const valueKey = (value: Value | null): string => {
  if (value === null) return '-'
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'number') return Object.is(value, -0) ? 'f-0' : `f${value}`
  return `${typeof value}:${JSON.stringify(String(value))}`
}

interface Partitioned {
  readonly vectors: Map<string, TableFile[]>
  readonly positions: Map<string, TableFile[]>
  readonly partitionPositions: Map<string, TableFile[]>
  readonly equality: Map<string, TableFile[]>
  readonly globalEquality: TableFile[]
}

export const createDeleteIndex = (
  specs: ReadonlyMap<number, PartitionSpec>,
  typeOf: (fieldId: number) => PrimitiveType | undefined,
): DeleteIndex => {
  const index: Partitioned = {
    vectors: new Map(),
    positions: new Map(),
    partitionPositions: new Map(),
    equality: new Map(),
    globalEquality: [],
  }
  return {
    add(file) {
      const key = partitionKey(file.specId, file.partition)
      if (file.content === 'equality-deletes') {
        const spec = specs.get(file.specId)
        if (spec && isUnpartitioned(spec)) index.globalEquality.push(file)
        else append(index.equality, key, file)
        return
      }
      const target = targetOf(file)
      if (file.format === 'puffin') {
        if (target === undefined) throw corrupt(file.path, 'A deletion vector does not name its data file')
        append(index.vectors, withoutScheme(target), file)
      } else if (target !== undefined) append(index.positions, withoutScheme(target), file)
      else append(index.partitionPositions, key, file)
    },
    deletesOf(file) {
      const key = partitionKey(file.specId, file.partition)
      const path = withoutScheme(file.path)
      const atOrAfter = (deletes: TableFile) =>
        file.dataSequenceNumber <= deletes.dataSequenceNumber &&
        key === partitionKey(deletes.specId, deletes.partition)
      const [vector, second] = (index.vectors.get(path) ?? []).filter(atOrAfter)
      if (second) throw corrupt(second.path, `There is more than one deletion vector for ${file.path}`)
      return {
        vector,
        // A vector holds what earlier files of positions deleted, too.
        positions: vector
          ? []
          : [
              ...(index.positions.get(path) ?? []).filter(atOrAfter),
              ...(index.partitionPositions.get(key) ?? []).filter(
                (deletes) => atOrAfter(deletes) && mayNamePath(deletes, file.path),
              ),
            ],
        equality: [...(index.equality.get(key) ?? []), ...index.globalEquality].filter(
          (deletes) =>
            file.dataSequenceNumber < deletes.dataSequenceNumber && mayShareRows(file, deletes, typeOf),
        ),
      }
    },
  }
}

const append = (map: Map<string, TableFile[]>, key: string, file: TableFile): void => {
  const files = map.get(key)
  if (files) files.push(file)
  else map.set(key, [file])
}

const pathType: PrimitiveType = { type: 'string' }

/** The only data file that a file of positions is about, where it says so. */
const targetOf = (file: TableFile): string | undefined => {
  if (file.referencedDataFile !== undefined) return file.referencedDataFile
  const { lower, upper } = statsOfMetrics(file.metrics, deleteFilePathId, pathType)
  return typeof lower === 'string' && lower === upper ? lower : undefined
}

/** False when the path lies outside of the paths in the delete file. Spellings must agree for that. */
const mayNamePath = (deletes: TableFile, path: string): boolean => {
  const { lower, upper } = statsOfMetrics(deletes.metrics, deleteFilePathId, pathType)
  if (typeof lower !== 'string' || typeof upper !== 'string') return true
  const scheme = /^[^:]*:/.exec(path)?.[0] ?? ''
  if (!lower.startsWith(scheme) || !upper.startsWith(scheme)) return true
  return compareValues(path, lower) >= 0 && compareValues(path, upper) <= 0
}

/** False when the bounds of an equality column exclude that a row of the data file equals one of the delete file. */
const mayShareRows = (
  data: TableFile,
  deletes: TableFile,
  typeOf: (fieldId: number) => PrimitiveType | undefined,
): boolean =>
  deletes.equalityIds.every((id) => {
    const type = typeOf(id)
    // NaN equals NaN and is in no bound.
    if (!type || type.type === 'float' || type.type === 'double') return true
    const ours = statsOfMetrics(data.metrics, id, type)
    const theirs = statsOfMetrics(deletes.metrics, id, type)
    if (ours.nulls !== 'none' && theirs.nulls !== 'none') return true
    if (ours.nulls === 'all' || theirs.nulls === 'all') return false
    const { lower, upper } = mergeStats(ours, theirs)
    return lower === undefined || upper === undefined || compareValues(lower, upper) <= 0
  })
