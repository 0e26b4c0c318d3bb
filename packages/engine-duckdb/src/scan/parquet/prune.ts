import type { ByteRange, ColumnPath, LogicalType, Predicate } from '@penstock/core'
import { bloomMayHold, bloomValues } from './bloom.ts'
import {
  type ColumnChunk,
  type FileType,
  fileType,
  type ParquetFooter,
  type RowGroup,
  rawStatistics,
} from './footer.ts'
import type { ColumnMapping } from './mapping.ts'
import { type ColumnFacts, type FactsOf, mayMatch } from './match.ts'
import { pagesMayMatch } from './page-index.ts'
import { boundOf, boundsOf } from './values.ts'

/** A row group that statistics did not rule out, by its position in the file. */
export interface KeptGroup {
  readonly group: RowGroup
  /** Rows of the file before it. */
  readonly firstRow: number
}

export const allGroups = (footer: ParquetFooter): readonly KeptGroup[] => {
  let firstRow = 0
  return footer.rowGroups.map((group) => {
    const kept = { group, firstRow }
    firstRow += group.rows
    return kept
  })
}

/** Row groups whose statistics allow a row that fulfils the filter. */
export const pruneByStatistics = (
  footer: ParquetFooter,
  mapping: ColumnMapping,
  filter: Predicate | undefined,
): readonly KeptGroup[] =>
  allGroups(footer).filter(
    ({ group }) => group.rows > 0 && (!filter || mayMatch(filter, factsOfGroup(group, mapping))),
  )

/** What the statistics of a row group tell of its columns. */
export const factsOfGroup =
  (group: RowGroup, mapping: ColumnMapping): FactsOf =>
  (path) => {
    const constant = mapping.constantOf(path)
    if (constant) return factsOfConstant(constant)
    const found = mapping.leafOf(path)
    const type = found && fileType(found.node)
    const chunk = found && group.columns[found.node.leaf as number]
    return found && type && chunk ? factsOfChunk(chunk, group.rows, type, found.type) : undefined
  }

const factsOfConstant = ({
  value,
  type,
}: NonNullable<ReturnType<ColumnMapping['constantOf']>>): ColumnFacts | undefined => {
  if (value === null) return { type, exact: true, occur: false, nulls: 'all' }
  if (typeof value === 'number' && Number.isNaN(value)) return undefined
  const bound = boundOf(value, type)
  return { type, min: bound, max: bound, exact: true, occur: true, nulls: 'none' }
}

const factsOfChunk = (chunk: ColumnChunk, rows: number, file: FileType, type: LogicalType): ColumnFacts => {
  const raw = rawStatistics(chunk, hasSignedOrder(file))
  const nulls =
    raw.nulls === undefined ? 'unknown' : raw.nulls === 0 ? 'none' : raw.nulls === rows ? 'all' : 'some'
  return { ...boundsOf(raw.min, raw.max, file, type), type, exact: raw.exact, occur: raw.occur, nulls }
}

/** Types for which the deprecated statistics, always in signed byte order, have the right order. */
const hasSignedOrder = (file: FileType): boolean =>
  (file.physical === 'int32' || file.physical === 'int64') && file.signed !== false

/** Bytes that could rule out a row group more cheaply than reading it. */
export interface DeeperLook {
  readonly kept: KeptGroup
  readonly ranges: readonly ByteRange[]
  /** Why the group can be skipped, from the bytes of the ranges; undefined where it can't. */
  judge(bytes: (range: ByteRange) => Uint8Array): 'bloom filter' | 'page index' | undefined
}

/** A look has to cost less than this share of the group's bytes. */
const worthwhileShare = 0.25

/** What bloom filters and page indexes of a row group can still tell; undefined where they are not worth their bytes. */
export const deeperLook = (
  kept: KeptGroup,
  mapping: ColumnMapping,
  filter: Predicate,
  neededBytes: number,
): DeeperLook | undefined => {
  const ranges: ByteRange[] = []
  let budget = neededBytes * worthwhileShare
  const chunks = new Map<string, { chunk: ColumnChunk; file: FileType; type: LogicalType }>()
  for (const path of columnsOf(filter)) {
    const found = mapping.leafOf(path)
    const file = found && fileType(found.node)
    const chunk = found && kept.group.columns[found.node.leaf as number]
    if (!found || !file || !chunk) continue
    chunks.set(JSON.stringify(path), { chunk, file, type: found.type })
    const wanted = [
      bloomValues(filter, path, file, found.type) ? chunk.bloomFilter : undefined,
      ...(chunk.columnIndex && chunk.offsetIndex && hasSeveralPages(chunk.offsetIndex)
        ? [chunk.columnIndex, chunk.offsetIndex]
        : []),
    ].filter((range) => range !== undefined)
    for (const range of wanted) {
      const size = range.end - range.start
      if (size > budget) continue
      budget -= size
      ranges.push(range)
    }
  }
  if (ranges.length === 0) return undefined
  const isFetched = (range: ByteRange | undefined): range is ByteRange =>
    range !== undefined && ranges.includes(range)
  return {
    kept,
    ranges,
    judge: (bytes) => {
      const chunkOf = (path: ColumnPath) => chunks.get(JSON.stringify(path))
      const holds = bloomMayHold(filter, (path) => {
        const found = chunkOf(path)
        return found && isFetched(found.chunk.bloomFilter)
          ? { ...found, bytes: bytes(found.chunk.bloomFilter) }
          : undefined
      })
      if (!holds) return 'bloom filter'
      const pages = pagesMayMatch(filter, kept.group.rows, (path) => {
        const found = chunkOf(path)
        if (!found || !isFetched(found.chunk.columnIndex) || !isFetched(found.chunk.offsetIndex))
          return undefined
        const { columnIndex, offsetIndex } = found.chunk
        return { ...found, columnIndex: bytes(columnIndex), offsetIndex: bytes(offsetIndex) }
      })
      return pages ? undefined : 'page index'
    },
  }
}

/** An offset index of one page takes fewer bytes than this. */
const onePageBytes = 20
const hasSeveralPages = (range: ByteRange): boolean => range.end - range.start > onePageBytes

/** Columns that a predicate speaks of, once each. */
export const columnsOf = (predicate: Predicate): readonly ColumnPath[] => {
  const found = new Map<string, ColumnPath>()
  const visit = (part: Predicate): void => {
    if ('column' in part) found.set(JSON.stringify(part.column), part.column)
    else if (part.kind === 'and' || part.kind === 'or') part.of.forEach(visit)
  }
  visit(predicate)
  return [...found.values()]
}
