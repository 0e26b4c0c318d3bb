import type { AwsCredentialProvider, CredentialEnvironment } from '../auth/authentication.ts'
import { stsClient, stsHost } from '../auth/sts.ts'
import { translateAwsError } from '../errors/translate.ts'
import type { AwsIdentity } from './access.ts'

/** Who the credentials are. Needs no permission. */
export const callerIdentity = async (
  options: CredentialEnvironment & { readonly provider: AwsCredentialProvider },
): Promise<AwsIdentity> => {
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
  const { client, close } = await stsClient(options)
  try {
    const answer = await client.send(new GetCallerIdentityCommand({}), { abortSignal: options.signal })
    return { account: answer.Account ?? '', arn: answer.Arn ?? '', userId: answer.UserId ?? '' }
  } catch (error) {
    throw translateAwsError(error, {
      operation: 'GetCallerIdentity',
      action: 'sts:GetCallerIdentity',
      resource: '*',
      region: options.region,
      host: stsHost(options),
      now: options.clock(),
    })
  } finally {
    await close()
  }
}
