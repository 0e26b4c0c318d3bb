import { type ManifestContents, readManifest, type TableFile } from '../manifest/manifest.ts'
import type { ManifestFile } from '../manifest/manifest-list.ts'
import { allMatch } from '../predicate/all-match.ts'
import { type ColumnStats, unknownStats } from '../predicate/column-stats.ts'
import { mergeStats, statsOfMetrics, statsOfValue } from '../predicate/file-stats.ts'
import { mayMatch } from '../predicate/may-match.ts'
import { statsOfPartition } from '../transforms/preimage.ts'
import { mapConcurrent } from './concurrent.ts'
import { countSkipped, metricIds, type PlanContext } from './context.ts'
import { manifestSkipReason } from './manifests.ts'

/** A data file that can hold rows of the scan. */
export interface DataFile {
  readonly file: TableFile
  /** False when all of its rows fulfil the filter. */
  readonly residual: boolean
  /** What the file's own metrics, or the value of an identity partition, tell of a field: bounds that occur. */
  readonly valuesOf: (fieldId: number) => ColumnStats
}

/** What {@link matchingDataFiles} learned of files that it passed over. */
export interface DataFileTotals {
  /** Bytes of all live data files in the manifests that were read. */
  bytes: number
  /** Manifests that were not read: their files' bytes are not known. */
  unread: number
}

/**
 * The data files of the manifests that can hold rows of the scan, manifest by manifest. Manifests are read in
 * parallel; of their entries only the survivors stay in memory.
 */
export async function* matchingDataFiles(
  context: PlanContext,
  manifests: readonly ManifestFile[],
  boundIds: readonly number[],
  totals: DataFileTotals,
): AsyncGenerator<DataFile> {
  const { counters } = context
  const wanted = manifests.filter((manifest) => {
    const reason = manifestSkipReason(context, manifest)
    if (reason === undefined) return true
    counters.manifestsSkipped++
    counters.filesSkipped += Number(manifest.liveFiles ?? 0n)
    if (manifest.liveFiles !== 0n) totals.unread++
    countSkipped(context, reason)
    return false
  })
  const ids = metricIds(context, boundIds)
  const survivors = mapConcurrent(wanted, context.concurrency, async (manifest) => {
    context.signal.throwIfAborted()
    const bytes = await context.reader.read(manifest.path, context)
    counters.manifests++
    return survivorsOf(context, readManifest(bytes, manifest, ids), totals)
  })
  for await (const files of survivors) yield* files
}

const survivorsOf = (
  context: PlanContext,
  contents: ManifestContents,
  totals: DataFileTotals,
): readonly DataFile[] => {
  const found: DataFile[] = []
  for (const file of contents.files()) {
    if (file.content !== 'data') continue
    totals.bytes += file.size
    const statsOf = statsOfFile(context, file)
    const reason = fileSkipReason(context, file, statsOf)
    if (reason === undefined) {
      const residual = !allMatch(context.filter, statsOf)
      found.push({ file, residual, valuesOf: (fieldId) => valuesOfFile(context, file, fieldId) })
      continue
    }
    context.counters.filesSkipped++
    countSkipped(context, reason)
  }
  return found
}

/** Metrics and partition together. */
const statsOfFile = (context: PlanContext, file: TableFile): ((fieldId: number) => ColumnStats) => {
  const spec = context.specOf(file.specId, file.path)
  return (fieldId) => {
    const type = context.typeOf(fieldId)
    if (!type) return unknownStats
    let stats = statsOfMetrics(file.metrics, fieldId, type)
    for (const { sourceIds, transform, fieldId: partitionId } of spec.fields) {
      if (sourceIds.length !== 1 || sourceIds[0] !== fieldId) continue
      stats = mergeStats(stats, statsOfPartition(transform, type, file.partition[partitionId]))
    }
    return stats
  }
}

const valuesOfFile = (context: PlanContext, file: TableFile, fieldId: number): ColumnStats => {
  const type = context.typeOf(fieldId)
  if (!type) return unknownStats
  const identity = context
    .specOf(file.specId, file.path)
    .fields.find(({ sourceIds, transform }) => transform.kind === 'identity' && sourceIds[0] === fieldId)
  return identity
    ? statsOfValue(file.partition[identity.fieldId])
    : statsOfMetrics(file.metrics, fieldId, type)
}

const fileSkipReason = (
  context: PlanContext,
  file: TableFile,
  statsOf: (fieldId: number) => ColumnStats,
): string | undefined => {
  if (file.recordCount === 0n) return 'no rows'
  const partition = (fieldId: number) => statsOfValue(file.partition[fieldId])
  if (!mayMatch(context.partitionFilter(file.specId), partition)) return 'partition'
  if (mayMatch(context.filter, statsOf)) return undefined
  const withoutBounds = (fieldId: number) => ({ ...statsOf(fieldId), lower: undefined, upper: undefined })
  return mayMatch(context.filter, withoutBounds) ? 'bounds' : 'null count'
}
