import type { STSClient, STSClientConfig } from '@aws-sdk/client-sts'
import { ConnectorError } from '@penstock/core'
import { awsPartition, endpointProblem } from '../connection/endpoint.ts'
import { createDispatcher } from '../http/dispatcher.ts'
import { retrySettings } from '../http/retry.ts'
import { sdkHandler } from '../http/sdk-handler.ts'
import type { AwsCredentialProvider, CredentialEnvironment } from './authentication.ts'

/** Host that STS is spoken to at. */
export const stsHost = ({
  stsEndpoint,
  region,
}: Pick<CredentialEnvironment, 'stsEndpoint' | 'region'>): string =>
  stsEndpoint === undefined ? `sts.${region}.${awsPartition(region).suffix}` : new URL(stsEndpoint).hostname

/** A client of the Security Token Service for a few requests. `close` closes its sockets. */
export const stsClient = async (
  options: CredentialEnvironment & { readonly provider: AwsCredentialProvider },
): Promise<{ client: STSClient; close: () => Promise<void> }> => {
  const { stsEndpoint, region } = options
  const problem =
    stsEndpoint === undefined ? undefined : endpointProblem(stsEndpoint, options.allowInsecure ?? false)
  if (problem)
    throw new ConnectorError('config', `stsEndpoint: ${problem}.`, { code: 'InvalidConfiguration' })
  const { STSClient } = await import('@aws-sdk/client-sts')
  const dispatcher = createDispatcher(stsHost(options), { ...retrySettings({}, 1), connections: 2 })
  const client = new STSClient({
    region,
    ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
    credentials: () => options.provider(),
    requestHandler: sdkHandler(dispatcher) as unknown as NonNullable<STSClientConfig['requestHandler']>,
    maxAttempts: 4,
    systemClockOffset: options.clock().getTime() - Date.now(),
  })
  return {
    client,
    close: async () => {
      client.destroy()
      await dispatcher.destroy()
    },
  }
}
