import type { ConnectorContext } from '@penstock/core'
import { z } from 'zod'
import type { PostgresAuthentication } from './auth.ts'
import { nameProblem } from './names.ts'

const seconds = z.number().positive().max(1_000_000)

const name = z.string().superRefine((text, context) => {
  const problem = nameProblem(text)
  if (problem) context.addIssue({ code: 'custom', message: problem })
})

/** Fields of a connection: a schema of a database. All that is written, and the books about it, lies in that schema. */
export const config = z.strictObject({
  host: z
    .string()
    .min(1)
    .regex(/^[^\s:/?#@]+$|^\[?[0-9a-f:.]+\]?$|^\//i, 'is a name, an address, or the folder of a socket')
    .meta({
      title: 'Host',
      description: 'Name or address of the server, or the folder of its socket',
      examples: ['db.example.com', '/var/run/postgresql'],
    }),
  port: z.int().min(1).max(65_535).default(5432).meta({ title: 'Port', description: 'Port of the server' }),
  database: name.meta({ title: 'Database', description: 'Database that is written to', examples: ['dw'] }),
  schema: name
    .default('public')
    .meta({ title: 'Schema', description: 'Schema of the tables; it is created where it is missing' }),
  tls: z
    .enum(['verify-full', 'verify-ca', 'require', 'disable'])
    .optional()
    .meta({
      title: 'TLS',
      description:
        'verify-full checks certificate and host, verify-ca the certificate alone, require encrypts without a check, disable sends in clear (default: verify-full, disable on this machine)',
      examples: ['verify-full'],
    }),
  ca: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'CA certificates',
      description: 'PEM of those who sign the certificate of the server (default: those of Node)',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the project file's own notation
      examples: ['${file:rds-ca.pem}'],
    }),
  connectTimeoutSeconds: seconds
    .default(15)
    .meta({ title: 'Connect timeout', description: 'Seconds that connecting may take' }),
  lockTimeoutSeconds: seconds
    .default(60)
    .meta({ title: 'Lock timeout', description: 'Seconds to wait for a lock that another has' }),
  statementTimeoutSeconds: seconds.optional().meta({
    title: 'Statement timeout',
    description: 'Seconds that one statement may take (default: what the server says)',
  }),
  applicationName: z.string().min(1).default('penstock').meta({
    title: 'Application name',
    description: 'Name in pg_stat_activity and in the log of the server',
  }),
})

export type PostgresConfig = z.output<typeof config>
export type PostgresContext = ConnectorContext<PostgresConfig, PostgresAuthentication>

const isLocal = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[?::1\]?|\/.*)$/i.test(host)

export const tlsMode = ({ tls, host }: PostgresConfig): NonNullable<PostgresConfig['tls']> =>
  tls ?? (isLocal(host) ? 'disable' : 'verify-full')
