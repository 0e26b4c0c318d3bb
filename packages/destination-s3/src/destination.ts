import { awsAuthMethods } from '@penstock/aws'
import { type Connection, type ConnectionInput, connect, defineDestination } from '@penstock/core'
import { checkDestination } from './check.ts'
import { config } from './config.ts'
import { options } from './options.ts'
import { checkRun, planRun } from './plan.ts'
import { policiesOf } from './policy.ts'
import { sweepLeftovers } from './sweep.ts'
import { writeRun } from './write/write.ts'

/** Tables and queries as objects in S3: CSV, JSON and Parquet, whole or not at all. */
export const destinationS3 = defineDestination({
  name: 'destination-s3',
  title: 'Amazon S3',
  description: 'CSV, JSON and Parquet objects in S3, or in an S3-compatible store',
  config,
  auth: awsAuthMethods,
  capabilities: { modes: ['append', 'overwrite'], fileTypes: ['csv', 'ndjson', 'parquet'] },
  options,
  check: (context) => checkDestination(context),
  checkOptions: (context, request) => checkRun(context, request),
  plan: (context, request) => planRun(context, request),
  write: (context, request) => writeRun(context, request),
  sweep: (context, { dryRun }) => sweepLeftovers(context, { dryRun }),
  policy: policiesOf,
})

export type S3DestinationInput = ConnectionInput<typeof destinationS3>

/** A connection to a bucket, for exports. Throws `config` errors. */
export const s3Destination = (
  input: S3DestinationInput,
  settings: { readonly name?: string } = {},
): Connection<typeof destinationS3> => connect(destinationS3, input, settings)
