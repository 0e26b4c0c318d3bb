import type { AwsAuthentication } from '@penstock/aws'
import { checkBucket, checkCredentials, checkObjects } from '@penstock/aws'
import type { CheckStep, ConnectorContext } from '@penstock/core'
import { readerOf } from './access.ts'
import type { S3ActionContext, S3ActionsConfig } from './config.ts'

/** Name for the access of a connection without a bucket: its credentials are asked for, not the bucket. */
const placeholder = 'penstock'

/** Credentials, role, and, where the connection has a bucket, bucket, region, list and read, by real calls. */
export async function* check(
  context: ConnectorContext<S3ActionsConfig, AwsAuthentication>,
): AsyncGenerator<CheckStep> {
  const { config, auth, signal, clock } = context
  const { region, stsEndpoint, allowInsecure, bucket } = config
  const access = readerOf(context as S3ActionContext, bucket ?? placeholder)
  let failed = false
  for await (const step of checkCredentials(access, auth, {
    region,
    stsEndpoint,
    allowInsecure,
    signal,
    clock,
  })) {
    failed ||= step.status === 'failed'
    yield step
  }
  if (failed || bucket === undefined) {
    const detail = failed ? 'there are no credentials' : 'the connection has no bucket of its own'
    yield { id: 'bucket', title: 'Reach the bucket', status: 'skipped', detail }
    return
  }
  for await (const step of checkBucket(access, { anonymous: auth.method === 'anonymous' })) {
    failed ||= step.status === 'failed' && step.error?.kind !== 'permission'
    yield step
  }
  if (!failed) yield* checkObjects(access)
}
