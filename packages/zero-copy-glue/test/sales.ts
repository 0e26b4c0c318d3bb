import { readFile } from 'node:fs/promises'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import type { Aws } from '@penstock/testkit'

export const region = 'eu-central-1'

/** Iceberg tables that stand in the catalogs of these tests. */
export const icebergTables = ['orders_v1', 'branches', 'position_deletes']

/** Makes the database `sales`: Iceberg tables of the fixtures and `events`, which is Hive's, by day and hour. */
export const fillSales = async (aws: Aws): Promise<void> => {
  aws.s3.createBucket({ name: fixtureBucket, region })
  aws.glue.createDatabase({ name: 'sales', description: 'Shops' })
  for (const name of icebergTables) {
    for (const { key, path } of fixtureObjects(name))
      await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
    aws.glue.createTable({ database: 'sales', name, metadataLocation: icebergFixture(name).metadata })
  }
  const partitions = ['2026-01-01', '2026-01-02'].flatMap((day) =>
    ['9', '10'].map((hour) => [day, hour] as const),
  )
  for (const [day, hour] of partitions) {
    const folder = `events/day=${day}/hour=${hour}`
    await aws.s3.putObject({ bucket: fixtureBucket, key: `${folder}/a.csv`, body: `${hour},x\n` })
    await aws.s3.putObject({ bucket: fixtureBucket, key: `${folder}/_SUCCESS`, body: 'no data' })
    await aws.s3.putObject({ bucket: fixtureBucket, key: `${folder}/`, body: '' })
  }
  aws.glue.createTable({
    database: 'sales',
    name: 'events',
    format: 'csv',
    location: `s3://${fixtureBucket}/events/`,
    columns: [
      { name: 'id', type: 'bigint' },
      { name: 'note', type: 'string' },
    ],
    partitionKeys: [
      { name: 'day', type: 'date' },
      { name: 'hour', type: 'int' },
    ],
    partitions: partitions.map(([day, hour]) => ({
      values: [day, hour],
      location: `s3://${fixtureBucket}/events/day=${day}/hour=${hour}`,
    })),
  })
}
