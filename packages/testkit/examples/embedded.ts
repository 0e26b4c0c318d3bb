/**
 * An AWS of one's own, in this process: a role that only its external id opens, a policy, a fault, the request log.
 *
 *     node --conditions=penstock:source examples/embedded.ts
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { startAws } from '@penstock/testkit'

const aws = await startAws()
aws.s3.createBucket({ name: 'lake' })
await aws.s3.putObject({ bucket: 'lake', key: 'a.csv', body: 'id\n1\n' })
const caller = aws.identities.createUser({
  name: 'caller',
  policies: [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' } }],
})
const { arn } = aws.identities.createRole({
  name: 'reader',
  trustPolicy: {
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: caller.arn },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': 'penstock-1' } },
    },
  },
  policies: [{ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*' } }],
})

const common = { endpoint: aws.endpoint, region: 'us-east-1' }
const sts = new STSClient({ ...common, credentials: caller })
const { Credentials: given } = await sts.send(
  new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'example', ExternalId: 'penstock-1' }),
)
const s3 = new S3Client({
  ...common,
  forcePathStyle: true,
  credentials: {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  },
})

// The first read is refused with 503 SlowDown; the client tries again.
aws.faults.add({ when: { operation: 'GetObject' }, times: 1, fault: { kind: 'slow-down' } })
const answer = await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'a.csv' }))
console.log(await answer.Body?.transformToString())

await s3
  .send(new PutObjectCommand({ Bucket: 'lake', Key: 'b.csv', Body: '' }))
  .catch((error: Error) => console.log(`${error.name}: ${error.message}`))

for (const { service, operation, status } of aws.log.entries()) console.log(service, operation, status)
await aws.close()
