import type { AwsCredentialProvider } from '../auth/authentication.ts'
import { failureOfSdkError } from '../errors/safe-cause.ts'
import { isExpired, isSkew } from '../errors/signature.ts'

/** One request of the SDK, healed: a clock that is off once (the SDK takes over the server's), an expired token once. */
export const healed = async <Result>(
  provider: AwsCredentialProvider | undefined,
  send: () => Promise<Result>,
): Promise<Result> => {
  for (let retried = false; ; retried = true) {
    const credentials = await provider?.()
    try {
      return await send()
    } catch (error) {
      const failure = failureOfSdkError(error)
      if (retried || !failure) throw error
      if (isExpired(failure) && credentials && provider) {
        if ((await provider({ rejected: credentials })) === credentials) throw error
      } else if (!isSkew(failure, new Date())) throw error
    }
  }
}
