import {
  createDeleteIndex,
  type DeleteIndex,
  deleteFilePathId,
  partitionKey,
} from '../deletes/delete-index.ts'
import { withoutScheme } from '../deletes/path.ts'
import { readManifest, type TableFile } from '../manifest/manifest.ts'
import type { ManifestFile } from '../manifest/manifest-list.ts'
import { isUnpartitioned } from '../metadata/spec.ts'
import { mapConcurrent } from './concurrent.ts'
import { countSkipped, type PlanContext } from './context.ts'
import type { DataFile } from './data-files.ts'
import { manifestSkipReason, mayHavePartition } from './manifests.ts'

/**
 * The deletes that can apply to the data files. A delete manifest is read only when it may have an entry for one of
 * them, by its sequence number and partitions, and only entries that may apply are kept.
 */
export const readDeletes = async (
  context: PlanContext,
  manifests: readonly ManifestFile[],
  dataFiles: readonly DataFile[],
): Promise<DeleteIndex> => {
  const index = createDeleteIndex(context.metadata.specs, context.typeOf)
  if (manifests.length === 0 || dataFiles.length === 0) return index
  const targets = targetsOf(dataFiles)
  const wanted = manifests.filter((manifest) => {
    const reason = skipReason(context, manifest, targets)
    if (reason === undefined) return true
    context.counters.manifestsSkipped++
    countSkipped(context, reason)
    return false
  })
  const files = mapConcurrent(wanted, context.concurrency, async (manifest) => {
    context.signal.throwIfAborted()
    const bytes = await context.reader.read(manifest.path, context)
    context.counters.manifests++
    // Which columns an equality delete is about is known only when it is read: metrics of all that it may be.
    const ids = new Set([deleteFilePathId, ...context.version.schema.identifierFieldIds])
    return [...readManifest(bytes, manifest, ids).files()].filter((file) => mayApply(context, file, targets))
  })
  for await (const found of files) for (const file of found) index.add(file)
  return index
}

interface Targets {
  readonly oldest: bigint
  readonly paths: ReadonlySet<string>
  readonly partitions: ReadonlyMap<string, TableFile>
}

const targetsOf = (dataFiles: readonly DataFile[]): Targets => {
  const paths = new Set<string>()
  const partitions = new Map<string, TableFile>()
  let oldest = dataFiles[0]?.file.dataSequenceNumber ?? 0n
  for (const { file } of dataFiles) {
    paths.add(withoutScheme(file.path))
    partitions.set(partitionKey(file.specId, file.partition), file)
    if (file.dataSequenceNumber < oldest) oldest = file.dataSequenceNumber
  }
  return { oldest, paths, partitions }
}

/** Beyond so many partitions it costs less to read a manifest than to look for one that it may have. */
const maxPartitionsTried = 1000

const skipReason = (context: PlanContext, manifest: ManifestFile, targets: Targets): string | undefined => {
  if (manifest.liveFiles === 0n) return 'manifest without live files'
  // All entries of a manifest are as old as the manifest, or older.
  if (manifest.sequenceNumber < targets.oldest) return 'deletes older than the data'
  const { specId } = manifest
  if (specId === undefined || isUnpartitioned(context.specOf(specId, manifest.path))) return undefined
  if (manifestSkipReason(context, manifest) !== undefined) return 'delete manifest partitions'
  if (targets.partitions.size > maxPartitionsTried) return undefined
  for (const file of targets.partitions.values())
    if (file.specId === specId && mayHavePartition(context, manifest, file.partition)) return undefined
  return 'delete manifest partitions'
}

const mayApply = (context: PlanContext, file: TableFile, targets: Targets): boolean => {
  if (file.dataSequenceNumber < targets.oldest) return false
  if (file.referencedDataFile !== undefined) return targets.paths.has(withoutScheme(file.referencedDataFile))
  if (file.content === 'equality-deletes' && isUnpartitioned(context.specOf(file.specId, file.path)))
    return true
  return targets.partitions.has(partitionKey(file.specId, file.partition))
}
