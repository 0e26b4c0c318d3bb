import type { STSClient, STSClientConfig } from '@aws-sdk/client-sts'
import { ConnectorError } from '@penstock/core'
import { endpointProblem } from '../connection/endpoint.ts'
import { createDispatcher } from '../http/dispatcher.ts'
import { retrySettings } from '../http/retry.ts'
import { sdkHandler } from '../http/sdk-handler.ts'
import type { AwsCredentialProvider, CredentialEnvironment } from './authentication.ts'

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
  const hostname = stsEndpoint === undefined ? `sts.${region}.amazonaws.com` : new URL(stsEndpoint).hostname
  const dispatcher = createDispatcher(hostname, { ...retrySettings({}, 1), connections: 2 })
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
