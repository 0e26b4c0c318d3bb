import type { S3Client as SdkClient } from '@aws-sdk/client-s3'
import type { AwsCredentialProvider, AwsCredentials } from '../auth/authentication.ts'
import { failureOfSdkError } from '../errors/safe-cause.ts'
import type { AwsErrorContext } from '../errors/translate.ts'
import type { S3Acl } from './access.ts'
import type { S3Client } from './client.ts'
import { isExpired, isSkew } from './transport.ts'

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

  /** One request, healed like those of the transport: a clock that is off once, an expired token once. */
  const healed = async <Result>(send: () => Promise<Result>): Promise<Result> => {
    let credentials: AwsCredentials | undefined
    for (let retried = false; ; retried = true) {
      credentials = await provider?.()
      try {
        return await send()
      } catch (error) {
        const failure = failureOfSdkError(error)
        if (retried || !failure) throw error
        if (isExpired(failure) && credentials && provider) {
          if ((await provider({ rejected: credentials })) === credentials) throw error
        } else if (!isSkew(failure)) throw error
        // The SDK has already taken over the server's clock from the answer.
      }
    }
  }

  const call = async <Output>(
    about: AwsErrorContext,
    signal: AbortSignal,
    send: (sdk: SdkClient, options: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> => {
    const sdk = await open()
    return client.retrying(about, { signal }, () => healed(() => send(sdk, { abortSignal: signal })))
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
