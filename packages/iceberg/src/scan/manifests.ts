import { unsupported } from '../errors.ts'
import { inlineManifest, type ManifestFile, readManifestList } from '../manifest/manifest-list.ts'
import { unknownStats } from '../predicate/column-stats.ts'
import { statsOfSummary, statsOfValue } from '../predicate/file-stats.ts'
import { mayMatch } from '../predicate/may-match.ts'
import type { Transform } from '../transforms/transform.ts'
import type { PrimitiveType } from '../types.ts'
import type { Value } from '../values/value.ts'
import { compareValues } from '../values/value.ts'
import type { PlanContext } from './context.ts'

/** The manifests of the version that is read. */
export const manifestsOf = async (context: PlanContext): Promise<readonly ManifestFile[]> => {
  const { snapshot } = context.version
  if (!snapshot) return []
  const { manifestList, manifests, keyId } = snapshot
  if (keyId !== undefined)
    throw unsupported(
      `Snapshot ${snapshot.snapshotId}, which is encrypted,`,
      'Tables without encryption can be read.',
      context.metadata.path,
    )
  if (manifestList === undefined) return manifests.map(inlineManifest)
  return readManifestList(await context.reader.read(manifestList, context), manifestList)
}

/** The type that a transform's values have. */
const resultType = (transform: Transform, source: PrimitiveType | undefined): PrimitiveType | undefined => {
  switch (transform.kind) {
    case 'identity':
    case 'truncate':
      return source
    case 'bucket':
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
      return { type: 'int' }
    case 'void':
    case 'unknown':
      return undefined
  }
}

/** Why a manifest need not be read; undefined: it must be. */
export const manifestSkipReason = (context: PlanContext, manifest: ManifestFile): string | undefined => {
  if (manifest.liveFiles === 0n) return 'manifest without live files'
  const { partitions, specId } = manifest
  if (partitions === undefined || specId === undefined) return undefined
  const spec = context.specOf(specId, manifest.path)
  const matches = mayMatch(context.partitionFilter(specId), (fieldId) => {
    const index = spec.fields.findIndex((field) => field.fieldId === fieldId)
    const field = spec.fields[index]
    const summary = partitions[index]
    const type = field && resultType(field.transform, context.typeOf(field.sourceIds[0] ?? -1))
    return type && summary ? statsOfSummary(summary, type) : unknownStats
  })
  return matches ? undefined : 'manifest partitions'
}

/** False when the summaries exclude that the manifest has an entry of this partition. */
export const mayHavePartition = (
  context: PlanContext,
  manifest: ManifestFile,
  partition: Readonly<Record<number, Value | null>>,
): boolean => {
  const { partitions, specId } = manifest
  if (partitions === undefined || specId === undefined) return true
  return context.specOf(specId, manifest.path).fields.every((field, index) => {
    const summary = partitions[index]
    const type = resultType(field.transform, context.typeOf(field.sourceIds[0] ?? -1))
    if (!summary || !type) return true
    const stats = statsOfSummary(summary, type)
    const own = statsOfValue(partition[field.fieldId])
    if (own.nulls === 'all') return stats.nulls !== 'none'
    if (own.nans === 'all') return stats.nans !== 'none'
    const { lower: value } = own
    if (value === undefined) return true
    if (stats.nulls === 'all' || stats.nans === 'all') return false
    return (
      (stats.lower === undefined || compareValues(value, stats.lower) >= 0) &&
      (stats.upper === undefined || compareValues(value, stats.upper) <= 0)
    )
  })
}
