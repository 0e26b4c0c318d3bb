import type { GlueClient, GlueClientConfig } from '@aws-sdk/client-glue'
import { ConnectorError } from '@penstock/core'
import type { Dispatcher } from 'undici'
import type { AwsCredentialProvider } from '../auth/authentication.ts'
import { sdkHandler } from '../http/sdk-handler.ts'

const readingOperation = /^(Get|BatchGet|Search)[A-Z]/

/** Throws for every operation that does not read. Stands before the serializer: nothing gets past it. */
export const assertGlueReads = (operation: string): void => {
  if (readingOperation.test(operation)) return
  throw new ConnectorError('permission', `This connection is read-only: ${operation} was not sent.`, {
    code: 'ReadOnlyConnection',
    hint: 'A zero-copy connection only reads.',
  })
}

/**
 * The SDK's client of Glue. It tries once: retries and budget are the connection's. The guard stands before its
 * serializer; over HTTP all operations of Glue are POSTs.
 */
export const createGlueClient = async (options: {
  readonly region: string
  readonly endpoint: string | undefined
  readonly provider: AwsCredentialProvider
  readonly clock: () => Date
  readonly dispatcher: Dispatcher
}): Promise<GlueClient> => {
  const { region, endpoint, provider } = options
  const { GlueClient } = await import('@aws-sdk/client-glue')
  const client = new GlueClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: sdkHandler(options.dispatcher) as unknown as NonNullable<
      GlueClientConfig['requestHandler']
    >,
    maxAttempts: 1,
    systemClockOffset: options.clock().getTime() - Date.now(),
    // The SDK keeps credentials until they expire; the provider does that here, and knows when they were refused.
    credentials: async () => ({ ...(await provider()), expiration: new Date(0) }),
  })
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        assertGlueReads((commandName ?? 'unknown').replace(/Command$/, ''))
        return next(args)
      },
    { step: 'initialize', name: 'readOnlyGuard', priority: 'high' },
  )
  return client
}
