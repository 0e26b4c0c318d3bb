import { BucketLocationConstraint, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { embeddedAws, openWriter } from '../../test/embedded.ts'
import { bucketAddress } from '../connection/endpoint.ts'

/** What the SDK knows, us-east-1, which has no LocationConstraint, and the partitions with hosts of their own. */
const regions = [
  'us-east-1',
  ...Object.values(BucketLocationConstraint).filter((region) => region !== 'EU'),
] as readonly string[]
const isolated = ['eusc-de-east-1', 'us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1', 'us-isof-south-1']

test.each([...regions, ...isolated])('%s: the address is the one of the rules of the SDK', (region) => {
  const { config } = new S3Client({ region })
  for (const bucket of ['lake', 'lake.of.dots']) {
    const { url } = config.endpointProvider({ Region: region, Bucket: bucket, ForcePathStyle: false })
    const { origin, path } = bucketAddress({ region, bucket })
    expect(`${origin}${path || '/'}`).toBe(url.href)
  }
})

test('a bucket is made in each region', async () => {
  const aws = await embeddedAws()
  for (const region of regions) {
    const bucket = `made-in-${region}`
    const access = openWriter(aws, { config: { bucket, region } })
    expect(await access.createBucket(), region).toMatchObject({ created: true })
    expect(await access.location()).toBe(region)
    await access.put('key', Buffer.from('x'))
  }
  expect(aws.s3.bucketNames()).toEqual(expect.arrayContaining(regions.map((region) => `made-in-${region}`)))
})
