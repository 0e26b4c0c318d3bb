import { ConnectorError } from '@penstock/core'
import type { S3Client } from './client.ts'
import type { S3CreatedBucket } from './write-access.ts'
import { xmlBody } from './xml.ts'

/** CreateBucket. us-east-1 is what no LocationConstraint means, and the one region that must not be named. */
export const createBucket = async (
  client: S3Client,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<S3CreatedBucket> => {
  const { bucket, region } = client
  const signal = client.signals(options.signal)
  const context = client.context('CreateBucket', 's3:CreateBucket')
  const constraint = `<LocationConstraint>${region}</LocationConstraint>`
  const body = region === 'us-east-1' ? undefined : xmlBody('CreateBucketConfiguration', constraint)
  const known = `/${bucket}`
  try {
    return await client.retrying(context, { signal }, () =>
      client.attempt({ method: 'PUT', body, signal }, context, async (response) => {
        await response.body.dump()
        return { location: response.headers.location ?? known, created: true }
      }),
    )
  } catch (error) {
    if (ConnectorError.isInstance(error) && error.code === 'BucketAlreadyOwnedByYou')
      return { location: known, created: false }
    throw error
  }
}
