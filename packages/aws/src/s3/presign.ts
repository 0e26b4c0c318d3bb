import { ConnectorError } from '@penstock/core'
import type { AwsCredentialProvider } from '../auth/authentication.ts'
import type { BucketAddress } from '../connection/endpoint.ts'
import { encodeKey } from '../signing/encode.ts'
import { maxPresignSeconds, presignQuery } from '../signing/sign.ts'
import type { PresignOptions } from './write-access.ts'

/** A presigned URL. Nothing is sent for it. */
export const presignUrl = async (
  context: {
    readonly address: BucketAddress
    readonly region: string
    readonly provider: AwsCredentialProvider | undefined
    readonly now: Date
  },
  key: string,
  options: PresignOptions,
): Promise<{ url: string; expires: Date }> => {
  const { address, region, now } = context
  const { method = 'GET', expiresInSeconds, query = {}, headers = {} } = options
  if (!Number.isInteger(expiresInSeconds) || expiresInSeconds < 1 || expiresInSeconds > maxPresignSeconds)
    throw new ConnectorError('config', `A URL can't be valid for ${expiresInSeconds} seconds.`, {
      code: 'InvalidExpiry',
      hint: `Choose 1 to ${maxPresignSeconds} seconds (7 days).`,
    })
  const credentials = await context.provider?.()
  if (!credentials)
    throw new ConnectorError('config', 'Anonymous access has nothing to sign a URL with.', {
      code: 'NoCredentials',
      hint: 'Choose an auth method with credentials.',
    })
  const path = `${address.path}/${encodeKey(key)}`
  const signed = presignQuery({
    method,
    path,
    query,
    headers: { ...headers, host: address.host },
    credentials,
    region,
    service: 's3',
    date: now,
    expiresInSeconds,
  })
  const wanted = now.getTime() + expiresInSeconds * 1000
  const expires = Math.min(wanted, credentials.expiration?.getTime() ?? wanted)
  return { url: `${address.origin}${path}?${signed}`, expires: new Date(expires) }
}
