import { corrupt } from '../errors.ts'
import type { FileReader } from '../file-reader.ts'
import { primitiveTypes } from '../metadata/fields.ts'
import type { PartitionSpec } from '../metadata/spec.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'
import type { SelectedVersion } from '../metadata/version.ts'
import type { BoundPredicate } from '../predicate/bound.ts'
import { fieldIdsOf } from '../predicate/bound.ts'
import { projectPredicate } from '../transforms/project.ts'
import type { PrimitiveType } from '../types.ts'

/** What all steps of planning one scan share. */
export interface PlanContext {
  readonly metadata: TableMetadata
  readonly version: SelectedVersion
  readonly filter: BoundPredicate
  readonly reader: FileReader
  readonly signal: AbortSignal
  /** Manifests that are read at the same time. */
  readonly concurrency: number
  readonly typeOf: (fieldId: number) => PrimitiveType | undefined
  /** The filter on the partition fields of a spec. */
  readonly partitionFilter: (specId: number) => BoundPredicate
  readonly specOf: (specId: number, path: string) => PartitionSpec
  readonly counters: PlanCounters
}

/** What planning did, counted as it goes. */
export interface PlanCounters {
  manifests: number
  manifestsSkipped: number
  filesSkipped: number
  metadataRequests: number
  metadataBytes: number
  readonly skipped: Map<string, number>
}

export const createPlanContext = (
  parts: Pick<PlanContext, 'metadata' | 'version' | 'filter' | 'reader' | 'signal' | 'concurrency'>,
): PlanContext => {
  const { metadata, version, filter, reader } = parts
  const typeOf = memoize(primitiveTypes(metadata, version.schema))
  const specOf = (specId: number, path: string): PartitionSpec => {
    const spec = metadata.specs.get(specId)
    if (!spec) throw corrupt(path, `Partition spec ${specId} is not in the table's metadata; it is named`)
    return spec
  }
  const counters: PlanCounters = {
    manifests: 0,
    manifestsSkipped: 0,
    filesSkipped: 0,
    metadataRequests: 0,
    metadataBytes: 0,
    skipped: new Map(),
  }
  return Object.freeze({
    ...parts,
    reader: countingReader(reader, counters),
    typeOf,
    specOf,
    partitionFilter: memoize((specId: number) =>
      projectPredicate(filter, specOf(specId, metadata.path), typeOf),
    ),
    counters,
  })
}

/** Counts a reason for which manifests or files were passed over. */
export const countSkipped = (context: PlanContext, reason: string, count = 1): void => {
  const { skipped } = context.counters
  skipped.set(reason, (skipped.get(reason) ?? 0) + count)
}

const countingReader = (reader: FileReader, counters: PlanCounters): FileReader => ({
  async read(path, options) {
    let isKept = false
    const onKept = () => {
      isKept = true
    }
    const bytes = await reader.read(path, { ...options, onKept })
    if (!isKept) {
      counters.metadataRequests++
      counters.metadataBytes += bytes.length
    }
    return bytes
  },
  open: (path, size) => reader.open(path, size),
})

const memoize = <Key, Result>(compute: (key: Key) => Result): ((key: Key) => Result) => {
  const known = new Map<Key, Result>()
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key))
    return known.get(key) as Result
  }
}

/** Ids of fields whose metrics planning looks at: of the filter and of the row identity, by which equality deletes go. */
export const metricIds = (context: PlanContext, further: Iterable<number>): ReadonlySet<number> =>
  new Set([...fieldIdsOf(context.filter), ...context.version.schema.identifierFieldIds, ...further])
