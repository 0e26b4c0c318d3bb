import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { TableSchema } from '@penstock/core'
import { throwIfCancelled } from '../../errors.ts'
import { createQueue } from '../../interruptible.ts'
import { duckdbType } from '../../logical-types.ts'
import { firstRow, quoteIdentifier, quoteQualified, quoteText } from '../../sql.ts'
import { type Json, listAt, parseJson, textAt } from './json.ts'
import { type PlanNeeds, readPlan } from './optimizer-plan.ts'
import { readSyntaxTree, type TableName } from './statement.ts'

/** A table as the plan sees it: its name in DuckDB and its columns. */
export interface PlanTable {
  /** Catalog, schema and name. */
  readonly name: readonly [string, string, string]
  readonly schema: TableSchema
}

export interface PlanRequest {
  /** One SELECT. */
  readonly sql: string
  readonly mounted: readonly PlanTable[]
  /** Tables and views of the local database that the statement names. */
  readonly local: readonly PlanTable[]
  /** DuckDB's search path: `catalog.schema`. */
  readonly searchPath: readonly (readonly [string, string])[]
  readonly signal: AbortSignal
}

/** Needs are in the order of `mounted`. */
export interface QueryPlan extends PlanNeeds {
  /** Why everything is read: the plan could not be had. */
  readonly unplanned?: string
}

/**
 * Asks DuckDB's optimizer what a query needs, in a database of its own that holds no rows: each mounted table is a
 * Parquet file without rows, each local one an empty table. Nothing that SQL says there can reach the disk.
 */
export interface Planner {
  plan(request: PlanRequest): Promise<QueryPlan>
  close(): Promise<void>
}

/**
 * Optimizers that are off while a plan is made. Statistics would conclude from the empty stand-ins that there are no
 * rows. The others change nothing of what is needed, but DuckDB (1.5) can't serialise all of their plans; which one is
 * in the way depends on the query, so that the next set is tried where one fails.
 */
const attempts: readonly string[] = [
  ['statistics_propagation', 'late_materialization', 'limit_pushdown'],
  ['statistics_propagation', 'late_materialization', 'limit_pushdown', 'build_side_probe_side'],
  ['statistics_propagation', 'late_materialization'],
].map((names) => names.join(','))

/** `folder` is made, holds the stubs, and is removed with the planner. */
export const createPlanner = async (folder: string): Promise<Planner> => {
  await mkdir(folder, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: '128MiB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  for (const statement of [
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL temp_directory = ''",
    `SET GLOBAL allowed_directories = [${quoteText(`${folder}/`)}]`,
    'SET GLOBAL enable_external_access = false',
  ])
    await connection.run(statement)
  const enqueue = createQueue()
  let ordinal = 0
  return Object.freeze({
    plan: (request: PlanRequest) =>
      enqueue(async () => {
        throwIfCancelled(request.signal)
        const catalogs = catalogsOf(request)
        try {
          return await planIn(connection, request, catalogs, join(folder, String(ordinal++)))
        } finally {
          await connection.run('USE memory')
          for (const catalog of catalogs)
            await connection.run(`DETACH ${quoteIdentifier(catalog)}`).catch(() => {})
        }
      }),
    close: async () => {
      await enqueue(async () => {
        connection.disconnectSync()
        instance.closeSync()
      })
      await rm(folder, { recursive: true, force: true })
    },
  })
}

/**
 * Tables that a SELECT names. It is parsed and nothing of it runs, so that any connection will do: by its full name the
 * function is DuckDB's own, whatever macros the database has.
 */
export const tablesIn = async (connection: DuckDBConnection, select: string): Promise<readonly TableName[]> =>
  readSyntaxTree(await documentOf(connection, `system.main.json_serialize_sql(${quoteText(select)})`))

const documentOf = async (connection: DuckDBConnection, expression: string): Promise<Json> =>
  parseJson(String((await firstRow(connection, `SELECT ${expression}`))?.[0]))

/** DuckDB's own name of an in-memory database: there is one already. */
const ownCatalog = 'memory'

const catalogsOf = ({ mounted, local, searchPath }: PlanRequest): string[] => {
  const names = [...mounted, ...local].map((table) => table.name[0])
  const all = new Map(
    [...names, ...searchPath.map(([catalog]) => catalog)].map((name) => [name.toLowerCase(), name]),
  )
  all.delete(ownCatalog)
  return [...all.values()]
}

const planIn = async (
  connection: DuckDBConnection,
  request: PlanRequest,
  catalogs: readonly string[],
  folder: string,
): Promise<QueryPlan> => {
  const { mounted, local, sql } = request
  const stubs = mounted.map((table, index) => ({ ...table, stub: `${folder}-${index}.parquet` }))
  const made = local.filter(({ name }) => name[0].toLowerCase() === ownCatalog)
  try {
    for (const catalog of catalogs) await connection.run(`ATTACH ':memory:' AS ${quoteIdentifier(catalog)}`)
    for (const { name, schema } of local) {
      await makeSchema(connection, name)
      await connection.run(`CREATE TABLE ${quoteQualified(...name)} (${columnList(schema)})`)
    }
    for (const { name, schema, stub } of stubs) {
      await makeSchema(connection, name)
      await connection.run(
        `COPY (SELECT ${nullColumns(schema)} LIMIT 0) TO ${quoteText(stub)} (FORMAT parquet)`,
      )
      await connection.run(
        `CREATE VIEW ${quoteQualified(...name)} AS SELECT ${castColumns(schema)} FROM read_parquet(${quoteText(stub)})`,
      )
    }
    await connection.run(`SET search_path = ${quoteText(searchPathText(request.searchPath))}`)
    let reason = 'it is empty'
    for (const disabled of attempts) {
      await connection.run(`SET disabled_optimizers = ${quoteText(disabled)}`)
      const document = await documentOf(
        connection,
        `json_serialize_plan(${quoteText(sql)}, optimize := true)`,
      )
      const plans = listAt(document, 'plans')
      if (plans.length > 0) return readPlan(plans, stubs)
      reason = textAt(document, 'error_message') ?? reason
    }
    return unplanned(mounted, reason)
  } catch (error) {
    throwIfCancelled(request.signal)
    return unplanned(mounted, error instanceof Error ? error.message : String(error))
  } finally {
    for (const { name } of made)
      await connection.run(`DROP TABLE IF EXISTS ${quoteQualified(...name)}`).catch(() => {})
    for (const { stub } of stubs) await rm(stub, { force: true })
  }
}

/** Everything of every table: right, whatever the query is. If the SQL is wrong, its execution tells. */
const unplanned = (tables: readonly PlanTable[], reason: string): QueryPlan => ({
  needs: tables.map(({ schema }) => ({
    columns: schema.columns.map(({ name }) => [name] as const),
    scans: 1,
  })),
  unplanned: reason.split('\n')[0] ?? reason,
})

const makeSchema = (connection: DuckDBConnection, [catalog, schema]: readonly [string, string, string]) =>
  connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoteQualified(catalog, schema)}`)

const columnList = ({ columns }: TableSchema): string =>
  columns.map(({ name, type }) => `${quoteIdentifier(name)} ${duckdbType(type)}`).join(', ')

const nullColumns = ({ columns }: TableSchema): string =>
  columns.map(({ name, type }) => `NULL::${duckdbType(type)} AS ${quoteIdentifier(name)}`).join(', ')

/** Parquet has no type for some of DuckDB's (HUGEINT is a DOUBLE there): a cast that DuckDB leaves out where it is none. */
const castColumns = ({ columns }: TableSchema): string =>
  columns
    .map(({ name, type }) => `${quoteIdentifier(name)}::${duckdbType(type)} AS ${quoteIdentifier(name)}`)
    .join(', ')

/** DuckDB's own quoting within `search_path`. */
export const searchPathText = (path: PlanRequest['searchPath']): string =>
  path.map(([catalog, schema]) => quoteQualified(catalog, schema)).join(',')
