import type { Scan, ScanFile, ScanReceipt, ScanRequest } from '@penstock/core'
import { requestedFields } from '../columns/scan-columns.ts'
import type { FileReader } from '../file-reader.ts'
import type { ManifestFile } from '../manifest/manifest-list.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'
import type { SelectedVersion } from '../metadata/version.ts'
import { bindPredicate } from '../predicate/bind.ts'
import type { BoundPredicate } from '../predicate/bound.ts'
import { sumAggregates } from './aggregates.ts'
import { countSkipped, createPlanContext, type PlanContext } from './context.ts'
import { type DataFile, type DataFileTotals, matchingDataFiles } from './data-files.ts'
import { readDeletes } from './deletes.ts'
import { manifestsOf } from './manifests.ts'
import { scanFileMaker } from './scan-files.ts'

export interface PlanScanOptions {
  readonly metadata: TableMetadata
  readonly version: SelectedVersion
  readonly request: ScanRequest
  readonly reader: FileReader
  /** Manifests that are read at the same time; 16 by default. */
  readonly concurrency?: number
}

/**
 * The files that can hold rows of the request, each with how its columns are read and which rows of it are deleted,
 * and a receipt of what was passed over and why. Reads the manifest list and those manifests that may matter; memory
 * is in proportion to the files that remain. What can't be read (ORC, encryption, types of later formats) is a `data`
 * error that names it.
 */
export const planScan = async (options: PlanScanOptions): Promise<Extract<Scan, { kind: 'files' }>> => {
  const { metadata, version, request, reader, concurrency = 16 } = options
  const { signal, limit } = request
  signal.throwIfAborted()
  const filter: BoundPredicate = request.filter
    ? bindPredicate(request.filter, version.schema)
    : { kind: 'true' }
  const fields = requestedFields(version.schema, request.columns)
  const context = createPlanContext({ metadata, version, filter, reader, signal, concurrency })

  const manifests = filter.kind === 'false' ? noManifests(context) : await manifestsOf(context)
  const deleteManifests = manifests.filter(
    (manifest) => manifest.content === 'deletes' && manifest.liveFiles !== 0n,
  )
  const totals: DataFileTotals = { bytes: 0, unread: filter.kind === 'false' ? 1 : 0 }
  const dataFiles: DataFile[] = []
  const boundIds = fields.map((field) => field.id)
  let rows = 0n
  for await (const found of matchingDataFiles(
    context,
    manifests.filter((manifest) => manifest.content === 'data'),
    boundIds,
    totals,
  )) {
    dataFiles.push(found)
    // Where nothing is deleted the rows that are sure to pass are known before all manifests are read.
    if (deleteManifests.length === 0) rows += sureRows(found)
    if (limit !== undefined && rows >= BigInt(limit)) {
      totals.unread++
      break
    }
  }

  const deletes = await readDeletes(context, deleteManifests, dataFiles)
  const makeFile = scanFileMaker(context, fields)
  const aggregates = sumAggregates(fields)
  const files: ScanFile[] = []
  let sure = 0n
  for (const found of dataFiles) {
    const applied = deletes.deletesOf(found.file)
    const file = makeFile(found, applied)
    files.push(file)
    aggregates.add(found)
    if (file.deletes.length > 0) aggregates.spoil()
    else sure += sureRows(found)
    if (limit !== undefined && sure >= BigInt(limit)) break
  }
  const exact = limit === undefined ? aggregates.result() : undefined
  return {
    kind: 'files',
    files,
    receipt: receiptOf(context, files, totals),
    ...(exact === undefined ? {} : { exact }),
  }
}

/** No row can pass: nothing is read. */
const noManifests = (context: PlanContext): readonly ManifestFile[] => {
  const files = Number(context.version.snapshot?.totalDataFiles ?? 0n)
  context.counters.filesSkipped += files
  if (files > 0) countSkipped(context, 'contradictory filter', files)
  return []
}

const sureRows = ({ file, residual }: DataFile): bigint =>
  residual || file.recordCount < 0n ? 0n : file.recordCount

const receiptOf = (
  { counters, version }: PlanContext,
  files: readonly ScanFile[],
  totals: DataFileTotals,
): ScanReceipt => {
  const deleteFiles = new Set(
    files.flatMap((file) => file.deletes.map((found) => (found.kind === 'positions' ? found : found.file))),
  )
  return {
    manifests: counters.manifests,
    manifestsSkipped: counters.manifestsSkipped,
    files: files.length,
    filesSkipped: counters.filesSkipped,
    deleteFiles: deleteFiles.size,
    // What unread manifests list is known from the writer's summary, or not at all.
    bytesTotal:
      totals.unread === 0 ? totals.bytes : Number(version.snapshot?.totalFilesSize ?? BigInt(totals.bytes)),
    metadataRequests: counters.metadataRequests,
    metadataBytes: counters.metadataBytes,
    skipped: Object.fromEntries(counters.skipped),
  }
}
