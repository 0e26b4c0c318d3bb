import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { ConnectorError } from '@penstock/core'
import type { Client, ClientConfig } from 'pg'
import { type PostgresConfig, type PostgresContext, tlsMode } from './config.ts'

/** Silence of the network after which the operating system asks whether the server is still there, in ms. */
const keepAliveMs = 10_000

/** A connected client, or the untranslated error. Password and TLS never come from the environment or `.pgpass`. */
export const connectClient = async (context: Pick<PostgresContext, 'config' | 'auth'>): Promise<Client> => {
  const { default: pg } = await import('pg')
  const client = new pg.Client(clientConfig(context))
  // An end of the connection between two statements; the next statement tells.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

const clientConfig = ({ config, auth }: Pick<PostgresContext, 'config' | 'auth'>): ClientConfig => ({
  host: bare(config.host),
  port: config.port,
  database: config.database,
  user: auth.user,
  password: async () => {
    if (auth.password) return auth.password.reveal()
    throw new ConnectorError('auth', 'The server asks for a password, and the connection has none.', {
      code: 'PasswordNeeded',
      hint: 'Choose the auth method password, or let the server trust this user (pg_hba.conf).',
    })
  },
  ssl: tlsOptions(config, auth),
  connectionTimeoutMillis: config.connectTimeoutSeconds * 1000,
  keepAlive: true,
  keepAliveInitialDelayMillis: keepAliveMs,
  application_name: config.applicationName,
})

const tlsOptions = (
  config: PostgresConfig,
  { certificate }: PostgresContext['auth'],
): ConnectionOptions | false => {
  const mode = tlsMode(config)
  if (mode === 'disable') return false
  return {
    ...(config.ca !== undefined && { ca: config.ca }),
    ...(certificate && {
      cert: certificate.chain,
      key: certificate.key.reveal(),
      ...(certificate.passphrase && { passphrase: certificate.passphrase.reveal() }),
    }),
    rejectUnauthorized: mode !== 'require',
    checkServerIdentity: (_, shown) =>
      mode === 'verify-full' ? checkServerIdentity(bare(config.host), shown) : undefined,
  }
}

/** An IPv6 address without its brackets. */
const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1')
