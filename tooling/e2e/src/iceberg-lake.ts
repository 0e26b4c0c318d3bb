import { readFile } from 'node:fs/promises'
import { type AnyZeroCopy, type Connection, connectUnknown } from '@penstock/core'
import { fixtureBucket, fixtureObjects, icebergFixtures } from '@penstock/iceberg-fixtures'
import { type Aws, startAws } from '@penstock/testkit'
import { zeroCopyGlue } from '@penstock/zero-copy-glue'

/** An embedded AWS with all Iceberg fixtures in database `ice` of Glue. */
export interface IcebergLake {
  readonly aws: Aws
  connection(fields?: Readonly<Record<string, unknown>>): Connection<AnyZeroCopy>
  close(): Promise<void>
}

const region = 'eu-central-1'

export const openIcebergLake = async (): Promise<IcebergLake> => {
  const aws = await startAws()
  aws.s3.createBucket({ name: fixtureBucket, region })
  for (const { key, path } of fixtureObjects())
    await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
  aws.glue.createDatabase({ name: 'ice' })
  for (const { table, metadata } of icebergFixtures())
    aws.glue.createTable({ database: 'ice', name: table, metadataLocation: metadata })
  const { accessKeyId, secretAccessKey } = aws.root
  return {
    aws,
    connection: (fields = {}) =>
      connectUnknown(
        zeroCopyGlue as unknown as AnyZeroCopy,
        {
          region,
          endpoint: aws.endpoint,
          stsEndpoint: aws.endpoint,
          catalogEndpoint: `${aws.endpoint}/iceberg`,
          auth: { method: 'access-key', accessKeyId, secretAccessKey },
          maxAttempts: 4,
          ...fields,
        },
        { name: 'lake' },
      ),
    close: () => aws.close(),
  }
}
