import { type Connection, type ConnectionInput, connect, defineDestination } from '@penstock/core'
import { authMethods } from './auth.ts'
import { checkDestination } from './check.ts'
import { config } from './config.ts'
import { options } from './options.ts'
import { planRun } from './plan.ts'
import { policyOf } from './policy.ts'
import { targetsOf } from './targets.ts'
import { writeRun } from './write.ts'

/** Tables and queries as tables of PostgreSQL: a run is one transaction, and is written once. */
export const destinationPostgres = defineDestination({
  name: 'destination-postgres',
  title: 'PostgreSQL',
  description: 'Tables in a schema of PostgreSQL, by COPY in one transaction',
  config,
  auth: authMethods,
  capabilities: { modes: ['append', 'overwrite', 'merge'], fileTypes: ['csv'] },
  options,
  check: (context) => checkDestination(context),
  checkOptions: (context, request) => {
    targetsOf(context, request)
  },
  plan: (context, request) => planRun(context, request),
  write: (context, request) => writeRun(context, request),
  policy: policyOf,
})

export type PostgresDestinationInput = ConnectionInput<typeof destinationPostgres>

/** A connection to a schema of a database, for exports. Throws `config` errors. */
export const postgresDestination = (
  input: PostgresDestinationInput,
  settings: { readonly name?: string } = {},
): Connection<typeof destinationPostgres> => connect(destinationPostgres, input, settings)
