import type { ColumnFacts } from '../parquet/match.ts'
import { type Bound, compareBounds } from '../parquet/values.ts'
import type { TopRows } from '../plan/optimizer-plan.ts'
import type { FilePlan } from './plan-table.ts'

/** Reason in receipts for row groups all of whose rows come behind the ones that an order with a LIMIT needs. */
const behindTop = 'order'

/** Without the row groups whose statistics put all of their rows behind as many others as are needed. */
export const topFiles = (files: readonly FilePlan[], top: TopRows): readonly FilePlan[] => {
  // Statistics do not count NaN, which an order does.
  if (top.type.type === 'float' || top.type.type === 'double' || top.count < 1) return files
  const sign = top.descending ? -1 : 1
  const before = (a: Bound, b: Bound): number => sign * (compareBounds(a, b) ?? 0)
  const last = lastNeeded(files, top, before)
  if (last === undefined) return files
  const isNeeded = (facts: ColumnFacts | undefined): boolean => {
    if (!facts) return true
    if (facts.nulls === 'all') return top.nullsFirst
    const first = top.descending ? facts.max : facts.min
    if (first === undefined || compareBounds(first, last) === undefined) return true
    return (top.nullsFirst && facts.nulls !== 'none') || before(first, last) <= 0
  }
  return files.map(({ scanFile, plan }) => {
    const { detail } = plan
    const kept = detail?.groups.filter((group) => isNeeded(detail.factsOf(group)([top.column])))
    const isWhole = !detail || !kept || kept.length === detail.groups.length
    return { scanFile, plan: isWhole ? plan : detail.narrow(kept, behindTop) }
  })
}

/** A value that as many rows as are needed, none of them deleted, do not come behind. */
const lastNeeded = (
  files: readonly FilePlan[],
  top: TopRows,
  before: (a: Bound, b: Bound) => number,
): Bound | undefined => {
  const sure: { readonly bound: Bound; readonly rows: number }[] = []
  for (const { scanFile, plan } of files) {
    const { detail } = plan
    if (!detail || scanFile.deletes.length > 0) continue
    for (const kept of detail.groups) {
      const facts = detail.factsOf(kept)([top.column])
      const best = bestOf(facts, top)
      if (best !== undefined) sure.push({ bound: best, rows: 1 })
      const worst = worstOf(facts, top)
      if (worst !== undefined)
        sure.push({ bound: worst, rows: kept.group.rows - (best === undefined ? 0 : 1) })
    }
  }
  let rows = 0
  for (const found of sure.toSorted((a, b) => before(a.bound, b.bound))) {
    rows += found.rows
    if (rows >= top.count) return found.bound
  }
  return undefined
}

/**
 * A value of one row at least, at the near end of the order; undefined where the bound may be beyond all values:
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (Statistics).
 */
const bestOf = (facts: ColumnFacts | undefined, { descending }: TopRows): Bound | undefined =>
  facts?.occur ? (descending ? facts.max : facts.min) : undefined

/** The outer bound of a row group's values at the far end of the order; undefined where it may hold nulls. */
const worstOf = (facts: ColumnFacts | undefined, { descending }: TopRows): Bound | undefined =>
  facts?.nulls === 'none' ? (descending ? facts.min : facts.max) : undefined
