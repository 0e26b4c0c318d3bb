import type { STSClientConfig } from '@aws-sdk/client-sts'
import { ConnectorError } from '@penstock/core'
import { safeCause } from '../errors/safe-cause.ts'
import { createDispatcher } from '../http/dispatcher.ts'
import { retrySettings } from '../http/retry.ts'
import { sdkHandler } from '../http/sdk-handler.ts'
import type { AwsCredentialProvider, AwsCredentials, CredentialEnvironment } from './authentication.ts'
import { refreshingProvider } from './refreshing.ts'

/** Environment, profile, SSO, container, instance role, web identity: what the AWS SDK resolves. */
export const chainProvider = (
  profile: string | undefined,
  environment: CredentialEnvironment,
): AwsCredentialProvider =>
  refreshingProvider(async () => {
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
    const { signal } = environment
    // For SSO and web identity: through the proxy, where there is one.
    const dispatcher = createDispatcher('', { ...retrySettings({}, 1), connections: 2 })
    // A chain of its own for each renewal: the SDK's chain remembers what it found.
    const resolve = fromNodeProviderChain({
      ...(profile === undefined ? {} : { profile }),
      clientConfig: {
        region: environment.region,
        requestHandler: sdkHandler(dispatcher) as unknown as NonNullable<STSClientConfig['requestHandler']>,
      },
    })
    const found = await Promise.race([resolve(), aborted(signal)])
      .catch((error: unknown) => {
        throw signal.aborted ? new ConnectorError('cancelled', 'Cancelled.') : chainError(error, profile)
      })
      .finally(() => dispatcher.destroy())
    return Object.freeze<AwsCredentials>({
      accessKeyId: found.accessKeyId,
      secretAccessKey: found.secretAccessKey,
      ...(found.sessionToken === undefined ? {} : { sessionToken: found.sessionToken }),
      ...(found.expiration === undefined ? {} : { expiration: found.expiration }),
    })
  }, environment.clock)

/** The chain takes no signal, and waits seconds for an instance that does not answer. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

const chainError = (error: unknown, profile: string | undefined): ConnectorError => {
  const text = error instanceof Error ? error.message : String(error)
  const expired = /expired|sso login|sso session/i.test(text)
  const subject = profile === undefined ? 'the default chain' : `profile "${profile}"`
  return new ConnectorError(
    'auth',
    expired
      ? `The AWS credentials of ${subject} have expired.`
      : `No AWS credentials were found by ${subject}.`,
    {
      code: expired ? 'ExpiredCredentials' : 'MissingCredentials',
      hint: expired
        ? `Log in again, for example with: aws sso login${profile === undefined ? '' : ` --profile ${profile}`}.`
        : 'Set the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys), or auth.profile (AWS_PROFILE) to a profile of ~/.aws/config, or use auth method access-key.',
      cause: safeCause(error),
    },
  )
}
