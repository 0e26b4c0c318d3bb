import { ConnectorError } from '@penstock/core'
import type { AwsCredentialProvider } from '../auth/authentication.ts'
import { awsPartition } from '../connection/endpoint.ts'
import type { RetryOptions } from '../http/retry.ts'
import { openCalls } from './calls.ts'
import {
  type GlueDatabase,
  type GluePartition,
  type GlueTable,
  readDatabase,
  readPartition,
  readTable,
  type WireDatabase,
  type WirePartition,
  type WireTable,
} from './glue-model.ts'
import { parseAnswer } from './rest.ts'

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

const readingOperation = /^(Get|BatchGet|Search)[A-Z]/

/** Throws for every operation that does not read: over HTTP all operations of Glue are POSTs. */
export const assertGlueReads = (operation: string): void => {
  if (readingOperation.test(operation)) return
  throw new ConnectorError('permission', `This connection is read-only: ${operation} was not sent.`, {
    code: 'ReadOnlyConnection',
    hint: 'A zero-copy connection only reads.',
  })
}

/**
 * Opens the Data Catalog. Nothing is sent before the first call. The few operations that read are spoken here, as the
 * SDK's client of Glue takes some 0.15 s of CPU to load: more than all else that a small query does.
 * https://docs.aws.amazon.com/glue/latest/webapi/API_Operations.html
 */
export const openGlue = (options: OpenGlueOptions): GlueAccess => {
  const { region, provider, clock, catalogId, signal, retry, allowInsecure } = options
  const calls = openCalls({
    endpoint: options.endpoint ?? `https://glue.${region}.${awsPartition(region).suffix}`,
    field: 'glueEndpoint',
    title: 'Glue',
    authorization: { kind: 'sigv4', service: 'glue', region, provider },
    allowInsecure,
    signal,
    clock,
    retry,
  })
  const place = { region, ...parseCatalogId(catalogId) }
  const catalog = catalogId === undefined ? {} : { CatalogId: catalogId }

  const call = async <Output>(
    operation: string,
    names: readonly string[],
    input: Readonly<Record<string, unknown>>,
    { signal }: CallOptions,
  ): Promise<Output> => {
    assertGlueReads(operation)
    return calls.send(
      {
        operation,
        action: `glue:${operation}`,
        resource: glueArn(place, ...names),
        subject: subjectOf(names),
        path: '',
        json: { target: `AWSGlue.${operation}`, body: JSON.stringify({ ...catalog, ...input }) },
        signal,
      },
      (body, context) => (parseAnswer(body, context, JSON.parse) ?? {}) as Output,
    )
  }

  /** Pages of a listing, until no token follows. */
  async function* pages<Page>(
    operation: string,
    names: readonly string[],
    input: Readonly<Record<string, unknown>>,
    at: CallOptions,
  ): AsyncGenerator<Page> {
    for (let token: { readonly NextToken?: string } | undefined = {}; token; ) {
      type Paged = Page & { readonly NextToken?: string | null }
      const page = (await call(operation, names, { ...input, ...token }, at)) as Paged
      yield page as Awaited<Page>
      token = page.NextToken ? { NextToken: page.NextToken } : undefined
    }
  }

  return Object.freeze({
    async *databases(at: CallOptions = {}) {
      const listed = pages<{ DatabaseList?: readonly WireDatabase[] }>('GetDatabases', ['*'], {}, at)
      for await (const { DatabaseList } of listed) yield (DatabaseList ?? []).map(readDatabase)
    },
    database: async (name: string, at: CallOptions = {}) => {
      const { Database } = await call<{ Database?: WireDatabase }>('GetDatabase', [name], { Name: name }, at)
      return readDatabase(Database ?? { Name: name })
    },
    async *tables(database: string, at: CallOptions = {}) {
      const input = { DatabaseName: database }
      const listed = pages<{ TableList?: readonly WireTable[] }>('GetTables', [database, '*'], input, at)
      for await (const { TableList } of listed) yield (TableList ?? []).map(readTable)
    },
    table: async (database: string, name: string, at: CallOptions = {}) => {
      const input = { DatabaseName: database, Name: name }
      const { Table } = await call<{ Table?: WireTable }>('GetTable', [database, name], input, at)
      return readTable(Table ?? { Name: name })
    },
    async *partitions(database: string, table: string, { expression, ...at }: PartitionOptions = {}) {
      const input = {
        DatabaseName: database,
        TableName: table,
        ExcludeColumnSchema: true,
        ...(expression === undefined ? {} : { Expression: expression }),
      }
      const names = [database, table]
      const listed = pages<{ Partitions?: readonly WirePartition[] }>('GetPartitions', names, input, at)
      for await (const { Partitions } of listed) yield (Partitions ?? []).map(readPartition)
    },
    close: calls.close,
  } satisfies GlueAccess)
}

const subjectOf = (names: readonly string[]): string => {
  const [database, table] = names.filter((name) => name !== '*')
  if (database === undefined) return 'catalog'
  return table === undefined ? `database ${database}` : `table ${database}.${table}`
}
