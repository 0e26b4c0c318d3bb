import { awsAuthMethods, checkS3Source } from '@penstock/aws'
import { type Connection, type ConnectionInput, connect, defineSource } from '@penstock/core'
import { accessForCheck } from './access.ts'
import { config } from './config.ts'
import { policiesOf } from './policy.ts'
import { selectTables } from './select.ts'
import { selection } from './selection.ts'
import { listLevel } from './tables.ts'

/** Objects in S3 as tables: a file a table, a folder or a glob a table, or many tables from one listing. */
export const sourceS3 = defineSource({
  name: 'source-s3',
  title: 'Amazon S3',
  description: 'CSV, JSON, NDJSON and Parquet objects in S3, or in an S3-compatible store',
  config,
  auth: awsAuthMethods,
  capabilities: { modes: ['full', 'delta', 'merge'] },
  check: (context) => {
    const { region, stsEndpoint, allowInsecure, prefix } = context.config
    const { auth, signal, clock } = context
    return checkS3Source({
      access: accessForCheck(context),
      auth,
      environment: { region, stsEndpoint, allowInsecure, signal, clock },
      prefix,
    })
  },
  tables: (context, options) => listLevel(context, options),
  selection,
  select: (context, chosen) => selectTables(context, chosen),
  policy: policiesOf,
})

export type S3ConnectionInput = ConnectionInput<typeof sourceS3>

/** A connection to a bucket, for `extract({ source: s3({ region, bucket, auth }), ... })`. Throws `config` errors. */
export const s3 = (
  input: S3ConnectionInput,
  options: { readonly name?: string } = {},
): Connection<typeof sourceS3> => connect(sourceS3, input, options)
