import {
  type CheckStep,
  ConnectorError,
  type FileEntry,
  type FileTable,
  type TableSummary,
  withContext,
} from '@penstock/core'
import { type Aws, type NewObject, startAws } from '@penstock/testkit'
import type { S3Context } from '../src/config.ts'
import { s3, selection, sourceS3 } from '../src/index.ts'
import type { S3ConnectionInput } from '../src/source.ts'

/** An embedded AWS with one bucket, and the source as the runtime would use it. */
export interface Lake {
  readonly aws: Aws
  readonly bucket: string
  put(...keys: (string | (Partial<NewObject> & { key: string }))[]): Promise<void>
  connection(fields?: Partial<S3ConnectionInput>): ReturnType<typeof s3>
  use<Result>(
    run: (context: S3Context) => Promise<Result>,
    fields?: Partial<S3ConnectionInput>,
  ): Promise<Result>
  /** Tables of a selection with the entries that they list. */
  select(input: Record<string, unknown>, fields?: Partial<S3ConnectionInput>): Promise<SelectedTable[]>
  tables(prefix?: string, fields?: Partial<S3ConnectionInput>): Promise<TableSummary[]>
  check(fields?: Partial<S3ConnectionInput>): Promise<CheckStep[]>
  /** Operations of S3 that were requested since the last call. */
  requests(): string[]
}

export interface SelectedTable {
  readonly name: string
  readonly table: FileTable
  readonly entries: readonly FileEntry[]
  readonly keys: readonly string[]
}

export const openLake = async (bucket = 'lake'): Promise<Lake & AsyncDisposable> => {
  const aws = await startAws({ trustSourceIpHeader: true })
  aws.s3.createBucket({ name: bucket })
  const connection: Lake['connection'] = (fields = {}) =>
    s3({
      region: 'us-east-1',
      bucket,
      endpoint: aws.endpoint,
      stsEndpoint: aws.endpoint,
      auth: { method: 'access-key', ...aws.root },
      ...fields,
    })
  const use: Lake['use'] = (run, fields) =>
    withContext(connection(fields), (context) => run(context as S3Context))
  return {
    aws,
    bucket,
    async put(...objects) {
      for (const object of objects)
        await aws.s3.putObject({
          bucket,
          body: 'a\n1\n',
          ...(typeof object === 'string' ? { key: object } : object),
        })
    },
    connection,
    use,
    select: (input, fields) =>
      use(async (context) => {
        const tables = (await sourceS3.select?.(context, selection.parse(input))) ?? []
        return Promise.all(tables.map((table) => listed(table as FileTable, context.signal)))
      }, fields),
    tables: (prefix, fields) =>
      use(
        async (context) =>
          Array.fromAsync(
            (await sourceS3.tables(
              context,
              prefix === undefined ? {} : { prefix },
            )) as Iterable<TableSummary>,
          ),
        fields,
      ),
    check: (fields) =>
      use((context) => Array.fromAsync(sourceS3.check(context) as AsyncIterable<CheckStep>), fields),
    requests() {
      const operations = aws.log.entries().map((entry) => entry.operation)
      aws.log.clear()
      return operations
    },
    [Symbol.asyncDispose]: () => aws.close(),
  }
}

export const listed = async (table: FileTable, signal: AbortSignal): Promise<SelectedTable> => {
  const entries = (await Array.fromAsync(table.list({ signal }))).flat()
  return { name: table.name, table, entries, keys: entries.map((entry) => entry.key) }
}

/** The ConnectorError that a promise rejects with. */
export const failure = async (promise: Promise<unknown>): Promise<ConnectorError> => {
  try {
    await promise
  } catch (error) {
    if (ConnectorError.isInstance(error)) return error
    throw error
  }
  throw new Error('It did not fail')
}
