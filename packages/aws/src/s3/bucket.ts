import type { S3Client as SdkClient } from '@aws-sdk/client-s3'
import type { AwsCredentialProvider } from '../auth/authentication.ts'
import type { AwsErrorContext } from '../errors/translate.ts'
import { healed } from '../http/heal.ts'
import type { S3Acl } from './access.ts'
import type { S3Client } from './client.ts'

/** Operations on the bucket itself, by the SDK. */
export interface BucketOperations {
  location(signal: AbortSignal): Promise<string>
  acl(signal: AbortSignal): Promise<S3Acl>
  head(signal: AbortSignal): Promise<{ readonly region?: string }>
}

export const bucketOperations = (
  client: S3Client,
  provider: AwsCredentialProvider | undefined,
  open: () => Promise<SdkClient>,
): BucketOperations => {
  const bucket = client.bucket

  const call = async <Output>(
    about: AwsErrorContext,
    signal: AbortSignal,
    send: (sdk: SdkClient, options: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> => {
    const sdk = await open()
    return client.retrying(about, { signal }, () =>
      healed(provider, () => send(sdk, { abortSignal: signal })),
    )
  }

  return Object.freeze({
    location: async (signal: AbortSignal) => {
      const { GetBucketLocationCommand } = await import('@aws-sdk/client-s3')
      const context = client.context('GetBucketLocation', 's3:GetBucketLocation')
      const answer = await call(context, signal, (sdk, options) =>
        sdk.send(new GetBucketLocationCommand({ Bucket: bucket }), options),
      )
      const location: string = answer.LocationConstraint ?? ''
      // us-east-1 has no constraint; EU is the old name of eu-west-1.
      return location === '' ? 'us-east-1' : location === 'EU' ? 'eu-west-1' : location
    },
    acl: async (signal: AbortSignal) => {
      const { GetBucketAclCommand } = await import('@aws-sdk/client-s3')
      const context = client.context('GetBucketAcl', 's3:GetBucketAcl')
      const { Owner, Grants } = await call(context, signal, (sdk, options) =>
        sdk.send(new GetBucketAclCommand({ Bucket: bucket }), options),
      )
      return {
        owner: {
          ...(Owner?.ID === undefined ? {} : { id: Owner.ID }),
          ...(Owner?.DisplayName === undefined ? {} : { displayName: Owner.DisplayName }),
        },
        grants: (Grants ?? []).map(({ Grantee, Permission }) => ({
          grantee: Grantee?.URI ?? Grantee?.ID ?? Grantee?.EmailAddress ?? '',
          permission: Permission ?? '',
        })),
      }
    },
    head: async (signal: AbortSignal) => {
      const { HeadBucketCommand } = await import('@aws-sdk/client-s3')
      const context = client.context('HeadBucket', 's3:ListBucket')
      const { BucketRegion } = await call(context, signal, (sdk, options) =>
        sdk.send(new HeadBucketCommand({ Bucket: bucket }), options),
      )
      return BucketRegion === undefined ? {} : { region: BucketRegion }
    },
  })
}
