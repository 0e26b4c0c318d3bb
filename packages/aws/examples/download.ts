/** Lists a bucket and downloads its objects: `node --conditions=penstock:source examples/download.ts`. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { awsAuth, createExternalId, openS3, s3SourcePolicy, trustPolicy } from '@penstock/aws'
import { startAws } from '@penstock/testkit'

// An AWS of our own, with a bucket, a user, and a role that the user may assume.
const aws = await startAws()
aws.s3.createBucket({ name: 'sales-exports', region: 'eu-central-1' })
await aws.s3.putObject({ bucket: 'sales-exports', key: 'orders/2026.csv', body: 'id,total\n1,9.90\n' })
const externalId = createExternalId()
const user = aws.identities.createUser({
  name: 'loader',
  policies: [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' } }],
})
const role = aws.identities.createRole({
  name: 'sales-reader',
  trustPolicy: trustPolicy({ callerArn: user.arn, externalId }) as never,
  policies: [s3SourcePolicy({ bucket: 'sales-exports' }) as never],
})

// What follows is the same with AWS itself, without the two endpoints.
const signal = new AbortController().signal
const clock = () => new Date()
const fields = awsAuth.assumedRole.fields.parse({
  roleArn: role.arn,
  externalId,
  source: { accessKeyId: user.accessKeyId, secretAccessKey: user.secretAccessKey },
})
const access = openS3({
  config: {
    region: 'eu-central-1',
    bucket: 'sales-exports',
    endpoint: aws.endpoint,
    stsEndpoint: aws.endpoint,
  },
  auth: await awsAuth.assumedRole.resolve(fields, { signal, clock }),
  access: 'read-only',
  signal,
  clock,
})
const folder = await mkdtemp(join(tmpdir(), 'penstock-example-'))
for await (const { entries } of access.list({ prefix: 'orders/' }))
  for (const entry of entries) {
    const path = join(folder, 'object')
    await access.file(entry).download(path)
    console.log(`${entry.key} (${entry.size} bytes):\n${await readFile(path, 'utf8')}`)
  }
console.log(access.stats())

await access.close()
await aws.close()
await rm(folder, { recursive: true })
