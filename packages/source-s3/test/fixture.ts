import type { PolicyDocument } from '@penstock/testkit'
import { defineFixture } from '@penstock/testkit/conformance'
import { sourceS3 } from '../src/index.ts'
import { openLake } from './lake.ts'

export default defineFixture(sourceS3, async () => {
  const lake = await openLake()
  lake.aws.s3.createBucket({ name: 'empty' })
  await lake.put('shop/orders/dt=1/a.csv', 'shop/orders/dt=2/b.csv')
  const auth = { method: 'access-key' as const, ...lake.aws.root }
  const configAt = (endpoint: string) => ({
    region: 'us-east-1',
    bucket: lake.bucket,
    endpoint,
    auth,
    maxAttempts: 3,
  })
  const working = configAt(lake.aws.endpoint)
  let orders = 2

  return {
    close: () => lake[Symbol.asyncDispose](),
    endpoint: lake.aws.endpoint,
    config: configAt,
    aws: lake.aws,
    // Without allowEmpty, a folder without files is an error.
    selections: [{ folder: 'shop/orders', allowEmpty: true }],
    wrong: [
      { field: 'bucket', config: { ...working, bucket: 'no-such-bucket' }, kind: 'not-found' },
      { field: 'region', config: { ...working, region: 'South 2' }, kind: 'config' },
      {
        field: 'secretAccessKey',
        config: { ...working, auth: { ...auth, secretAccessKey: 'wrong-secret-access-key' } },
        kind: 'auth',
      },
    ],
    formerConfigs: [
      { region: 'eu-central-1', bucket: 'lake', auth: { method: 'default-chain' } },
      {
        region: 'eu-central-1',
        bucket: 'lake',
        prefix: 'exports',
        auth: {
          method: 'assumed-role',
          roleArn: 'arn:aws:iam::111122223333:role/penstock',
          externalId: 'a1b2c3d4',
        },
      },
    ],
    state: async () => lake.aws.s3.listKeys(lake.bucket),
    grow: () => lake.put(`shop/orders/dt=${++orders}/c.csv`),
    change: () => lake.put({ key: 'shop/orders/dt=1/a.csv', body: 'a\n22\n' }),
    empty: { ...working, bucket: 'empty' },
    underPolicy: async ({ policy }) => {
      const user = lake.aws.identities.createUser({
        name: 'conforming',
        policies: [policy as PolicyDocument],
      })
      const { accessKeyId, secretAccessKey } = user
      return { ...working, auth: { method: 'access-key', accessKeyId, secretAccessKey } }
    },
    skip: {
      'tables/values': 'All tables are made of files, whose values an engine reads.',
      'read/memory': 'All tables are made of files, which are not read by pages.',
    },
  }
})
