import { randomUUID } from 'node:crypto'
import { mkdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { MountedQueryOptions, QueryReceipt, Scan, ZeroCopyTable } from '@penstock/core'
import type { Database } from '../database.ts'
import type { RangeCache } from './fetch/cache.ts'
import { mapLimited } from './fetch/map-limited.ts'
import { createTransport } from './fetch/transport.ts'
import type { TableNeeds } from './plan/optimizer-plan.ts'
import type { QueryPlan } from './plan/planner.ts'
import { queryReceipt } from './receipt.ts'
import { createPaths, type ScanContext } from './table/context.ts'
import { divideTable } from './table/divide.ts'
import { fetchTable } from './table/fetch-table.ts'
import { earlyColumns, withoutLateColumns } from './table/late-columns.ts'
import { firstOf, planTable, refuseTooLarge, scanTable, type TablePlan } from './table/plan-table.ts'
import type { Relation } from './table/relation.ts'

const defaultDiskBytes = 4 * 1024 ** 3

/** What of a query its work has to know. */
interface WorkOf {
  readonly tables: readonly { readonly label: string; readonly table: ZeroCopyTable }[]
  readonly plan: QueryPlan
  readonly cache: RangeCache
}

export type Work = Awaited<ReturnType<typeof openWork>>

/** Folder, transport and counters of one run of a query. */
export const openWork = async (
  database: Database,
  prepared: WorkOf,
  options: MountedQueryOptions,
  purpose: 'plan' | 'run',
) => {
  const folder = join(database.staging.path, `scan-${randomUUID()}`)
  await mkdir(folder, { recursive: true })
  const disk = await statfs(folder)
  const free = Math.floor(disk.bavail * disk.bsize * 0.8)
  const ceiling = Math.min(options.limits?.diskBytes ?? defaultDiskBytes, free)
  const stop = new AbortController()
  const signal: AbortSignal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const counts = { cacheHits: 0, bytesFromCache: 0 }
  const kept: Parameters<ScanContext['keep']>[0][] = []
  const { cache } = prepared
  let step: 'planning' | 'fetching' | 'executing' = 'planning'
  let planned = 0
  const report = () => {
    const { bytes, requests } = transport.counts()
    options.onProgress?.({ step, bytes, requests, ...(planned > 0 && { bytesPlanned: planned }) })
  }
  const transport = createTransport({ concurrency: options.limits?.concurrency, signal, onBytes: report })
  const context: ScanContext = {
    transport,
    cache,
    signal,
    purpose,
    counts,
    ahead: { bytes: purpose === 'plan' ? 0 : ceiling },
    nextPath: createPaths(folder),
    keep: (entry) => void kept.push(entry),
    use: async (operation) => {
      const connection = await database.connect()
      try {
        return await operation(connection)
      } finally {
        database.disconnect(connection)
      }
    },
  }
  const scans = new Map<ZeroCopyTable, Promise<Scan>>()
  const scanOnce = (table: ZeroCopyTable, needs: TableNeeds): Promise<Scan> => {
    const scan = scans.get(table) ?? scanTable(context, table, needs)
    scans.set(table, scan)
    return scan
  }
  return Object.freeze({
    signal,
    /** `firstFiles`: of each table no more than so many files. */
    plan: async (needs: readonly TableNeeds[], firstFiles = Number.POSITIVE_INFINITY) => {
      const plans = await mapLimited(prepared.tables, 4, async ({ label, table }, index) => {
        const own = needs[index] as TableNeeds
        const scan = firstOf(await scanOnce(table, own), firstFiles)
        return planTable(context, { label, table, needs: own, scan })
      })
      planned = plans.reduce((sum, { receipt }) => sum + receipt.bytesNeeded, 0)
      return plans
    },
    /**
     * The plans come back as they were carried out: with less, where some columns told that others are not needed. What
     * does not fit the disk comes in parts, where the rows of the result come from single rows: `later` has all but the
     * first.
     */
    fetch: async (given: readonly TablePlan[]): Promise<Fetched> => {
      step = 'fetching'
      report()
      const isWhole = prepared.plan.enough === undefined
      const { plans, room } = isWhole
        ? await lessOf(context, given, ceiling)
        : { plans: given, room: ceiling }
      const parts = partsOf(prepared.plan, plans, room)
      const first = parts ? parts.slice(0, 1) : plans
      const relations = await mapLimited(first, 4, (plan) => fetchTable(context, plan))
      step = 'executing'
      report()
      return { plans, relations, later: parts?.slice(1) ?? [] }
    },
    /** What the run of these plans would do, as far as their receipts do not tell it. Throws what it would be refused with. */
    outlook: (plans: readonly TablePlan[]): readonly string[] => {
      const { enough } = prepared.plan
      // A run stops before it has read all of it: how much it takes is known only then.
      if (enough !== undefined && plans.every(({ needs }) => needs.limit === undefined))
        return [wavesNote(enough)]
      const { spare } = spareOf(plans, ceiling)
      const early = (enough === undefined ? plans : []).flatMap(
        (plan) => earlyNote(plan, spare / plans.length) ?? [],
      )
      if (early.length > 0) return early
      const parts = partsOf(prepared.plan, plans, ceiling)
      return parts ? [`The disk does not hold all of it at once: it is read in ${parts.length} parts.`] : []
    },
    fetchPart: (part: TablePlan): Promise<Relation> => fetchTable(context, part),
    receipt: (plans: readonly TablePlan[], repairs: number, notes: readonly string[] = []): QueryReceipt =>
      queryReceipt({
        plans,
        transport: transport.counts(),
        cache: counts,
        repairs,
        notes:
          prepared.plan.unplanned === undefined
            ? notes
            : [`DuckDB gave no plan, so everything is read: ${prepared.plan.unplanned}`, ...notes],
      }),
    /** After a query that ended well: what it fetched is kept for the next one. */
    keep: async () => {
      for (const { path, position, file, range } of kept) await cache.copyFrom(path, position, file, range)
      await cache.trim()
    },
    close: async () => {
      stop.abort()
      await rm(folder, { recursive: true, force: true })
    },
  })
}

export interface Fetched {
  readonly plans: readonly TablePlan[]
  readonly relations: readonly Relation[]
  /** Parts of the one table that are still to be fetched. */
  readonly later: readonly TablePlan[]
}

/** While one part is read, the next one is fetched. */
const partsAtOnce = 2

/** Parts of the one table, where it does not fit and they can be read one after another. Throws where nothing else helps. */
const partsOf = (
  { rowByRow }: QueryPlan,
  plans: readonly TablePlan[],
  room: number,
): readonly TablePlan[] | undefined => {
  const [table, ...others] = plans
  const isDivisible = rowByRow === true && others.length === 0
  const parts =
    table && isDivisible && table.diskBytes > room ? divideTable(table, room / partsAtOnce) : undefined
  if (!parts) refuseTooLarge(plans, room)
  return parts
}

const spareOf = (plans: readonly TablePlan[], ceiling: number) => {
  const needed = plans.reduce((sum, { diskBytes }) => sum + diskBytes, 0)
  // Where all fits, what is fetched beforehand has to fit as well; where not, it may help that it does.
  return { needed, spare: needed <= ceiling ? ceiling - needed : ceiling / 2 }
}

const wavesNote = (enough: number): string =>
  `Files are read in waves until ${enough} rows are found: this is the most that it can take.`

const earlyNote = (plan: TablePlan, allowance: number): string | undefined => {
  const early = earlyColumns(plan, allowance)
  if (!early) return undefined
  const { names, bytes, lateBytes } = early
  return `Of ${plan.label} ${bytes} bytes of ${names.join(', ')} are read first; of the other ${lateBytes} bytes only those of row groups in which they find a row that is needed.`
}

/**
 * The plans without what the columns of their filters and orders show to be of no use, as long as these fit the disk
 * besides; and the bytes of disk that are left for them.
 */
const lessOf = async (
  context: ScanContext,
  plans: readonly TablePlan[],
  ceiling: number,
): Promise<{ readonly plans: readonly TablePlan[]; readonly room: number }> => {
  const { needed, spare } = spareOf(plans, ceiling)
  const less = await mapLimited(plans, 4, (plan) => withoutLateColumns(context, plan, spare / plans.length))
  const isLess = less.some((plan, index) => plan !== plans[index])
  return { plans: less, room: isLess && needed > ceiling ? ceiling / 2 : ceiling }
}
