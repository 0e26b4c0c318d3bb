import { ConnectorError, type Predicate, type RangedFile, type ScanColumn } from '@penstock/core'
import type { FileFooter } from '../fetch/footers.ts'
import { type LocalFileResult, makeLocalFile } from '../fetch/local-file.ts'
import { sizeOf, totalSize } from '../fetch/ranges.ts'
import { bitColumn, constantColumn, type MadeColumn, rowColumn } from '../parquet/constant-column.ts'
import { type LocalLayout, planLocalFile } from '../parquet/local-layout.ts'
import { type FieldDefault, type LocalNode, mapColumns } from '../parquet/mapping.ts'
import {
  allGroups,
  type DeeperLook,
  deeperLook,
  type KeptGroup,
  pruneByStatistics,
} from '../parquet/prune.ts'
import type { ScanContext } from './context.ts'

/** One Parquet file of a scan, pruned: nothing but its footer and indexes was read. */
export interface ParquetPlan {
  readonly file: RangedFile
  readonly rowGroups: number
  readonly rowGroupsKept: number
  /** Rows of the kept row groups. */
  readonly rows: number
  /** Place of the first byte that is read. */
  readonly start: number
  /** Row groups that were skipped, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  /** Footer and the chunks that are read. */
  readonly bytesNeeded: number
  /** Bytes of the local file. */
  readonly diskBytes: number
  /** Fields of structs that SQL has to put in. */
  readonly defaults: readonly FieldDefault[]
  /** Structs of which only nulls are told. */
  readonly witnesses: readonly string[]
  /** Makes the local file, with a column that tells its deleted rows where there are any. Its path. */
  fetch(deleted: DeletedBits | undefined): Promise<string>
}

/** Bits of the rows from `firstRow` on, the lowest first: set for a row that is deleted. */
export type DeletedBits = (rows: number, firstRow: number) => Uint8Array

/** Column of a local file that tells which of its rows are deleted. */
export const deletedColumn = '__penstock_deleted'

export interface ParquetRequest {
  readonly file: RangedFile
  readonly columns: readonly ScanColumn[]
  readonly filter: Predicate | undefined
  /** Rows that are enough, for a scan that can stop. */
  readonly limit?: number | undefined
  /** Which of its rows are deleted is told later. */
  readonly hasDeletes: boolean
}

/** Plans the reading of one file, given its footer. One that came whole with its footer goes to the disk at once. */
export const planParquet = async (
  context: ScanContext,
  { file, columns, filter, limit, hasDeletes }: ParquetRequest,
  { footer, tail }: FileFooter,
): Promise<ParquetPlan> => {
  const mapping = mapColumns(columns, footer.schema, file.url)
  const byStatistics = pruneByStatistics(footer, mapping, filter)
  const leaves = mapping.nodes.flatMap(leavesOf)
  const bytesOf = ({ group }: KeptGroup) =>
    leaves.reduce((sum, leaf) => sum + sizeOf(group.columns[leaf]?.range ?? { start: 0, end: 0 }), 0)
  const looked = filter
    ? await lookDeeper(context, file, byStatistics, (kept) =>
        deeperLook(kept, mapping, filter, bytesOf(kept)),
      )
    : { kept: byStatistics, skipped: {}, bytes: 0 }
  const kept = limit === undefined ? looked.kept : firstRows(looked.kept, limit)
  const skipped: Record<string, number> = { ...looked.skipped }
  const add = (reason: string, count: number) => {
    if (count > 0) skipped[reason] = count
  }
  add('statistics', allGroups(footer).length - byStatistics.length)
  add('limit', looked.kept.length - kept.length)

  const constants = mapping.constants.map((constant) => constantColumn(constant, file.url))
  // A file needs a column to have rows.
  if (mapping.nodes.length + constants.length === 0) constants.push(rowColumn)
  const layoutOf = (made: readonly MadeColumn[]) => planLocalFile(footer, kept, mapping.nodes, made)
  const plain = layoutOf(constants)
  const { rows, size: diskBytes } = plain
  const make = async (layout: LocalLayout): Promise<string> => {
    const path = context.nextPath('.parquet')
    count(
      context,
      file,
      path,
      await makeLocalFile({ file, path, layout, tail }, context.transport, context.cache),
    )
    return path
  }
  const isAtHand =
    kept.length > 0 && !hasDeletes && plain.ranges.every(({ source }) => source.start >= tail.range.start)
  const made = isAtHand && context.aheadBytes > 0 ? await make(plain) : undefined
  const sources = plain.ranges.map(({ source }) => source)
  return Object.freeze({
    file,
    rowGroups: footer.rowGroups.length,
    rowGroupsKept: kept.length,
    rows,
    start: sources.reduce((first, { start }) => Math.min(first, start), file.size - footer.bytes),
    skipped,
    defaults: mapping.defaults,
    witnesses: mapping.witnesses,
    bytesNeeded: footer.bytes + looked.bytes + totalSize(sources),
    diskBytes,
    fetch: once(async (deleted) => {
      if (made !== undefined) return made
      return make(deleted ? layoutOf([...constants, bitColumn(deletedColumn, deleted)]) : plain)
    }),
  })
}

/** A plan lives as long as its query; what it was made of, the footer above all, goes when its file is made. */
const once = (make: ParquetPlan['fetch']): ParquetPlan['fetch'] => {
  let waiting: ParquetPlan['fetch'] | undefined = make
  return async (deleted) => {
    const first = waiting
    waiting = undefined
    if (!first) throw new ConnectorError('internal', 'A file is fetched twice.')
    return first(deleted)
  }
}

const leavesOf = (node: LocalNode): readonly number[] =>
  node.leaf === undefined ? node.children.flatMap(leavesOf) : [node.leaf]

const firstRows = (groups: readonly KeptGroup[], limit: number): readonly KeptGroup[] => {
  let rows = 0
  return groups.filter(({ group }) => {
    const isNeeded = rows < limit
    rows += group.rows
    return isNeeded
  })
}

/** Rules out row groups by bloom filters and page indexes, all ranges of a file at once. */
const lookDeeper = async (
  { transport, cache, counts }: ScanContext,
  file: RangedFile,
  groups: readonly KeptGroup[],
  look: (kept: KeptGroup) => DeeperLook | undefined,
) => {
  const kept: KeptGroup[] = []
  const skipped: Record<string, number> = {}
  const looks = groups.map(look)
  let bytes = 0
  const read = async (range: { start: number; end: number }) => {
    bytes += sizeOf(range)
    const cached = await cache.read(file, range)
    if (cached) {
      counts.cacheHits += 1
      counts.bytesFromCache += cached.length
      return cached
    }
    const fetched = await transport.read(file, range)
    await cache.write(file, range, fetched)
    return fetched
  }
  const ranges = looks.flatMap((found) => found?.ranges ?? [])
  const parts = new Map(await Promise.all(ranges.map(async (range) => [range, await read(range)] as const)))
  for (const [index, group] of groups.entries()) {
    const reason = looks[index]?.judge((range) => parts.get(range) as Uint8Array)
    if (reason === undefined) kept.push(group)
    else skipped[reason] = (skipped[reason] ?? 0) + 1
  }
  return { kept, skipped, bytes }
}

const count = (
  { counts, keep }: ScanContext,
  file: RangedFile,
  path: string,
  result: LocalFileResult,
): void => {
  counts.cacheHits += result.hits
  counts.bytesFromCache += result.hitBytes
  for (const { source, target } of result.fetched) keep({ path, position: target, file, range: source })
}
