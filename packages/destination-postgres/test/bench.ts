import {
  type AnyDestination,
  type Connection,
  ConnectorError,
  type RunRecord,
  type TableEngine,
} from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { startPostgres, type TestPostgres } from '@penstock/postgres-fixture'
import { type ExportOptions, exportTo } from '@penstock/runtime'
import { type PostgresDestinationInput, postgresDestination } from '../src/index.ts'

export interface Bench {
  readonly server: TestPostgres
  readonly engine: TableEngine
  readonly input: (changes?: Partial<PostgresDestinationInput>) => PostgresDestinationInput
  readonly connection: (changes?: Partial<PostgresDestinationInput>) => Connection<AnyDestination>
  /** Exports a SELECT as a stream and an export of this name. */
  readonly put: (name: string, sql: string, options?: PutOptions) => Promise<RunRecord>
  /** Like `put`, for an export that has to fail: its error. */
  readonly failure: (
    name: string,
    sql: string,
    options?: PutOptions,
  ) => Promise<ConnectorError | RunRecord['error']>
  /** Rows of a query as lists of texts. */
  readonly rows: (sql: string) => Promise<readonly (readonly unknown[])[]>
  readonly close: () => Promise<void>
}

interface PutOptions extends Partial<Omit<ExportOptions, 'streams' | 'destination' | 'engine'>> {
  readonly key?: readonly string[]
  readonly to?: Partial<PostgresDestinationInput>
}

/** A server with the schema `sales`, and an engine. */
export const openBench = async (): Promise<Bench> => {
  const server = await startPostgres()
  const engine = await duckdb(':memory:')
  const { host, port, user, password, database } = server
  const input: Bench['input'] = (changes = {}) => ({
    host,
    port,
    database,
    schema: 'sales',
    auth: { method: 'password', user, password },
    ...changes,
  })
  const connection: Bench['connection'] = (changes) => postgresDestination(input(changes), { name: 'wh' })
  const put: Bench['put'] = (name, sql, { key, to, ...options } = {}) =>
    exportTo({
      destination: connection(to),
      engine,
      name,
      streams: [{ sql, name, ...(key && { key: [...key] }) }],
      ...options,
    })
  return Object.freeze({
    server,
    engine,
    input,
    connection,
    put,
    failure: async (name: string, sql: string, options?: PutOptions) => {
      try {
        return (await put(name, sql, options)).error
      } catch (error) {
        if (ConnectorError.isInstance(error)) return error
        throw error
      }
    },
    rows: async (sql: string) => (await server.query(sql)).rows.map((row) => Object.values(row)),
    close: async () => {
      await engine.close()
      await server.close()
    },
  })
}
