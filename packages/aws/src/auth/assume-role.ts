import { ConnectorError } from '@penstock/core'
import { translateAwsError } from '../errors/translate.ts'
import type { AwsCredentialProvider, AwsCredentials, CredentialEnvironment } from './authentication.ts'
import { refreshingProvider } from './refreshing.ts'
import { stsClient, stsHost } from './sts.ts'

export interface RoleRequest {
  readonly roleArn: string
  readonly externalId: string
  readonly sessionName: string
  readonly durationSeconds: number
}

/** The most that AWS grants when the credentials that assume a role come from a role themselves. */
const chainedSeconds = 3600

/** Credentials of an assumed role, renewed before they end by assuming it again. */
export const roleProvider = (
  request: RoleRequest,
  source: AwsCredentialProvider,
  environment: CredentialEnvironment,
): AwsCredentialProvider => {
  let seconds = request.durationSeconds
  return refreshingProvider(async () => {
    try {
      return await assumeRole({ ...request, durationSeconds: seconds }, source, environment)
    } catch (error) {
      const chained = ConnectorError.isInstance(error) && error.code === 'RoleChainingLimit'
      if (!chained || seconds <= chainedSeconds) throw error
      seconds = chainedSeconds
      return assumeRole({ ...request, durationSeconds: seconds }, source, environment)
    }
  }, environment.clock)
}

const assumeRole = async (
  request: RoleRequest,
  source: AwsCredentialProvider,
  environment: CredentialEnvironment,
): Promise<AwsCredentials> => {
  const { AssumeRoleCommand } = await import('@aws-sdk/client-sts')
  const { client, close } = await stsClient({ ...environment, provider: source })
  try {
    const { Credentials: found } = await client.send(
      new AssumeRoleCommand({
        RoleArn: request.roleArn,
        RoleSessionName: request.sessionName,
        ExternalId: request.externalId,
        DurationSeconds: request.durationSeconds,
      }),
      { abortSignal: environment.signal },
    )
    if (!found?.AccessKeyId || !found.SecretAccessKey || !found.SessionToken)
      throw new ConnectorError('auth', `AssumeRole of ${request.roleArn} gave no credentials.`, {
        hint: 'Check auth.roleArn and stsEndpoint.',
      })
    return Object.freeze({
      accessKeyId: found.AccessKeyId,
      secretAccessKey: found.SecretAccessKey,
      sessionToken: found.SessionToken,
      ...(found.Expiration ? { expiration: found.Expiration } : {}),
    })
  } catch (error) {
    throw translateAwsError(error, {
      operation: 'AssumeRole',
      action: 'sts:AssumeRole',
      resource: request.roleArn,
      region: environment.region,
      host: stsHost(environment),
      now: environment.clock(),
    })
  } finally {
    await close()
  }
}
