import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { startAws } from '@penstock/testkit'
import { expect, test } from 'vitest'
import { awsEnvironment } from '../src/clients/client.ts'
import { findPython } from '../src/programs.ts'
import { run } from '../src/run.ts'

const script = fileURLToPath(new URL('../src/clients/catalogs.py', import.meta.url))

test('PyIceberg reads a table by Glue, S3 Tables and a REST catalog of the embedded AWS', async (context) => {
  const found = findPython('pyiceberg')
  if ('missing' in found) return context.skip(`PyIceberg: ${found.missing}`)
  const aws = await startAws()
  try {
    const { metadata: metadataLocation } = icebergFixture('branches')
    aws.s3.createBucket({ name: fixtureBucket })
    for (const { key, path } of fixtureObjects('branches'))
      await aws.s3.putObject({ bucket: fixtureBucket, key, body: await readFile(path) })
    const { arn, catalog } = aws.glue.createTableBucket({ name: 'daily' })
    aws.glue.createDatabase({ name: 'sales' })
    aws.glue.createTable({ database: 'sales', name: 'branches', metadataLocation })
    aws.glue.createDatabase({ name: 'sales', catalog })
    aws.glue.createTable({ database: 'sales', name: 'branches', catalog, metadataLocation })
    aws.rest.configure({
      auth: { kind: 'oauth2', clientId: 'me', clientSecret: 'hush-hush', scope: 'catalog' },
    })
    aws.rest.createNamespace({ levels: ['sales'] })
    aws.rest.createTable({ namespace: ['sales'], name: 'branches', metadataLocation })
    const { output } = await run(found.python, [script, aws.endpoint, 'us-east-1', arn], {
      environment: awsEnvironment({ aws, bucket: fixtureBucket }),
    })
    const seen = { namespaces: ['sales'], rows: [{ id: 5, v: 'e', extra: 50 }] }
    expect(JSON.parse(output.toString())).toEqual({
      'glue-rest': seen,
      'glue-api': seen,
      's3-tables': seen,
      rest: seen,
      boto3: ['branches'],
    })
  } finally {
    await aws.close()
  }
})
