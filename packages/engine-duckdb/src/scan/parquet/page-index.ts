import type { ColumnPath, LogicalType, Predicate } from '@penstock/core'
import { type FileType, integersAt } from './footer.ts'
import { columnMayMatch } from './match.ts'
import { decodeStruct, integerAt, itemsAt, structsAt } from './thrift.ts'
import { boundsOf } from './values.ts'

interface ColumnPages {
  readonly file: FileType
  readonly type: LogicalType
  readonly columnIndex: Uint8Array
  readonly offsetIndex: Uint8Array
}

/** Rows [start, end) of a row group. */
type RowRange = readonly [number, number]

/**
 * False where the page indexes show that no row of the group fulfils the predicate: pages of all columns of an AND have
 * to meet in some row.
 */
export const pagesMayMatch = (
  predicate: Predicate,
  rows: number,
  pagesOf: (path: ColumnPath) => ColumnPages | undefined,
): boolean => rangesOf(predicate, rows, pagesOf).length > 0

const rangesOf = (
  predicate: Predicate,
  rows: number,
  pagesOf: (path: ColumnPath) => ColumnPages | undefined,
): readonly RowRange[] => {
  const all: readonly RowRange[] = rows > 0 ? [[0, rows]] : []
  switch (predicate.kind) {
    case 'false':
      return []
    case 'and':
      return predicate.of.reduce(
        (left: readonly RowRange[], part) => intersect(left, rangesOf(part, rows, pagesOf)),
        all,
      )
    case 'or':
      return predicate.of.flatMap((part) => rangesOf(part, rows, pagesOf)).toSorted(([a], [b]) => a - b)
    case 'true':
    case 'not':
      return all
    default: {
      const pages = pagesOf(predicate.column)
      return (pages && pageRanges(predicate, rows, pages)) ?? all
    }
  }
}

/** Undefined where the index does not hold together: then it says nothing. */
const pageRanges = (
  predicate: Parameters<typeof columnMayMatch>[0],
  rows: number,
  { file, type, columnIndex, offsetIndex }: ColumnPages,
): readonly RowRange[] | undefined => {
  try {
    const index = decodeStruct(columnIndex).struct
    const nullPages = itemsAt(index, 1)
    const mins = itemsAt(index, 2)
    const maxs = itemsAt(index, 3)
    const nullCounts = integersAt(index, 5)
    const starts = structsAt(decodeStruct(offsetIndex).struct, 1).map((page) => integerAt(page, 3) ?? -1)
    const isWhole = [nullPages, mins, maxs].every((list) => list.length === starts.length)
    if (!isWhole || starts[0] !== 0 || starts.some((start, page) => start < (starts[page - 1] ?? 0)))
      return undefined
    return starts.flatMap((start, page): RowRange[] => {
      const allNull = nullPages[page] === true
      const nulls = allNull ? 'all' : nullCounts[page] === 0 ? 'none' : 'unknown'
      const bounds = allNull ? {} : boundsOf(mins[page] as Uint8Array, maxs[page] as Uint8Array, file, type)
      // Bounds of pages may be cut at will.
      const mayMatch = columnMayMatch(predicate, { ...bounds, type, exact: false, occur: false, nulls })
      return mayMatch ? [[start, starts[page + 1] ?? rows]] : []
    })
  } catch {
    return undefined
  }
}

/** Both lists are sorted by their starts; ranges of one may overlap after an OR. */
const intersect = (left: readonly RowRange[], right: readonly RowRange[]): readonly RowRange[] => {
  const found: RowRange[] = []
  for (const [start, end] of left)
    for (const [from, to] of right) {
      if (from >= end) break
      if (to > start) found.push([Math.max(start, from), Math.min(end, to)])
    }
  return found
}
