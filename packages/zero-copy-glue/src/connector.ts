import { awsAuthMethods } from '@penstock/aws'
import {
  type Connection,
  type ConnectionInput,
  connect,
  defineZeroCopy,
  predicateKinds,
} from '@penstock/core'
import { checkConnection } from './check.ts'
import { config, levelsOf } from './config.ts'
import { openedOf, openTable } from './open.ts'
import { policiesOf } from './policy.ts'
import { sharesOf } from './shares.ts'

/** Iceberg and Hive-style tables in S3 by their catalog: queried where they are. Only reads. */
export const zeroCopyGlue = defineZeroCopy({
  name: 'zero-copy-glue',
  title: 'AWS Glue, S3 Tables, Iceberg REST',
  description: 'Iceberg tables in S3, and Hive-style ones of Parquet, CSV and JSON, queried in place',
  config,
  auth: awsAuthMethods,
  capabilities: { pushdown: { columns: true, filters: predicateKinds, limit: true }, timeTravel: true },
  check: (context) => checkConnection(context),
  namespaces: (context) => openedOf(context).catalog.namespaces(),
  tables: (context, { namespace }) => openedOf(context).catalog.tables(namespace),
  shares: (fields) => sharesOf(fields),
  open: (context, table, options) =>
    openTable(context, { ...table, namespace: levelsOf(context.config, table.namespace) }, options),
  policy: policiesOf,
})

export type ZeroCopyGlueInput = ConnectionInput<typeof zeroCopyGlue>

/** A connection to a catalog. Throws `config` errors. */
export const glue = (
  input: ZeroCopyGlueInput,
  options: { readonly name?: string } = {},
): Connection<typeof zeroCopyGlue> => connect(zeroCopyGlue, input, options)
