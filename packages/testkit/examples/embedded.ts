import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startAws } from '@penstock/testkit'

// node --conditions=penstock:source examples/embedded.ts
// S3 on loopback for a test: an object, a user who may read one prefix, a fault, and what was asked.
const aws = await startAws({ region: 'eu-central-1' })
aws.s3.createBucket({ name: 'lake' })
await aws.s3.putObject({ bucket: 'lake', key: 'open/a.csv', body: 'id\n1\n' })
await aws.s3.putObject({ bucket: 'lake', key: 'closed/b.csv', body: 'id\n2\n' })

const reader = aws.identities.createUser({
  name: 'reader',
  policies: [
    {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/open/*' }],
    },
  ],
})

const client = new S3Client({
  endpoint: aws.endpoint,
  region: 'eu-central-1',
  forcePathStyle: true,
  credentials: reader,
})
const read = async (key: string) => {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'lake', Key: key }))
    return await Body?.transformToString()
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : error
  }
}

aws.faults.add({ when: { operation: 'GetObject' }, times: 1, fault: { kind: 'slow-down' } })
console.log('open:', await read('open/a.csv'))
console.log('closed:', await read('closed/b.csv'))
for (const { operation, status } of aws.log.entries()) console.log(operation, status)

client.destroy()
await aws.close()
