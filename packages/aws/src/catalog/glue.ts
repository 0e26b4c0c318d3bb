import type { GlueClient } from '@aws-sdk/client-glue'
import { ConnectorError } from '@penstock/core'
import type { AwsCredentialProvider } from '../auth/authentication.ts'
import { awsPartition, endpointProblem } from '../connection/endpoint.ts'
import { type AwsErrorContext, translateAwsError } from '../errors/translate.ts'
import { createDispatcher } from '../http/dispatcher.ts'
import { healed } from '../http/heal.ts'
import { createRetries, type RetryOptions, retrySettings } from '../http/retry.ts'
import { createGlueClient } from './glue-client.ts'
import {
  type GlueDatabase,
  type GluePartition,
  type GlueTable,
  readDatabase,
  readPartition,
  readTable,
} from './glue-model.ts'

export interface OpenGlueOptions {
  readonly region: string
  /** Leave it out for AWS. */
  readonly endpoint?: string | undefined
  readonly allowInsecure?: boolean | undefined
  readonly provider: AwsCredentialProvider
  /** Id of the Data Catalog, the caller's account when absent: `111122223333`, `111122223333:cat1/cat2`. */
  readonly catalogId?: string | undefined
  readonly signal: AbortSignal
  readonly clock: () => Date
  readonly retry?: RetryOptions
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

interface PartitionOptions extends CallOptions {
  readonly expression?: string | undefined
}

/** The Data Catalog by Glue's own API, read-only. Pages come as they arrive. All functions throw ConnectorErrors. */
export interface GlueAccess {
  databases(options?: CallOptions): AsyncIterable<readonly GlueDatabase[]>
  /** Throws `not-found` when there is none. */
  database(name: string, options?: CallOptions): Promise<GlueDatabase>
  tables(database: string, options?: CallOptions): AsyncIterable<readonly GlueTable[]>
  /** Throws `not-found` when there is none. */
  table(database: string, name: string, options?: CallOptions): Promise<GlueTable>
  /** Partitions that the expression allows ("Expression" of GetPartitions); all without one. */
  partitions(
    database: string,
    table: string,
    options?: PartitionOptions,
  ): AsyncIterable<readonly GluePartition[]>
  close(): Promise<void>
}

/** ARN of the catalog, of a database in it, or of a table: what actions of Glue are allowed on. */
export const glueArn = (
  place: {
    readonly region: string
    readonly account?: string | undefined
    readonly path?: string | undefined
  },
  ...names: readonly string[]
): string => {
  const kind = ['catalog', 'database', 'table'][names.length]
  const parts = [kind, ...(place.path ? [place.path] : []), ...names]
  return `arn:${awsPartition(place.region).id}:glue:${place.region}:${place.account ?? '*'}:${parts.join('/')}`
}

/** `111122223333:cat1/cat2` as account and path below its default catalog. */
export const parseCatalogId = (id: string | undefined): { account?: string; path?: string } => {
  const [, account, path] = /^(?:(\d{12})(?::|$)|:)?(.*)$/.exec(id ?? '') ?? []
  return { ...(account ? { account } : {}), ...(path ? { path } : {}) }
}

/** Opens the Data Catalog. Nothing is sent before the first call; the SDK is loaded with it. */
export const openGlue = (options: OpenGlueOptions): GlueAccess => {
  const { region, endpoint, provider, clock, catalogId } = options
  const problem =
    endpoint === undefined ? undefined : endpointProblem(endpoint, options.allowInsecure ?? false)
  if (problem)
    throw new ConnectorError('config', `glueEndpoint: ${problem}.`, { code: 'InvalidConfiguration' })
  const host =
    endpoint === undefined ? `glue.${region}.${awsPartition(region).suffix}` : new URL(endpoint).hostname
  const settings = retrySettings(options.retry ?? {}, 8)
  const dispatcher = createDispatcher(host, { ...settings, connections: 8 })
  const retries = createRetries(settings)
  const place = { region, ...parseCatalogId(catalogId) }
  const catalog = catalogId === undefined ? {} : { CatalogId: catalogId }
  let client: Promise<GlueClient> | undefined

  const open = (): Promise<GlueClient> => {
    client ??= createGlueClient({ region, endpoint, provider, clock, dispatcher })
    return client
  }

  const call = async <Output>(
    operation: string,
    names: readonly string[],
    { signal: given }: CallOptions,
    send: (
      sdk: typeof import('@aws-sdk/client-glue'),
      client: GlueClient,
      sending: { abortSignal: AbortSignal },
    ) => Promise<Output>,
  ): Promise<Output> => {
    const signal = given ? AbortSignal.any([options.signal, given]) : options.signal
    const context: AwsErrorContext = {
      operation,
      action: `glue:${operation}`,
      resource: glueArn(place, ...names),
      catalog: 'Glue',
      subject: subjectOf(names),
      region,
      host,
    }
    const translate = (error: unknown): ConnectorError =>
      signal.aborted && ConnectorError.isInstance(signal.reason)
        ? signal.reason
        : translateAwsError(error, { ...context, now: clock() })
    const run = retries.start(signal)
    const [sdk, glue] = await Promise.all([import('@aws-sdk/client-glue'), open()])
    for (;;) {
      try {
        const output = await healed(provider, () => send(sdk, glue, { abortSignal: signal }))
        run.done()
        retries.answered()
        return output
      } catch (error) {
        await run.wait(translate(error)).catch((reason: unknown) => {
          throw translate(reason)
        })
      }
    }
  }

  type Send<Output> = Parameters<typeof call<Output>>[3]

  /** Pages of a listing, until no token follows. */
  async function* pages<Page extends { readonly NextToken?: string | undefined }>(
    operation: string,
    names: readonly string[],
    at: CallOptions,
    send: (token: { readonly NextToken?: string }) => Send<Page>,
  ): AsyncGenerator<Page> {
    for (let token: { readonly NextToken?: string } | undefined = {}; token; ) {
      const page: Page = await call(operation, names, at, send(token))
      yield page
      token = page.NextToken ? { NextToken: page.NextToken } : undefined
    }
  }

  return Object.freeze({
    async *databases(at: CallOptions = {}) {
      const listed = pages(
        'GetDatabases',
        ['*'],
        at,
        (token) => (sdk, glue, sending) =>
          glue.send(new sdk.GetDatabasesCommand({ ...catalog, ...token }), sending),
      )
      for await (const { DatabaseList } of listed) yield (DatabaseList ?? []).map(readDatabase)
    },
    database: async (name: string, at: CallOptions = {}) => {
      const { Database } = await call('GetDatabase', [name], at, (sdk, glue, sending) =>
        glue.send(new sdk.GetDatabaseCommand({ ...catalog, Name: name }), sending),
      )
      return readDatabase(Database ?? { Name: name })
    },
    async *tables(database: string, at: CallOptions = {}) {
      const listed = pages(
        'GetTables',
        [database, '*'],
        at,
        (token) => (sdk, glue, sending) =>
          glue.send(new sdk.GetTablesCommand({ ...catalog, DatabaseName: database, ...token }), sending),
      )
      for await (const { TableList } of listed) yield (TableList ?? []).map(readTable)
    },
    table: async (database: string, name: string, at: CallOptions = {}) => {
      const { Table } = await call('GetTable', [database, name], at, (sdk, glue, sending) =>
        glue.send(new sdk.GetTableCommand({ ...catalog, DatabaseName: database, Name: name }), sending),
      )
      return readTable(Table ?? { Name: name })
    },
    async *partitions(database: string, table: string, { expression, ...at }: PartitionOptions = {}) {
      const wanted = {
        ...catalog,
        DatabaseName: database,
        TableName: table,
        ExcludeColumnSchema: true,
        ...(expression === undefined ? {} : { Expression: expression }),
      }
      const listed = pages(
        'GetPartitions',
        [database, table],
        at,
        (token) => (sdk, glue, sending) =>
          glue.send(new sdk.GetPartitionsCommand({ ...wanted, ...token }), sending),
      )
      for await (const { Partitions } of listed) yield (Partitions ?? []).map(readPartition)
    },
    close: async () => {
      ;(await client?.catch(() => undefined))?.destroy()
      await dispatcher.destroy()
    },
  } satisfies GlueAccess)
}

const subjectOf = (names: readonly string[]): string => {
  const [database, table] = names.filter((name) => name !== '*')
  if (database === undefined) return 'catalog'
  return table === undefined ? `database ${database}` : `table ${database}.${table}`
}
