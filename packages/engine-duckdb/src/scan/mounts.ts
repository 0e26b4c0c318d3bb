import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ConnectorError,
  type MountedQuery,
  type MountedQueryOptions,
  type QueryReceipt,
  type ZeroCopyTable,
} from '@penstock/core'
import { type CopyOptions, copyQuery } from '../copy.ts'
import type { Database } from '../database.ts'
import { throwIfCancelled, translateError } from '../errors.ts'
import { missingTableOf } from '../missing-table.ts'
import { openQuery, type QuerySession } from '../query.ts'
import { openCache, type RangeCache } from './fetch/cache.ts'
import { mapLimited } from './fetch/map-limited.ts'
import { localSchemas, localTables } from './local-tables.ts'
import { chainParts, gatherParts, type ReadyParts } from './parts.ts'
import { type MountedName, resolveNames } from './plan/names.ts'
import type { TableNeeds } from './plan/optimizer-plan.ts'
import { createPlanner, type Planner, type PlanTable, type QueryPlan, tablesIn } from './plan/planner.ts'
import { splitStatement } from './plan/statement.ts'
import { sealDatabase } from './seal.ts'
import { createMountNames, type MountNames, mountSession, requireBinding } from './session.ts'
import { leftOut, type TablePlan } from './table/plan-table.ts'
import { emptyRelationSql, type Relation, relationSql, unplannedColumn } from './table/relation.ts'
import { type Fetched, openWork, type Work } from './work.ts'
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

/** Times that a query runs again with more columns, before all of them are fetched. */
const maxRepairs = 3

export const createMountedQueries = (database: Database): MountedQueries => {
  const names = createMountNames()
  let sealing: Promise<void> | undefined
  let planner: Promise<Planner> | undefined
  const ready = async (): Promise<Planner> => {
    sealing ??= sealDatabase(database)
    planner ??= createPlanner(join(database.staging.path, 'plan'))
    const [opened] = await Promise.all([planner, sealing])
    return opened
  }
  const prepare = (sql: string, options: MountedQueryOptions) =>
    prepareQuery(database, ready, names, sql, options)
  return Object.freeze({
    query: async (sql: string, options: MountedQueryOptions) => {
      const prepared = await prepare(sql, options)
      const { target } = prepared
      return runPrepared(database, names, prepared, options, async ({ receipt, ...ready }) => {
        if (target !== undefined) {
          const { sql: rows, session } = await gatherParts(database, names, prepared.sql, ready)
          const written = await writeRows(database, `${target}${rows}`, session, ready.signal)
          return Object.freeze({ ...written, receipt })
        }
        const { session, signal } = ready
        const running = await openQuery(database, prepared.sql, signal, { session, eager: true })
        return Object.freeze({ ...chainParts(database, prepared.sql, running, ready), receipt })
      })
    },
    copy: async (sql: string, path: string, options: MountedQueryOptions & Pick<CopyOptions, 'type'>) => {
      const prepared = await prepare(sql, options)
      if (prepared.target !== undefined)
        throw new ConnectorError('config', 'Only the result of a SELECT can be written to a file.', {
          code: 'InvalidSql',
        })
      return runPrepared(database, names, prepared, options, async ({ receipt, ...ready }) => {
        const { sql: rows, session } = await gatherParts(database, names, prepared.sql, ready)
        const copyOptions = { type: options.type, session, signal: ready.signal, via: database.staging.path }
        return { ...(await copyQuery(database, rows, path, copyOptions)), receipt: receipt() }
      })
    },
    explain: async (sql: string, options: MountedQueryOptions) => {
      const prepared = await prepare(sql, options)
      const work = await openWork(database, prepared, options, 'plan')
      try {
        const plans = await work.plan(prepared.plan.needs)
        return work.receipt(plans, 0, work.outlook(plans))
      } finally {
        await prepared.cache.trim()
        await work.close()
      }
    },
    writable: () => (sealing ? database.staging.path : undefined),
    close: async () => {
      await sealing?.catch(() => {})
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

/**
 * From the text to what it needs: names, tables, plan. Nothing is fetched but the catalog's answers. The planner is opened
 * and the database sealed (`ready`) while the catalog is asked, and not sooner, for they would take the processor from it;
 * before that nothing of the statement or the database's views is bound.
 */
const prepareQuery = async (
  database: Database,
  ready: () => Promise<Planner>,
  mountNames: MountNames,
  sql: string,
  { mounts, signal = new AbortController().signal, ...options }: MountedQueryOptions,
): Promise<PreparedQuery> => {
  throwIfCancelled(signal)
  const { target, select } = splitStatement(sql)
  const cache = openCache(options.cache)
  const connection = await database.connect()
  try {
    const schemas = await localSchemas(connection, database.catalog)
    const { mounted, local } = resolveNames(await tablesIn(connection, select), mounts, schemas)
    const invented = mountNames.invent()
    const opening = mapLimited(mounted, 8, async (entry) => ({
      label: labelOf(entry),
      name: [entry.written.catalog || invented, entry.written.schema, entry.written.table] as const,
      table: await entry.mount.open(
        { namespace: entry.namespace, name: entry.name },
        { signal, kept: cache.files },
      ),
    }))
    opening.catch(() => {})
    const planner = await ready()
    const localOnes = await localTables(connection, database.catalog, local)
    const opened = await opening
    const searchPath = searchPathOf(
      database.catalog,
      opened.map(({ name }) => name),
      invented,
    )
    const plan = await planner.plan({
      sql: select,
      mounted: opened.map(({ name, table }) => ({ name, schema: table.schema })),
      local: localOnes,
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
    throw unknownTable(translateError(error, { action: 'query', location: database.location, signal }))
  } finally {
    database.disconnect(connection)
  }
}

/** DuckDB does not know how tables of connections are named. */
const unknownTable = (error: ConnectorError): ConnectorError => {
  const { name, similar } = missingTableOf(error) ?? {}
  if (name === undefined) return error
  const isOwn = similar !== undefined && !/^(pg_|duckdb_|sqlite_|information_schema)/.test(similar)
  return new ConnectorError('config', `There is no table ${name}.`, {
    code: 'InvalidSql',
    hint: `${isOwn ? `Did you mean ${similar}? ` : ''}Tables of a connection are named namespace.table, as "penstock tables" lists them.`,
    cause: error,
  })
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

/** A query that is ready to execute: its tables are mounted within the session. */
interface ReadyQuery extends ReadyParts {
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
      const { plans, relations, later } = await fetchEnough(database, names, prepared, needs, work)
      const close = async () => {
        if (!work.signal.aborted) await work.keep()
        await work.close()
      }
      const sessionOf = (mounted: readonly Relation[], onEnd: () => Promise<void>) =>
        openSession(database, names, prepared, mounted, onEnd)
      const ready =
        later.length === 0
          ? { session: sessionOf(relations, close) }
          : readyParts(work, relations, later, sessionOf)
      return await execute({
        ...ready,
        signal: work.signal,
        receipt: () => work.receipt(plans, repairs),
      })
    } catch (error) {
      await work.close()
      const repaired = repairs < maxRepairs ? withColumn(prepared, needs, error) : undefined
      if (!repaired)
        throw translateError(error, { action: 'query', location: database.location, signal: options.signal })
      needs = repaired
    }
  }
}

/** Sessions of a table that comes in parts: the files of each go with it, and meanwhile the next one is fetched. */
const readyParts = (
  work: Work,
  first: readonly Relation[],
  later: readonly TablePlan[],
  sessionOf: (relations: readonly Relation[], onEnd: () => Promise<void>) => QuerySession,
): Pick<ReadyQuery, 'session' | 'parts'> => {
  const waiting = [...later]
  const fetchNext = (): Promise<Relation> | undefined => {
    const part = waiting.shift()
    const fetching = part && work.fetchPart(part)
    fetching?.catch(() => {})
    return fetching
  }
  const open = (relations: readonly Relation[]) =>
    sessionOf(relations, async () => {
      const paths = relations.flatMap(({ groups }) => groups.flatMap((group) => group.paths))
      await Promise.all(paths.map((path) => rm(path, { force: true })))
    })
  let ahead = fetchNext()
  const next = async (): Promise<QuerySession | undefined> => {
    const relation = await ahead
    if (!relation) return undefined
    ahead = fetchNext()
    return open([relation])
  }
  return { session: open(first), parts: { next, close: work.close } }
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
): Promise<Fetched> => {
  const enough = rowsThatEnd(prepared, needs)
  for (let files = firstWave; ; files *= waveGrowth) {
    const planned = await work.plan(needs, enough === undefined ? undefined : files)
    const fetched = await work.fetch(planned)
    const isPartial = fetched.plans.some(({ receipt }) => receipt.skipped[leftOut] !== undefined)
    if (!isPartial || enough === undefined) return fetched
    const session = openSession(database, names, prepared, fetched.relations, async () => {})
    if ((await countRows(database, prepared.sql, session, work.signal)) >= enough) return fetched
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
