import {
  type Connection,
  type ConnectorContext,
  connectUnknown,
  type Scan,
  withContext,
  type ZeroCopyTable,
} from '@penstock/core'
import { type Aws, type AwsOptions, type PolicyStatement, startAws } from '@penstock/testkit'
import { onTestFinished } from 'vitest'
import type { ZeroCopyContext } from '../src/config.ts'
import { zeroCopyGlue } from '../src/index.ts'
import { fillSales, region } from './sales.ts'

export const externalId = 'penstock-test-1'

/** An AWS with the database `sales`. */
export const catalogAws = async (options: AwsOptions = {}): Promise<Aws> => {
  const aws = await startAws(options)
  onTestFinished(() => aws.close())
  await fillSales(aws)
  return aws
}

type Keys = { readonly accessKeyId: string; readonly secretAccessKey: string }

const keysOf = ({ accessKeyId, secretAccessKey }: Keys) => ({
  method: 'access-key',
  accessKeyId,
  secretAccessKey,
})

/** A connection to the embedded AWS, by default as its root. */
export const connectionTo = (aws: Aws, fields: Readonly<Record<string, unknown>> = {}): Connection => {
  const path = { rest: '/_iceberg', 'glue-api': '' }[String(fields.catalog)] ?? '/iceberg'
  return connectUnknown(zeroCopyGlue, {
    region,
    endpoint: aws.endpoint,
    stsEndpoint: aws.endpoint,
    catalogEndpoint: `${aws.endpoint}${path}`,
    auth: keysOf(aws.root),
    maxAttempts: 4,
    ...fields,
  })
}

export const using = <Result>(
  connection: Connection,
  use: (context: ZeroCopyContext) => Promise<Result>,
  options: { signal?: AbortSignal; notice?: (message: string) => void } = {},
): Promise<Result> =>
  withContext(connection, (context: ConnectorContext) => use(context as ZeroCopyContext), options)

const collect = async <Entry>(entries: Iterable<Entry> | AsyncIterable<Entry>): Promise<Entry[]> => {
  const found: Entry[] = []
  for await (const entry of entries) found.push(entry)
  return found
}

export const namespacesOf = (connection: Connection) =>
  using(connection, async (context) =>
    (await collect(await zeroCopyGlue.namespaces(context))).map(({ namespace }) => namespace.join('.')),
  )

export const tablesOf = (connection: Connection, ...namespace: string[]) =>
  using(connection, async (context) => collect(await zeroCopyGlue.tables(context, { namespace })))

export const opened = <Result>(
  connection: Connection,
  name: string,
  use: (table: ZeroCopyTable, signal: AbortSignal) => Promise<Result>,
  options: { namespace?: readonly string[] } = {},
): Promise<Result> =>
  using(connection, async (context) => {
    const { namespace = ['sales'] } = options
    return use(await zeroCopyGlue.open(context, { namespace, name }, {}), context.signal)
  })

export type FileScan = Extract<Scan, { kind: 'files' }>

/** Reads the first bytes of each file of a scan: as an engine would. */
export const readAll = async (scan: Scan): Promise<number> => {
  let bytes = 0
  for (const { file } of (scan as FileScan).files)
    for await (const chunk of file.read({ start: 0, end: file.size })) bytes += chunk.length
  return bytes
}

/** A user who may assume a role that has these rights and asks for the external id. */
export const roleWith = (aws: Aws, statements: readonly PolicyStatement[]) => {
  const user = aws.identities.createUser({
    name: `caller${aws.identities.users().length}`,
    policies: [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' } }],
  })
  const { arn } = aws.identities.createRole({
    name: `role${aws.identities.roles().length}`,
    trustPolicy: {
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: user.arn },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId } },
      },
    },
    policies: statements.length === 0 ? [] : [{ Statement: [...statements] }],
  })
  const { accessKeyId, secretAccessKey } = user
  return {
    role: arn,
    auth: { method: 'assumed-role', roleArn: arn, externalId, source: { accessKeyId, secretAccessKey } },
  }
}
