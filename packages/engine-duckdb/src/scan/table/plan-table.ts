import type {
  ExactAggregates,
  Predicate,
  Scan,
  ScanFile,
  ScanReceipt,
  TableReceipt,
  ZeroCopyTable,
} from '@penstock/core'
import { ConnectorError } from '@penstock/core'
import { createFooters } from '../fetch/footers.ts'
import { mapLimited } from '../fetch/map-limited.ts'
import type { TableNeeds } from '../plan/optimizer-plan.ts'
import { filesAtOnce, type ScanContext, takeAhead } from './context.ts'
import { isEqualityDelete, isPositionDelete } from './deletes.ts'
import { planOther } from './other-file.ts'
import { type ParquetPlan, planParquet } from './parquet-file.ts'
import { predicateText } from './predicate-text.ts'
import { topFiles } from './top-rows.ts'

/** A data or delete file of a scan with what of it is read. */
export interface FilePlan {
  readonly scanFile: ScanFile
  readonly plan: ParquetPlan
}

export interface TablePlan {
  readonly label: string
  readonly table: ZeroCopyTable
  readonly needs: TableNeeds
  readonly receipt: TableReceipt
  readonly metadata: { readonly requests: number; readonly bytes: number }
  readonly diskBytes: number
  readonly content:
    | {
        readonly kind: 'files'
        readonly files: readonly FilePlan[]
        /** Files of which no row group is read. */
        readonly others: readonly FilePlan[]
        readonly scan: ScanReceipt
        /** Delete files by identity: several data files share them. */
        readonly deleteFiles: ReadonlyMap<ScanFile, FilePlan>
      }
    /** The metadata tells how many rows there are, and nothing else is asked. */
    | { readonly kind: 'count'; readonly rows: number }
    /** So does it tell the smallest and largest values of the columns. */
    | { readonly kind: 'extremes'; readonly rows: number; readonly bounds: ExactAggregates['bounds'] }
    | { readonly kind: 'rows'; readonly scan: Extract<Scan, { kind: 'rows' }> }
}

/** Asks the connector for what a query needs of a table. */
export const scanTable = (
  { signal, purpose }: ScanContext,
  table: ZeroCopyTable,
  { columns, filter, limit }: TableNeeds,
): Promise<Scan> =>
  table.scan({
    columns,
    signal,
    ...(filter && { filter }),
    ...(limit !== undefined && { limit }),
    ...(purpose === 'plan' && { explain: true }),
  })

/** Reason in receipts for files that were not needed because there were rows enough. */
export const leftOut = 'limit'

/** A scan of no more than so many of its files. */
export const firstOf = (scan: Scan, count: number): Scan => {
  if (scan.kind === 'rows' || scan.files.length <= count) return scan
  const { receipt } = scan
  const left = scan.files.length - count
  return {
    kind: 'files',
    files: scan.files.slice(0, count),
    receipt: {
      ...receipt,
      files: count,
      filesSkipped: receipt.filesSkipped + left,
      skipped: { ...receipt.skipped, [leftOut]: left },
    },
  }
}

/** Finds by the footers of a scan's files what of them is read. */
export const planTable = async (
  context: ScanContext,
  { label, table, needs, scan }: Pick<TablePlan, 'label' | 'table' | 'needs'> & { readonly scan: Scan },
): Promise<TablePlan> => {
  const { columns, filter, limit } = needs
  const common = { label, table, needs }
  if (scan.kind === 'rows')
    return {
      ...common,
      ...receipts(common, emptyReceipt, []),
      content: { kind: 'rows', scan },
      diskBytes: 0,
      receipt: { ...receipts(common, emptyReceipt, []).receipt, asRows: true },
    }
  const told = receipts(common, scan.receipt, [])
  const counted = columns.length === 0 && !filter && limit === undefined ? rowsOf(scan) : undefined
  if (counted !== undefined)
    return {
      ...common,
      ...told,
      content: { kind: 'count', rows: counted },
      diskBytes: 0,
      receipt: { ...told.receipt, fromMetadata: true },
    }
  if (
    needs.extremes &&
    scan.exact &&
    columns.every(([name, ...parts]) => parts.length === 0 && scan.exact?.bounds[name])
  )
    return {
      ...common,
      ...told,
      content: { kind: 'extremes', rows: Number(scan.exact.rows), bounds: scan.exact.bounds },
      diskBytes: 0,
      receipt: { ...told.receipt, fromMetadata: true },
    }
  const planned = await planFiles(context, scan.files, { filter, limit, fewColumns: isFew(table, columns) })
  if (limit !== undefined && scan.more && rowsIn(planned) < limit)
    return planTable(context, { label, table, needs, scan: await scan.more() })
  const files = needs.top ? topFiles(planned, needs.top) : planned
  const kept = files.filter(isRead)
  const deleteFiles = await planDeletes(context, kept)
  const others = files.filter((file) => !isRead(file))
  return planOfFiles(common, scan.receipt, { files: kept, others, deleteFiles })
}

const isRead = ({ plan }: FilePlan): boolean => plan.rowGroupsKept > 0

type FilesContent = Extract<TablePlan['content'], { kind: 'files' }>

const planOfFiles = (
  common: Pick<TablePlan, 'label' | 'table' | 'needs'>,
  scan: ScanReceipt,
  { files, others, deleteFiles }: Pick<FilesContent, 'files' | 'others' | 'deleteFiles'>,
): TablePlan => {
  const read = [...files, ...deleteFiles.values()]
  return {
    ...common,
    ...receipts(common, scan, [...read, ...others]),
    content: { kind: 'files', files, others, deleteFiles, scan },
    diskBytes: read.reduce((sum, { plan }) => sum + plan.diskBytes, 0),
  }
}

/** The plan again with other plans of its files. */
export const replan = (plan: TablePlan, files: readonly FilePlan[]): TablePlan => {
  const { content } = plan
  if (content.kind !== 'files') return plan
  const { label, table, needs } = plan
  const others = [...content.others, ...files.filter((file) => !isRead(file))]
  const { deleteFiles, scan } = content
  return planOfFiles({ label, table, needs }, scan, { files: files.filter(isRead), others, deleteFiles })
}

const rowsOf = (scan: Extract<Scan, { kind: 'files' }>): number | undefined => {
  if (scan.exact) return Number(scan.exact.rows)
  let rows = 0
  for (const file of scan.files) {
    if (file.rows === undefined || file.deletes.length > 0) return undefined
    rows += file.rows
  }
  return rows
}

interface FilesRequest {
  readonly filter: Predicate | undefined
  readonly limit: number | undefined
  readonly fewColumns: boolean
}

/** Fewer than half of the columns from the first one that is read on, in the order of the table, which is most files' own. */
const isFew = ({ schema }: ZeroCopyTable, columns: TableNeeds['columns']): boolean => {
  const read = new Set(columns.map(([name]) => name))
  const first = schema.columns.findIndex(({ name }) => read.has(name))
  return read.size < (schema.columns.length - first) / 2
}

const planFiles = async (
  context: ScanContext,
  files: readonly ScanFile[],
  { filter, limit, fewColumns }: FilesRequest,
): Promise<readonly FilePlan[]> => {
  const size = files.reduce((sum, { file }) => sum + file.size, 0)
  const readsRows = files.some(({ columns }) => columns.length > 0)
  const wholeFiles = readsRows && limit === undefined && takeAhead(context, size)
  const plan = createFilePlanner(context, wholeFiles, fewColumns)
  if (limit === undefined)
    return mapLimited(files, filesAtOnce, (file) => plan(file, file.residual ? filter : undefined))
  // Rows stop when there are enough: files are looked at in growing waves.
  const planned: FilePlan[] = []
  for (let wave = 1; rowsIn(planned) < limit && planned.length < files.length; wave *= 2) {
    const next = files.slice(planned.length, planned.length + wave)
    const found = await mapLimited(next, filesAtOnce, (file) =>
      plan(file, filter, file.deletes.length > 0 ? undefined : limit),
    )
    planned.push(...found)
  }
  return planned
}

/** Rows of these files that are sure not to be deleted. */
const rowsIn = (files: readonly FilePlan[]): number =>
  files.reduce((sum, { scanFile, plan }) => (scanFile.deletes.length === 0 ? sum + plan.rows : sum), 0)

const createFilePlanner = (context: ScanContext, wholeFiles: boolean, fewColumns = false) => {
  const { transport, cache, counts } = context
  const onHit = (bytes: number) => {
    counts.cacheHits += 1
    counts.bytesFromCache += bytes
  }
  const footers = createFooters({ transport, cache, onHit, wholeFiles, fewColumns })
  return async (scanFile: ScanFile, filter: Predicate | undefined, limit?: number): Promise<FilePlan> => {
    const { file, columns, format } = scanFile
    if (scanFile.decode || format.type !== 'parquet') return { scanFile, plan: planOther(context, scanFile) }
    const hasDeletes = scanFile.deletes.some(isPositionDelete)
    const request = { file, columns, filter, limit, hasDeletes, hasRoom: wholeFiles }
    const plan = await planParquet(context, request, await footers.read(file))
    footers.learn(file, plan.bytesNeeded, plan.start)
    return { scanFile, plan }
  }
}

/** Delete files of the data files that are read, once each. */
const planDeletes = async (
  context: ScanContext,
  files: readonly FilePlan[],
): Promise<ReadonlyMap<ScanFile, FilePlan>> => {
  const wanted = new Map<ScanFile, Set<string> | undefined>()
  for (const { scanFile } of files)
    for (const found of scanFile.deletes) {
      if (isEqualityDelete(found)) wanted.set(found.file, undefined)
      else if (isPositionDelete(found) && found.kind === 'position-file') {
        const paths = wanted.get(found.file) ?? new Set()
        wanted.set(found.file, paths.add(found.dataPath))
      }
    }
  const plan = createFilePlanner(context, false)
  const plans = await mapLimited([...wanted], filesAtOnce, async ([file, paths]) => {
    const path = file.columns[0]
    const filter: Predicate | undefined =
      paths && path ? { kind: 'in', column: [path.name], values: [...paths] } : undefined
    return [file, await plan(file, filter)] as const
  })
  return new Map(plans)
}

const emptyReceipt: ScanReceipt = {
  manifests: 0,
  manifestsSkipped: 0,
  files: 0,
  filesSkipped: 0,
  deleteFiles: 0,
  bytesTotal: 0,
  metadataRequests: 0,
  metadataBytes: 0,
  skipped: {},
}

const receipts = (
  { label, table, needs }: Pick<TablePlan, 'label' | 'table' | 'needs'>,
  scan: ScanReceipt,
  files: readonly FilePlan[],
): Pick<TablePlan, 'receipt' | 'metadata'> => {
  const skipped: Record<string, number> = { ...scan.skipped }
  let rowGroups = 0
  let kept = 0
  let bytesNeeded = 0
  for (const { plan } of files) {
    rowGroups += plan.rowGroups
    kept += plan.rowGroupsKept
    bytesNeeded += plan.bytesNeeded
    for (const [reason, count] of Object.entries(plan.skipped)) {
      const name = `row groups by ${reason}`
      skipped[name] = (skipped[name] ?? 0) + count
    }
  }
  const known = needs.filter && needs.filter.kind !== 'true'
  const receipt: TableReceipt = {
    table: label,
    columns: needs.columns.map((path) => path.join('.')),
    ...(known && needs.filter && { filter: predicateText(needs.filter, table.schema) }),
    ...(needs.limit !== undefined && { limit: needs.limit }),
    manifests: scan.manifests,
    manifestsSkipped: scan.manifestsSkipped,
    files: scan.files,
    filesSkipped: scan.filesSkipped,
    deleteFiles: scan.deleteFiles,
    rowGroups,
    rowGroupsSkipped: rowGroups - kept,
    bytesNeeded,
    bytesTotal: scan.bytesTotal,
    skipped,
    ...(scan.notes && { notes: scan.notes }),
  }
  return { receipt, metadata: { requests: scan.metadataRequests, bytes: scan.metadataBytes } }
}

/** Throws `resource` when what a query fetches would not fit. */
export const refuseTooLarge = (plans: readonly TablePlan[], ceiling: number): void => {
  const needed = plans.reduce((sum, plan) => sum + plan.diskBytes, 0)
  if (needed <= ceiling) return
  const largest = plans.toSorted((a, b) => b.diskBytes - a.diskBytes)[0]
  throw new ConnectorError(
    'resource',
    `The query needs ${needed} bytes of ${largest?.label ?? 'its tables'} on disk; the ceiling is ${ceiling} bytes.`,
    {
      code: 'StagingLimit',
      hint: `Read fewer columns or rows, or raise the ceiling (--staging ${Math.ceil(needed / 1024 ** 3)}GiB).`,
    },
  )
}
