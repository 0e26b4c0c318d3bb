import type {
  AnyZeroCopy,
  Connection,
  MountedQuery,
  MountedQueryOptions,
  QueryReceipt,
  TableEngine,
} from '@penstock/core'
import { type OpenMountsOptions, openMounts } from './mounts.ts'

export interface InPlaceOptions
  extends OpenMountsOptions,
    Pick<MountedQueryOptions, 'limits' | 'cache' | 'onProgress'> {
  /** One SELECT; `CREATE TABLE ... AS` or `INSERT INTO ...` with one keeps the rows in the engine's database. */
  readonly sql: string
  readonly connections: readonly Connection<AnyZeroCopy>[]
  /** Where it runs; its own tables can be joined. */
  readonly engine: TableEngine
}

/** Requests in flight: of the engine, and of the connections that it reads through. */
const defaultConcurrency = 128

const concurrencyOf = ({ concurrency, limits }: InPlaceOptions): number =>
  concurrency ?? limits?.concurrency ?? defaultConcurrency

const connectionsOf = (options: InPlaceOptions) =>
  openMounts(options.connections, { ...options, concurrency: concurrencyOf(options) })

const mounted = (options: InPlaceOptions, mounts: MountedQueryOptions['mounts']): MountedQueryOptions => ({
  mounts,
  signal: options.signal,
  limits: {
    ...options.limits,
    concurrency: concurrencyOf(options),
  },
  cache: options.cache,
  onProgress: options.onProgress,
})

/**
 * Runs SQL over the tables of zero-copy connections, where they are. Rows stream; read them to the end, or close the
 * query: until then the connections stay open.
 */
export const query = async (options: InPlaceOptions): Promise<MountedQuery> => {
  const { mounts, close } = await connectionsOf(options)
  try {
    const running = await options.engine.queryMounted(options.sql, mounted(options, mounts))
    const end = async () => {
      await running.close()
      await close()
    }
    const { columns } = running.result
    return Object.freeze({
      result: Object.freeze({ columns, rows: () => closing(running.result.rows(), end) }),
      receipt: running.receipt,
      close: end,
    })
  } catch (error) {
    await close()
    throw error
  }
}

async function* closing<Page>(pages: AsyncIterable<Page>, end: () => Promise<void>): AsyncGenerator<Page> {
  try {
    yield* pages
  } finally {
    await end()
  }
}

/** What a query would cost: everything is planned, no data is fetched. */
export const explain = async (options: InPlaceOptions): Promise<QueryReceipt> => {
  const { mounts, close } = await connectionsOf(options)
  try {
    return await options.engine.explainMounted(options.sql, mounted(options, mounts))
  } finally {
    await close()
  }
}

/** Writes the rows of a query to a local file, without passing them through JavaScript. */
export const queryToFile = async (
  options: InPlaceOptions & { readonly path: string; readonly type: 'csv' | 'json' | 'parquet' },
): Promise<{ rows: number; bytes: number; receipt: QueryReceipt }> => {
  const { mounts, close } = await connectionsOf(options)
  try {
    return await options.engine.copyMounted(options.sql, options.path, {
      ...mounted(options, mounts),
      type: options.type,
    })
  } finally {
    await close()
  }
}
