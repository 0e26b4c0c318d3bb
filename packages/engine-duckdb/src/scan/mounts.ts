import { randomUUID } from 'node:crypto'
import { mkdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ConnectorError,
  type MountedQuery,
  type MountedQueryOptions,
  type QueryReceipt,
  type Scan,
  type ZeroCopyTable,
} from '@penstock/core'
import { type CopyOptions, copyQuery } from '../copy.ts'
import type { Database } from '../database.ts'
import { throwIfCancelled, translateError } from '../errors.ts'
import { openQuery, type QuerySession } from '../query.ts'
import { openCache, type RangeCache } from './fetch/cache.ts'
import { mapLimited } from './fetch/map-limited.ts'
import { createTransport } from './fetch/transport.ts'
import { localSchemas, localTables } from './local-tables.ts'
import { type MountedName, resolveNames } from './plan/names.ts'
import type { TableNeeds } from './plan/optimizer-plan.ts'
import { createPlanner, type Planner, type PlanTable, type QueryPlan } from './plan/planner.ts'
import { splitStatement } from './plan/statement.ts'
import { queryReceipt } from './receipt.ts'
import { sealDatabase } from './seal.ts'
import { createMountNames, type MountNames, mountSession, requireBinding } from './session.ts'
import { createPaths, type ScanContext } from './table/context.ts'
import { fetchTable } from './table/fetch-table.ts'
import { withoutLateColumns } from './table/late-columns.ts'
import { firstOf, leftOut, planTable, refuseTooLarge, scanTable, type TablePlan } from './table/plan-table.ts'
import { emptyRelationSql, type Relation, relationSql, unplannedColumn } from './table/relation.ts'
import { countRows, writeRows } from './write-rows.ts'

/** Queries over tables that stay where they are. */
export interface MountedQueries {
  query(sql: string, options: MountedQueryOptions): Promise<MountedQuery>
  copy(
    sql: string,
    path: string,
    options: MountedQueryOptions & Pick<CopyOptions, 'type'>,
  ): Promise<{ rows: number; bytes: number; receipt: QueryReceipt }>
  explain(sql: string, options: MountedQueryOptions): Promise<QueryReceipt>
  /** The folder that DuckDB may write to, once it may not write to others. */
  writable(): string | undefined
  close(): Promise<void>
}

const defaultDiskBytes = 4 * 1024 ** 3
/** Times that a query runs again with more columns, before all of them are fetched. */
const maxRepairs = 3

export const createMountedQueries = (database: Database): MountedQueries => {
  const names = createMountNames()
  let sealing: Promise<void> | undefined
  let planner: Promise<Planner> | undefined
  const prepare = async (sql: string, options: MountedQueryOptions) => {
    sealing ??= sealDatabase(database)
    await sealing
    planner ??= createPlanner(join(database.staging.path, 'plan'))
    return prepareQuery(database, await planner, names, sql, options)
  }
  return Object.freeze({
    query: async (sql: string, options: MountedQueryOptions) => {
      const prepared = await prepare(sql, options)
      const { target } = prepared
      return runPrepared(database, names, prepared, options, async ({ session, signal, receipt }) => {
        const statement = `${target ?? ''}${prepared.sql}`
        const running =
          target === undefined
            ? await openQuery(database, statement, signal, { session, eager: true })
            : await writeRows(database, statement, session, signal)
        return Object.freeze({ ...running, receipt })
      })
    },
    copy: async (sql: string, path: string, options: MountedQueryOptions & Pick<CopyOptions, 'type'>) => {
      const prepared = await prepare(sql, options)
      if (prepared.target !== undefined)
        throw new ConnectorError('config', 'Only the result of a SELECT can be written to a file.', {
          code: 'InvalidSql',
        })
      return runPrepared(database, names, prepared, options, async ({ session, signal, receipt }) => {
        const copyOptions = { type: options.type, session, signal, via: database.staging.path }
        return { ...(await copyQuery(database, prepared.sql, path, copyOptions)), receipt: receipt() }
      })
    },
    explain: async (sql: string, options: MountedQueryOptions) => {
      const prepared = await prepare(sql, options)
      const work = await openWork(database, prepared, options, 'plan')
      try {
        const { needs } = prepared.plan
        const enough = rowsThatEnd(prepared, needs)
        const note = `Files are read in waves until ${enough} rows are found: this is the most that it can take.`
        return work.receipt(await work.plan(needs), 0, enough === undefined ? [] : [note])
      } finally {
        await prepared.cache.trim()
        await work.close()
      }
    },
    writable: () => (sealing ? database.staging.path : undefined),
    close: async () => {
      await (await planner?.catch(() => undefined))?.close()
    },
  })
}

interface PreparedQuery {
  readonly sql: string
  readonly target: string | undefined
  readonly tables: readonly {
    readonly label: string
    readonly name: PlanTable['name']
    readonly table: ZeroCopyTable
  }[]
  readonly searchPath: readonly (readonly [string, string])[]
  readonly plan: QueryPlan
  readonly cache: RangeCache
}

/** From the text to what it needs: names, tables, plan. Nothing is fetched but the catalog's answers. */
const prepareQuery = async (
  database: Database,
  planner: Planner,
  mountNames: MountNames,
  sql: string,
  { mounts, signal = new AbortController().signal, ...options }: MountedQueryOptions,
): Promise<PreparedQuery> => {
  throwIfCancelled(signal)
  const { target, select } = splitStatement(sql)
  const written = await planner.tables(select)
  const cache = openCache(options.cache)
  const connection = await database.connect()
  try {
    const { mounted, local } = resolveNames(written, mounts, await localSchemas(connection))
    const invented = mountNames.invent()
    const opened = await mapLimited(mounted, 8, async (entry) => ({
      label: labelOf(entry),
      name: [entry.written.catalog || invented, entry.written.schema, entry.written.table] as const,
      table: await entry.mount.open(
        { namespace: entry.namespace, name: entry.name },
        { signal, kept: cache.files },
      ),
    }))
    const searchPath = searchPathOf(
      database.catalog,
      opened.map(({ name }) => name),
      invented,
    )
    const plan = await planner.plan({
      sql: select,
      mounted: opened.map(({ name, table }) => ({ name, schema: table.schema })),
      local: await localTables(connection, database.catalog, local),
      searchPath,
      signal,
    })
    // Without a plan everything would be fetched: not for a statement that is wrong.
    if (plan.unplanned !== undefined) {
      const views = opened.map(({ name, table }) => ({ name, sql: emptyRelationSql(table.schema) }))
      await requireBinding(database, mountNames, views, searchPath, select)
    }
    return { sql: select, target, tables: opened, searchPath, plan, cache }
  } catch (error) {
    throw translateError(error, { action: 'query', location: database.location, signal })
  } finally {
    database.disconnect(connection)
  }
}

const labelOf = ({ written, namespace, name }: MountedName): string =>
  [...(written.catalog === '' ? [] : [written.catalog]), ...namespace, name].join('.')

/** `namespace.table` is found by way of the search path. */
const searchPathOf = (
  catalog: string,
  names: readonly PlanTable['name'][],
  invented: string,
): readonly (readonly [string, string])[] => {
  const schemas = new Map(
    names
      .filter(([mount]) => mount === invented)
      .map(([mount, schema]) => [schema.toLowerCase(), [mount, schema] as const]),
  )
  return [[catalog, 'main'], ...schemas.values()]
}

type Work = Awaited<ReturnType<typeof openWork>>

/** Folder, transport and counters of one run of a query. */
const openWork = async (
  database: Database,
  prepared: PreparedQuery,
  options: MountedQueryOptions,
  purpose: 'plan' | 'run',
) => {
  const folder = join(database.staging.path, `scan-${randomUUID()}`)
  await mkdir(folder, { recursive: true })
  const disk = await statfs(folder)
  const free = Math.floor(disk.bavail * disk.bsize * 0.8)
  const ceiling = Math.min(options.limits?.diskBytes ?? defaultDiskBytes, free)
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
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
    counts,
    aheadBytes: purpose === 'plan' ? 0 : ceiling,
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
      if (purpose === 'plan') refuseTooLarge(plans, ceiling)
      planned = plans.reduce((sum, { receipt }) => sum + receipt.bytesNeeded, 0)
      return plans
    },
    /** The plans come back as they were carried out: with less, where some columns told that others are not needed. */
    fetch: async (given: readonly TablePlan[]) => {
      step = 'fetching'
      report()
      const plans = await lessOf(context, given, ceiling, prepared.plan.enough === undefined)
      const relations = await mapLimited(plans, 4, (plan) => fetchTable(context, plan))
      step = 'executing'
      report()
      return { plans, relations }
    },
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

/**
 * The plans without what the columns of their filters and orders show to be of no use, as long as these fit the disk
 * besides. Throws `resource` when what is left does not.
 */
const lessOf = async (
  context: ScanContext,
  plans: readonly TablePlan[],
  ceiling: number,
  isWhole: boolean,
): Promise<readonly TablePlan[]> => {
  if (!isWhole) {
    refuseTooLarge(plans, ceiling)
    return plans
  }
  const needed = plans.reduce((sum, { diskBytes }) => sum + diskBytes, 0)
  // Where all fits, what is fetched beforehand has to fit as well; where not, it may help that it does.
  const spare = needed <= ceiling ? ceiling - needed : ceiling / 2
  const less = await mapLimited(plans, 4, (plan) => withoutLateColumns(context, plan, spare / plans.length))
  const used = less.some((plan, index) => plan !== plans[index]) && needed > ceiling ? ceiling / 2 : 0
  refuseTooLarge(less, ceiling - used)
  return less
}

/** A query that is ready to execute: its tables are mounted within the session. */
interface ReadyQuery {
  readonly session: QuerySession
  readonly signal: AbortSignal
  receipt(): QueryReceipt
}

const runPrepared = async <Result>(
  database: Database,
  names: MountNames,
  prepared: PreparedQuery,
  options: MountedQueryOptions,
  execute: (ready: ReadyQuery) => Promise<Result>,
): Promise<Result> => {
  let needs = prepared.plan.needs
  for (let repairs = 0; ; repairs++) {
    const work = await openWork(database, prepared, options, 'run')
    try {
      const { plans, relations } = await fetchEnough(database, names, prepared, needs, work)
      const session = openSession(database, names, prepared, relations, async () => {
        if (!work.signal.aborted) await work.keep()
        await work.close()
      })
      return await execute({ session, signal: work.signal, receipt: () => work.receipt(plans, repairs) })
    } catch (error) {
      await work.close()
      const repaired = repairs < maxRepairs ? withColumn(prepared, needs, error) : undefined
      if (!repaired)
        throw translateError(error, { action: 'query', location: database.location, signal: options.signal })
      needs = repaired
    }
  }
}

const firstWave = 4
const waveGrowth = 8

/**
 * What a query needs is on the disk. One that ends with a number of rows, whichever they are, takes the files in waves:
 * once their rows are enough the rest is left alone. A wave takes the files of the one before again, an eighth of it.
 */
const fetchEnough = async (
  database: Database,
  names: MountNames,
  prepared: PreparedQuery,
  needs: readonly TableNeeds[],
  work: Work,
): Promise<{ plans: readonly TablePlan[]; relations: readonly Relation[] }> => {
  const enough = rowsThatEnd(prepared, needs)
  for (let files = firstWave; ; files *= waveGrowth) {
    const planned = await work.plan(needs, enough === undefined ? undefined : files)
    const { plans, relations } = await work.fetch(planned)
    const isPartial = plans.some(({ receipt }) => receipt.skipped[leftOut] !== undefined)
    if (!isPartial || enough === undefined) return { plans, relations }
    const session = openSession(database, names, prepared, relations, async () => {})
    if ((await countRows(database, prepared.sql, session, work.signal)) >= enough) return { plans, relations }
  }
}

/** Rows of the result that are enough, where a scan does not know by itself when it can stop. */
const rowsThatEnd = ({ plan }: PreparedQuery, needs: readonly TableNeeds[]): number | undefined =>
  needs.some(({ limit }) => limit !== undefined) ? undefined : plan.enough

const openSession = (
  database: Database,
  names: MountNames,
  { tables, searchPath }: PreparedQuery,
  relations: readonly Relation[],
  onEnd: () => Promise<void>,
): QuerySession => {
  const views = tables.map(({ name }, index) => ({
    name,
    sql: relationSql(relations[index] as Relation, index),
  }))
  names.take([...new Set(views.map(({ name }) => name[0]))])
  return mountSession(database, names, views, searchPath, onEnd)
}

/** The needs again, with the column that DuckDB asked for against the plan; undefined for another error. */
const withColumn = (
  { tables }: PreparedQuery,
  needs: readonly TableNeeds[],
  error: unknown,
): readonly TableNeeds[] | undefined => {
  const missing = unplannedColumn(error instanceof Error ? error.message : String(error))
  const name = missing && tables[missing.table]?.table.schema.columns[missing.column]?.name
  if (!missing || name === undefined) return undefined
  return needs.map((need, index) =>
    index === missing.table ? { ...need, columns: [...need.columns, [name]] } : need,
  )
}
