import {
  type ByteRange,
  ConnectorError,
  type Predicate,
  type RangedFile,
  type ScanColumn,
} from '@penstock/core'
import type { FileFooter } from '../fetch/footers.ts'
import { type LocalFileResult, makeLocalFile } from '../fetch/local-file.ts'
import { sizeOf, totalSize } from '../fetch/ranges.ts'
import { bitColumn, constantColumn, type MadeColumn, rowColumn } from '../parquet/constant-column.ts'
import { type LocalLayout, type PlacedRange, planLocalFile } from '../parquet/local-layout.ts'
import { type FieldDefault, type LocalNode, mapColumns } from '../parquet/mapping.ts'
import type { FactsOf } from '../parquet/match.ts'
import {
  allGroups,
  type DeeperLook,
  deeperLook,
  factsOfGroup,
  type KeptGroup,
  pruneByStatistics,
} from '../parquet/prune.ts'
import { type ScanContext, takeAhead } from './context.ts'

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
  /** What is known of its row groups, to leave some of them out; absent for what is no Parquet file. */
  readonly detail?: ParquetDetail | undefined
}

/** The row groups that are read, and what can be learned of them before all of their columns are there. */
export interface ParquetDetail {
  readonly groups: readonly KeptGroup[]
  factsOf(group: KeptGroup): FactsOf
  /** Bytes of a group's chunks of these columns, or of all. */
  bytesOf(group: KeptGroup, columns?: ReadonlySet<string>): number
  /** Whether the file itself has these columns as they are, or a value for all rows. */
  isPlain(columns: ReadonlySet<string>): boolean
  /** Makes a local file of these columns alone, with one that names the row groups. */
  probe(columns: ReadonlySet<string>, nameOf: (group: KeptGroup) => bigint): Promise<LocalPart>
  /** The plan with these of the row groups. What was probed is not fetched again. */
  narrow(groups: readonly KeptGroup[], reason: string, probed?: LocalPart): ParquetPlan
}

/** A local file that holds parts of a remote one. */
export interface LocalPart {
  readonly path: string
  readonly ranges: readonly PlacedRange[]
}

/** Column of a probed file that names its row groups. */
export const groupColumn = '__penstock_group'

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
  /** Its bytes have been taken of those that may be brought to the disk beforehand. */
  readonly hasRoom: boolean
}

/** Plans the reading of one file, given its footer. One that came whole with its footer goes to the disk at once. */
export const planParquet = async (
  context: ScanContext,
  { file, columns, filter, limit, hasDeletes, hasRoom }: ParquetRequest,
  { footer, tail }: FileFooter,
): Promise<ParquetPlan> => {
  const mapping = mapColumns(columns, footer.schema, file.url)
  const byStatistics = pruneByStatistics(footer, mapping, filter)
  const leaves = mapping.nodes.flatMap((node) => leavesOf(node).map((leaf) => ({ name: node.name, leaf })))
  const bytesOf = ({ group }: KeptGroup, names?: ReadonlySet<string>) =>
    leaves.reduce((sum, { name, leaf }) => {
      const range = names && !names.has(name) ? undefined : group.columns[leaf]?.range
      return range ? sum + sizeOf(range) : sum
    }, 0)
  const looked = filter
    ? await lookDeeper(context, file, byStatistics, (kept) =>
        deeperLook(kept, mapping, filter, bytesOf(kept)),
      )
    : { kept: byStatistics, skipped: {}, bytes: 0 }
  const skipped: Record<string, number> = { ...looked.skipped }
  const add = (reason: string, count: number) => {
    if (count > 0) skipped[reason] = (skipped[reason] ?? 0) + count
  }
  const kept = limit === undefined ? looked.kept : firstRows(looked.kept, limit)
  add('statistics', allGroups(footer).length - byStatistics.length)
  add('limit', looked.kept.length - kept.length)

  const constants = mapping.constants.map((constant) => constantColumn(constant, file.url))
  // A file needs a column to have rows.
  if (mapping.nodes.length + constants.length === 0) constants.push(rowColumn)
  const make = async (layout: LocalLayout, near?: LocalPart): Promise<string> => {
    const path = context.nextPath('.parquet')
    count(
      context,
      file,
      path,
      await makeLocalFile({ file, path, layout, tail, near }, context.transport, context.cache),
    )
    return path
  }

  const planOf = (groups: readonly KeptGroup[], made: string | undefined, near?: LocalPart): ParquetPlan => {
    const layoutOf = (more: readonly MadeColumn[]) => planLocalFile(footer, groups, mapping.nodes, more)
    const layout = groups.length === 0 ? nothing : layoutOf(constants)
    const sources = layout.ranges.map(({ source }) => source)
    const probed = near?.ranges.map(({ source }) => source) ?? []
    const isNew = (range: ByteRange) => !probed.some(({ start }) => start === range.start)
    const detail: ParquetDetail = {
      groups,
      factsOf: ({ group }) => factsOfGroup(group, mapping),
      bytesOf,
      isPlain: (names) =>
        !mapping.defaults.some(({ path }) => names.has(path[0])) &&
        !mapping.witnesses.some((name) => names.has(name)),
      probe: async (names, nameOf) => {
        const nodes = mapping.nodes.filter(({ name }) => names.has(name))
        const ordinals = new Map(groups.map((group) => [group.firstRow, nameOf(group)]))
        const others = [...constants.filter(({ name }) => names.has(name)), namingColumn(ordinals)]
        const layout = planLocalFile(footer, groups, nodes, others)
        return { path: await make(layout), ranges: layout.ranges }
      },
      narrow: (fewer, reason, part) => {
        if (fewer.length === groups.length && part === undefined) return planOf(groups, made)
        add(reason, groups.length - fewer.length)
        return planOf(fewer, undefined, part)
      },
    }
    const plan = {
      file,
      rowGroups: footer.rowGroups.length,
      rowGroupsKept: groups.length,
      rows: layout.rows,
      start: sources.reduce((first, { start }) => Math.min(first, start), file.size - footer.bytes),
      skipped: { ...skipped },
      defaults: mapping.defaults,
      witnesses: mapping.witnesses,
      bytesNeeded: footer.bytes + looked.bytes + totalSize([...probed, ...sources.filter(isNew)]),
      diskBytes: layout.size,
    }
    return released(plan, detail, async (deleted) => {
      if (made !== undefined) return made
      return make(deleted ? layoutOf([...constants, bitColumn(deletedColumn, deleted)]) : layout, near)
    })
  }
  const isAtHand = ({ group }: KeptGroup) =>
    leaves.every(({ leaf }) => (group.columns[leaf]?.range.start ?? 0) >= tail.range.start)
  if (hasDeletes || kept.length === 0 || !kept.every(isAtHand)) return planOf(kept, undefined)
  const layout = planLocalFile(footer, kept, mapping.nodes, constants)
  return planOf(kept, hasRoom || takeAhead(context, layout.size) ? await make(layout) : undefined)
}

/** Of a file without row groups that are read: none is made. */
const nothing: LocalLayout = { ranges: [], made: [], size: 0, rows: 0 }

/** Names each row group by a number, told by the row that it begins with. */
const namingColumn = (names: ReadonlyMap<number, bigint>): MadeColumn => {
  const columnOf = (value: bigint) =>
    constantColumn({ name: groupColumn, type: { type: 'int', bits: 32, signed: true }, value }, '')
  return {
    name: groupColumn,
    element: columnOf(0n).element,
    chunk: (rows, firstRow) => columnOf(names.get(firstRow) ?? -1n).chunk(rows, firstRow),
  }
}

/** A plan lives as long as its query; what it was made of, the footer above all, goes when its file is made. */
const released = (
  plan: Omit<ParquetPlan, 'fetch' | 'detail'>,
  detail: ParquetDetail,
  make: ParquetPlan['fetch'],
): ParquetPlan => {
  let waiting: { readonly detail: ParquetDetail; readonly make: ParquetPlan['fetch'] } | undefined = {
    detail,
    make,
  }
  return Object.freeze({
    ...plan,
    get detail() {
      return waiting?.detail
    },
    fetch: async (deleted: DeletedBits | undefined) => {
      const first = waiting
      waiting = undefined
      if (!first) throw new ConnectorError('internal', 'A file is fetched twice.')
      return first.make(deleted)
    },
  })
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
