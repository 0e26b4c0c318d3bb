import type { CheckStep } from '@penstock/core'
import type { AwsAuthentication, CredentialEnvironment } from '../auth/authentication.ts'
import type { S3Access } from '../s3/access.ts'
import {
  bucketTitle,
  type CheckObjectsOptions,
  checkBucket,
  checkCredentials,
  checkObjects,
  skippedStep,
} from './steps.ts'

const laterSteps: readonly { readonly id: string; readonly title: string }[] = [
  { id: 'bucket', title: bucketTitle },
  { id: 'list', title: 'List objects' },
  { id: 'read', title: 'Read an object' },
]

/**
 * The check of a source: credentials, role, bucket and region, access control list, list, read, by real calls in
 * this order. Steps that need one that failed are skipped; those that don't are tried all the same, so that one
 * check names every missing permission.
 */
export async function* checkS3Source(options: {
  readonly access: S3Access
  readonly auth: AwsAuthentication
  readonly environment: CredentialEnvironment
  readonly prefix?: string | undefined
}): AsyncGenerator<CheckStep> {
  const { access, auth, environment } = options
  let failed: CheckStep | undefined
  for await (const step of checkCredentials(access, auth, environment)) {
    if (step.status === 'failed') failed = step
    yield step
  }
  if (!failed) {
    for await (const step of checkBucket(access, { anonymous: auth.method === 'anonymous' })) {
      // Who lacks a permission may have the next one; nothing else can work after another failure.
      if (step.status === 'failed' && step.error?.kind !== 'permission') failed = step
      yield step
    }
    if (!failed) {
      const objects: CheckObjectsOptions = { prefix: options.prefix }
      for await (const step of checkObjects(access, objects)) {
        if (step.id === 'list' && step.status === 'failed') failed = step
        yield step
      }
      if (failed) yield skippedStep('read', 'Read an object', 'nothing could be listed')
      return
    }
  }
  const done = failed.id === 'bucket' || failed.id === 'acl' ? 1 : 0
  for (const { id, title } of laterSteps.slice(done))
    yield skippedStep(id, title, `after the failure of: ${failed.title}`)
}
