import type { LogicalType, ScanColumn } from '@penstock/core'
import { throwIfCancelled } from '../../errors.ts'
import { interruptible } from '../../interruptible.ts'
import { quoteIdentifier, rowsOf } from '../../sql.ts'
import { mapLimited } from '../fetch/map-limited.ts'
import { columnsOf, type KeptGroup } from '../parquet/prune.ts'
import type { TableNeeds, TopRows } from '../plan/optimizer-plan.ts'
import { filesAtOnce, type ScanContext } from './context.ts'
import { groupColumn, type LocalPart, type ParquetDetail } from './parquet-file.ts'
import { type FilePlan, replan, type TablePlan } from './plan-table.ts'
import { predicateSql } from './predicate-sql.ts'
import { readMapped } from './relation.ts'

/** Reason in receipts for row groups whose filter or order columns were read, and in which no row is needed. */
const noRow = 'rows'

/** Bytes that have to be at stake: below that the round of requests that it takes costs more than it can save. */
const worthwhileBytes = 4 * 1024 ** 2

/** Rows of an order with a LIMIT, at most, that are looked for beforehand. */
const mostTopRows = 100_000

interface Probe {
  readonly names: ReadonlySet<string>
  readonly columns: readonly ScanColumn[]
  /** FROM and WHERE of the rows that are needed, `source` being what to read all of them from. */
  needed(source: string): string
}

/** A file that takes part, with its place among the files of the table. */
interface Probed {
  readonly index: number
  readonly detail: ParquetDetail
}

/** What is read before the rest of a table, to learn what of the rest is needed. */
export interface EarlyColumns {
  readonly names: readonly string[]
  /** Bytes of these columns. */
  readonly bytes: number
  /** Bytes of the others in the same row groups, at most. */
  readonly lateBytes: number
}

/** Whether some columns are worth to be fetched before the others. `allowance`: bytes of disk that it may take. */
export const earlyColumns = (plan: TablePlan, allowance: number): EarlyColumns | undefined => {
  const look = lookOf(plan, allowance)
  return look && { names: [...look.probe.names], bytes: look.bytes, lateBytes: look.late }
}

const lookOf = (plan: TablePlan, allowance: number) => {
  if (plan.content.kind !== 'files') return undefined
  const { files } = plan.content
  const probe = probeOf(plan.needs, files)
  if (!probe) return undefined
  const probed = files.flatMap(({ scanFile, plan: { detail } }, index): Probed[] =>
    detail?.isPlain(probe.names) && (plan.needs.top || scanFile.residual) ? [{ index, detail }] : [],
  )
  const bytes = sum(probed, (group, { detail }) => detail.bytesOf(group, probe.names))
  const late = sum(probed, (group, { detail }) => detail.bytesOf(group)) - bytes
  if (late < worthwhileBytes || late < bytes / 4 || bytes > allowance) return undefined
  return { files, probe, probed, bytes, late }
}

/**
 * Leaves out row groups of which no row is needed, told by the columns of the filter, or of the order, which are fetched
 * before the others. What was fetched is used again. `allowance`: bytes of disk that it may take.
 */
export const withoutLateColumns = async (
  context: ScanContext,
  plan: TablePlan,
  allowance: number,
): Promise<TablePlan> => {
  const look = lookOf(plan, allowance)
  if (!look) return plan
  const { files, probe, probed } = look
  const groups = probed.flatMap(({ index, detail }) => detail.groups.map((group) => ({ index, group })))
  const ordinals = new Map(groups.map(({ group }, ordinal) => [group, BigInt(ordinal)]))
  const parts = await mapLimited(probed, filesAtOnce, ({ detail }) =>
    detail.probe(probe.names, (group) => ordinals.get(group) ?? -1n),
  )
  const found = await matchingGroups(context, parts, probe)
  const matching = new Set(
    found ? found.flatMap((ordinal) => groups[ordinal]?.group ?? []) : groups.map(({ group }) => group),
  )
  const narrowed = [...files]
  for (const [ordinal, { index, detail }] of probed.entries()) {
    const kept = detail.groups.filter((group) => matching.has(group))
    narrowed[index] = {
      ...(files[index] as FilePlan),
      plan: detail.narrow(kept, noRow, parts[ordinal]),
    }
  }
  return replan(plan, narrowed)
}

const sum = (probed: readonly Probed[], of: (group: KeptGroup, file: Probed) => number): number =>
  probed.reduce(
    (total, file) => file.detail.groups.reduce((inner, group) => inner + of(group, file), total),
    0,
  )

const probeOf = ({ filter, top, limit }: TableNeeds, files: readonly FilePlan[]): Probe | undefined => {
  const columns = files[0]?.scanFile.columns ?? []
  if (limit !== undefined) return undefined
  if (top) return topProbe(top, columns, files)
  const sql = filter && predicateSql(filter, columns)
  if (!filter || sql === undefined) return undefined
  const names = new Set(columnsOf(filter).map(([name]) => name))
  return {
    names,
    columns: columns.filter(({ name }) => names.has(name)),
    needed: (source) => `${source} WHERE ${sql}`,
  }
}

/** Rows that are deleted would count as rows that are found. */
const topProbe = (
  { column, descending, nullsFirst, count }: TopRows,
  columns: readonly ScanColumn[],
  files: readonly FilePlan[],
): Probe | undefined => {
  const own = columns.find(({ name }) => name === column)
  if (!own || count < 1 || count > mostTopRows) return undefined
  if (!isScalar(own.type) || files.some(({ scanFile }) => scanFile.deletes.length > 0)) return undefined
  const name = quoteIdentifier(column)
  const order = `${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`
  return {
    names: new Set([column]),
    columns: [own],
    needed: (source) => {
      const last = `SELECT (SELECT ${name} FROM ${source} ORDER BY ${name} ${order} LIMIT 1 OFFSET ${count - 1}) AS value`
      // No value, or null: all rows are needed, or all that have a value.
      const nulls = nullsFirst ? ` OR data.${name} IS NULL` : ''
      const comparison = `data.${name} ${descending ? '>=' : '<='} last.value`
      return `${source} AS data, (${last}) AS last WHERE last.value IS NULL OR ${comparison}${nulls}`
    },
  }
}

const isScalar = ({ type }: LogicalType): boolean =>
  type !== 'list' && type !== 'map' && type !== 'struct' && type !== 'json' && type !== 'null'

/** Ordinals of the row groups in which a row fulfils the condition; undefined where DuckDB can't tell. */
const matchingGroups = async (
  context: ScanContext,
  parts: readonly LocalPart[],
  { columns, needed }: Probe,
): Promise<readonly number[] | undefined> => {
  const group = { name: groupColumn, type: { type: 'int', bits: 32, signed: true } } as const
  const source = readMapped(
    parts.map(({ path }) => path),
    [...columns, group],
  )
  const sql = `SELECT DISTINCT ${quoteIdentifier(groupColumn)} FROM ${needed(source)}`
  try {
    return await context.use((connection) =>
      interruptible(connection, context.signal, async () =>
        (await rowsOf(connection, sql)).map(([ordinal]) => Number(ordinal)),
      ),
    )
  } catch {
    throwIfCancelled(context.signal)
    // What is wrong, a damaged page say, is told by the query itself, if it comes upon it.
    return undefined
  }
}
