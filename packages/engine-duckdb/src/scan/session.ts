import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError } from '@penstock/core'
import type { Database } from '../database.ts'
import type { QuerySession } from '../query.ts'
import { quoteIdentifier, quoteQualified, quoteText } from '../sql.ts'
import { type PlanTable, searchPathText } from './plan/planner.ts'

/** A mounted table as DuckDB will find it. */
export interface MountedView {
  readonly name: PlanTable['name']
  /** SELECT of its rows. */
  readonly sql: string
}

/**
 * Names of mounts that are attached now. They are names of the whole database, so a name can serve one query at a time;
 * names that no SQL writes are made up, and serve any number.
 */
export const createMountNames = () => {
  const taken = new Set<string>()
  let ordinal = 0
  return Object.freeze({
    /** A name that no query uses. */
    invent: () => `__penstock_mount_${ordinal++}`,
    take: (names: readonly string[]) => {
      const busy = names.find((name) => taken.has(name.toLowerCase()))
      if (busy !== undefined)
        throw new ConnectorError('conflict', `Another query over ${busy} is not read to its end.`, {
          code: 'MountInUse',
          hint: 'Read or close it first, or write namespace.table without the connection.',
        })
      for (const name of names) taken.add(name.toLowerCase())
    },
    give: (names: readonly string[]) => {
      for (const name of names) taken.delete(name.toLowerCase())
    },
  })
}

export type MountNames = ReturnType<typeof createMountNames>

/** Attaches the mounts of one query around it. The names have been taken; they are given back at its end. */
export const mountSession = (
  database: Database,
  names: MountNames,
  views: readonly MountedView[],
  searchPath: readonly (readonly [string, string])[],
  onEnd: () => Promise<void>,
): QuerySession => {
  const catalogs = [...new Set(views.map(({ name }) => name[0]))]
  return Object.freeze({
    begin: (connection: DuckDBConnection) => attach(connection, catalogs, views, searchPath),
    end: async () => {
      await detach(database, catalogs)
      names.give(catalogs)
      await onEnd()
    },
  })
}

/** Throws what DuckDB has against a statement, without a row of its tables. */
export const requireBinding = async (
  database: Database,
  names: MountNames,
  views: readonly MountedView[],
  searchPath: readonly (readonly [string, string])[],
  sql: string,
): Promise<void> => {
  const catalogs = [...new Set(views.map(({ name }) => name[0]))]
  names.take(catalogs)
  const connection = await database.connect()
  try {
    await attach(connection, catalogs, views, searchPath)
    const statement = await connection.prepare(sql)
    statement.destroySync()
  } finally {
    database.disconnect(connection)
    await detach(database, catalogs)
    names.give(catalogs)
  }
}

const attach = async (
  connection: DuckDBConnection,
  catalogs: readonly string[],
  views: readonly MountedView[],
  searchPath: readonly (readonly [string, string])[],
): Promise<void> => {
  for (const catalog of catalogs)
    await connection.run(`ATTACH ':memory:' AS ${quoteIdentifier(catalog)} (READ_WRITE)`)
  for (const { name, sql } of views) {
    const [catalog, schema] = name
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoteQualified(catalog, schema)}`)
    await connection.run(`CREATE VIEW ${quoteQualified(...name)} AS ${sql}`)
  }
  await connection.run(`SET search_path = ${quoteText(searchPathText(searchPath))}`)
}

/** The database may be closing: then they go with it. */
const detach = async (database: Database, catalogs: readonly string[]): Promise<void> => {
  try {
    const connection = await database.connect()
    try {
      for (const catalog of catalogs)
        await connection.run(`DETACH DATABASE IF EXISTS ${quoteIdentifier(catalog)}`)
    } finally {
      database.disconnect(connection)
    }
  } catch {}
}
