/**
 * A table of Glue, planned and read in place. Runs as it stands, against an AWS of its own on this machine:
 *
 *     node --conditions=penstock:source examples/glue.ts
 */
import { readFile } from 'node:fs/promises'
import { withContext } from '@penstock/core'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { startAws } from '@penstock/testkit'
import { glue, zeroCopyGlue } from '@penstock/zero-copy-glue'

const aws = await startAws()
aws.s3.createBucket({ name: fixtureBucket })
for (const { key, path } of fixtureObjects('t_month'))
  await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
aws.glue.createDatabase({ name: 'sales' })
aws.glue.createTable({
  database: 'sales',
  name: 'orders',
  metadataLocation: icebergFixture('t_month').metadata,
})

const connection = glue({
  region: 'us-east-1',
  endpoint: aws.endpoint,
  catalogEndpoint: `${aws.endpoint}/iceberg`,
  auth: { method: 'access-key', ...aws.root },
})

await withContext(connection, async (context) => {
  for await (const { namespace } of await zeroCopyGlue.namespaces(context)) console.log(namespace.join('.'))
  const table = await zeroCopyGlue.open(context, { namespace: ['sales'], name: 'orders' }, {})
  console.log(table.schema.columns.map(({ name }) => name).join(', '))
  const scan = await table.scan({
    columns: [['l']],
    // dt >= date '1990-01-01'
    filter: { kind: 'compare', column: ['dt'], operator: '>=', value: 7305n },
    signal: context.signal,
  })
  if (scan.kind === 'files') console.log(scan.receipt)
})
await aws.close()
