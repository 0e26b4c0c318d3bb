import type { AccessPolicies, PolicyOptions } from '@penstock/core'
import type { PostgresConfig } from './config.ts'
import { quoteName } from './names.ts'

/** Least privilege of a connection as SQL, for an owner of the database to run. */
export const policyOf = (
  connection: {
    readonly config: PostgresConfig
    readonly authFields: unknown
  },
  { sourceIps, secureTransport }: PolicyOptions,
): AccessPolicies => {
  const { user } = connection.authFields as { readonly user: string }
  const role = quoteName(user)
  const database = quoteName(connection.config.database)
  const schema = quoteName(connection.config.schema)
  const lines = [
    '-- What the role needs, for an owner of the database to run. It owns the tables that it creates.',
    `CREATE SCHEMA IF NOT EXISTS ${schema};`,
    `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${role};`,
    `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role};`,
    '-- For each table that others have made and that it is to write to (TRUNCATE for --replace truncate):',
    `-- GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE ${schema}."..." TO ${role};`,
    ...hostRules(connection.config, user, { sourceIps, secureTransport }),
  ]
  return { policy: `${lines.join('\n')}\n` }
}

/** Networks and TLS are no matter of SQL: https://www.postgresql.org/docs/current/auth-pg-hba-conf.html */
const hostRules = (
  { database }: PostgresConfig,
  user: string,
  {
    sourceIps,
    secureTransport = false,
  }: { readonly sourceIps: PolicyOptions['sourceIps']; readonly secureTransport: boolean | undefined },
): readonly string[] => {
  if (!sourceIps && !secureTransport) return []
  const type = secureTransport ? 'hostssl' : 'host'
  return [
    '-- Lines of pg_hba.conf that let it in, and nobody else as this role:',
    ...(sourceIps ?? ['all']).map(
      (address) => `-- ${type} ${quoteName(database)} ${quoteName(user)} ${withBits(address)} scram-sha-256`,
    ),
    `-- host ${quoteName(database)} ${quoteName(user)} all reject`,
  ]
}

const withBits = (address: string): string => {
  if (address === 'all' || address.includes('/')) return address
  return `${address}/${address.includes(':') ? 128 : 32}`
}
