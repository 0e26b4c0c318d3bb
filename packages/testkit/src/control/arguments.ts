import { parseArgs } from 'node:util'

/** Settings of the embedded AWS as its own process. */
export interface ProcessSettings {
  port?: number
  host?: string
  /** Folder that objects are kept in; memory when absent. */
  data?: string
  account?: string
  region?: string
  latencyMs?: number
  trustSourceIpHeader?: boolean
  seed?: string
  exitWithStdin: boolean
  /** From the environment, so that they show in no process list. */
  controlToken?: string
  rootAccessKeyId?: string
  rootSecretAccessKey?: string
}

export const usage = `Embedded AWS: S3, STS and Glue on loopback, with IAM, for tests and try-outs.

  --port NUMBER             port; a free one when absent
  --host ADDRESS            address to listen on (127.0.0.1)
  --data FOLDER             keep objects in this folder instead of in memory
  --seed FILE               JSON with buckets, users, roles, objects and tables to start with
  --account ID              account of the root user (111122223333)
  --region NAME             default region (us-east-1)
  --latency MS              wait before each request is handled
  --trust-source-ip-header  take the source address from x-penstock-source-ip
  --exit-with-stdin         end when standard input closes
  --help

When it is ready it prints one line of JSON: endpoint, port, account, accessKeyId, secretAccessKey, controlToken.
Environment: PENSTOCK_AWS_ACCESS_KEY_ID and PENSTOCK_AWS_SECRET_ACCESS_KEY (root user), PENSTOCK_AWS_CONTROL_TOKEN.
`

/** Reads command line and environment. `help` when asked for; throws an Error that says what is wrong. */
export function parseArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ProcessSettings | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      data: { type: 'string' },
      seed: { type: 'string' },
      account: { type: 'string' },
      region: { type: 'string' },
      latency: { type: 'string' },
      'trust-source-ip-header': { type: 'boolean' },
      'exit-with-stdin': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return 'help'
  const { host, data, seed, account, region } = values
  const rootAccessKeyId = environment.PENSTOCK_AWS_ACCESS_KEY_ID
  const rootSecretAccessKey = environment.PENSTOCK_AWS_SECRET_ACCESS_KEY
  const controlToken = environment.PENSTOCK_AWS_CONTROL_TOKEN
  if ((rootAccessKeyId === undefined) !== (rootSecretAccessKey === undefined)) {
    throw new Error('PENSTOCK_AWS_ACCESS_KEY_ID and PENSTOCK_AWS_SECRET_ACCESS_KEY go together')
  }
  if (account !== undefined && !/^\d{12}$/.test(account)) throw new Error('--account takes 12 digits')
  return {
    ...(host !== undefined && { host }),
    ...(data !== undefined && { data }),
    ...(seed !== undefined && { seed }),
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
    ...(values.port !== undefined && { port: wholeNumber('--port', values.port, 65_535) }),
    ...(values.latency !== undefined && { latencyMs: wholeNumber('--latency', values.latency, 600_000) }),
    ...(values['trust-source-ip-header'] && { trustSourceIpHeader: true }),
    exitWithStdin: values['exit-with-stdin'] ?? false,
    ...(controlToken !== undefined && { controlToken }),
    ...(rootAccessKeyId !== undefined && { rootAccessKeyId }),
    ...(rootSecretAccessKey !== undefined && { rootSecretAccessKey }),
  }
}

function wholeNumber(flag: string, value: string, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(number <= most)) throw new Error(`${flag} takes a whole number from 0 to ${most}; it is ${value}`)
  return number
}
