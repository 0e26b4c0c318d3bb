import { S3Error } from './errors.ts'
import type { S3Request } from './service.ts'
import type { Bucket } from './store/model.ts'

/** Answered from every region, since clients ask them to learn the region. */
const regionless = new Set(['GetBucketLocation'])

/** Some clients sign with names like `US` and learn the region from the answer; so does S3's own endpoint. */
export function checkRegionName(signedRegion: string | undefined, bucket: Bucket | undefined): void {
  if (signedRegion === undefined || /^[a-z]{2,4}(-[a-z]+)+-\d$/.test(signedRegion)) return
  throw wrongRegion(signedRegion, bucket?.settings.region ?? 'us-east-1')
}

const wrongRegion = (given: string, region: string): S3Error =>
  new S3Error('AuthorizationHeaderMalformed', {
    message: `The authorization header is malformed; the region '${given}' is wrong; expecting '${region}'`,
    details: { Region: region },
    headers: { 'x-amz-bucket-region': region },
  })

/**
 * Sends requests that were signed for another region to the bucket's own. The global endpoint (us-east-1) reaches the
 * bucket and then finds the signature's region wrong; a regional one redirects. Both name the region, in the body and
 * in `x-amz-bucket-region`, so that clients can follow.
 */
export function checkRegion({ signedRegion }: S3Request, { settings }: Bucket, operation: string): void {
  const { region, name } = settings
  if (signedRegion === undefined || signedRegion === region || regionless.has(operation)) return
  if (signedRegion === 'us-east-1') throw wrongRegion(signedRegion, region)
  throw new S3Error('PermanentRedirect', {
    details: { Endpoint: `${name}.s3.${region}.amazonaws.com`, Bucket: name, Region: region },
    headers: { 'x-amz-bucket-region': region },
  })
}
