import type { S3ClientConfig, S3Client as SdkClient } from '@aws-sdk/client-s3'
import type { Dispatcher } from 'undici'
import type { AwsCredentialProvider } from '../auth/authentication.ts'
import type { S3ConnectionConfig } from '../connection/fields.ts'
import { sdkHandler } from '../http/sdk-handler.ts'
import type { S3RequestEvent } from './access.ts'
import { assertReadOnly } from './read-only.ts'
import type { Counters } from './transport.ts'

export interface SdkClientOptions {
  readonly config: S3ConnectionConfig
  readonly pathStyle: boolean
  readonly provider: AwsCredentialProvider | undefined
  readonly dispatcher: Dispatcher
  readonly access: 'read-only' | 'read-write'
  readonly clock: () => Date
  readonly counters: Counters
  readonly onRequest: ((event: S3RequestEvent) => void) | undefined
}

/**
 * The SDK's S3 client for what isn't worth a path of its own. It tries once: retries and budget are the
 * connection's. The read-only guard stands before its serializer (operation) and before its sockets (method).
 */
export const createSdkClient = async (options: SdkClientOptions): Promise<SdkClient> => {
  const { config, provider, access, counters } = options
  const { S3Client } = await import('@aws-sdk/client-s3')
  const checksums = config.checksums === 'when-required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED'
  const requestHandler = sdkHandler(options.dispatcher, {
    beforeRequest: ({ method }) => {
      if (access === 'read-only') assertReadOnly({ method })
      counters.requests++
    },
    afterResponse: ({ method }, status) =>
      options.onRequest?.({ operation: 'SDK', method, ...(status === undefined ? {} : { status }) }),
  })
  const client = new S3Client({
    region: config.region,
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    forcePathStyle: options.pathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    requestHandler: requestHandler as unknown as NonNullable<S3ClientConfig['requestHandler']>,
    maxAttempts: 1,
    followRegionRedirects: false,
    systemClockOffset: options.clock().getTime() - Date.now() + counters.clockOffsetMs,
    // The SDK keeps credentials until they expire; the provider does that here, and knows when they were refused.
    credentials: provider
      ? async () => ({ ...(await provider()), expiration: new Date(0) })
      : { accessKeyId: '', secretAccessKey: '' },
    ...(provider ? {} : { signer: { sign: async (request) => request } }),
  })
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (access === 'read-only')
          assertReadOnly({ operation: (commandName ?? 'unknown').replace(/Command$/, '') })
        return next(args)
      },
    { step: 'initialize', name: 'readOnlyGuard', priority: 'high' },
  )
  if (config.expectedBucketOwner !== undefined) {
    const owner = config.expectedBucketOwner
    client.middlewareStack.add(
      (next) => async (args) => next({ ...args, input: { ...args.input, ExpectedBucketOwner: owner } }),
      { step: 'initialize', name: 'expectedBucketOwner' },
    )
  }
  return client
}
