/**
 * Files of a table become objects in S3. Runs as it stands, against an S3 of its own on this machine:
 *
 *     node --conditions=penstock:source examples/export.ts
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bigint, type ExportStream, text, withContext } from '@penstock/core'
import { destinationS3, options, s3Destination } from '@penstock/destination-s3'
import { runCheck } from '@penstock/runtime'
import { startAws } from '@penstock/testkit'

const aws = await startAws({ region: 'eu-central-1' })
aws.s3.createBucket({ name: 'partner' })
const folder = await mkdtemp(join(tmpdir(), 'penstock-example-'))

// With AWS: region, bucket and auth are enough. The endpoints point to the S3 of this example.
const destination = s3Destination({
  region: 'eu-central-1',
  bucket: 'partner',
  prefix: 'exports/',
  endpoint: aws.endpoint,
  stsEndpoint: aws.endpoint,
  auth: { method: 'access-key', ...aws.root },
})

for (const step of await runCheck(destination))
  console.log(`${step.status}: ${step.title} (${step.detail ?? ''})`)

// An engine makes such a stream of a table or a query; here its one file is written by hand.
const orders: ExportStream = {
  id: '8f0e5a52-9a6c-4a8e-b1d4-0f3a1a2b3c4d',
  name: 'orders',
  schema: {
    columns: [
      { name: 'id', type: bigint, nullable: false },
      { name: 'customer', type: text, nullable: true },
    ],
  },
  async *rows() {},
  async *files() {
    const path = join(folder, 'orders.csv')
    await writeFile(path, 'id,customer\n1,Ada\n2,Linus\n')
    const { size } = await stat(path)
    yield { part: 1, partition: {}, path, size, rows: 2, release: () => rm(path) }
  },
}

const result = await withContext(destination, (context) =>
  destinationS3.write(context as Parameters<typeof destinationS3.write>[0], {
    run: {
      commitId: '20260418-093000-5f3a9c',
      exportId: 'orders-to-partner',
      exportName: 'orders-to-partner',
      mode: 'overwrite',
      loadTime: new Date(),
      retried: false,
    },
    options: options.parse({ keyTemplate: '{stream_name}/{iso_date}/{stream_name}_{part}', manifest: true }),
    streams: [orders],
    onProgress: () => {},
  }),
)

for (const file of result.files) console.log(`${file.url}: ${file.rows} rows, ${file.size} bytes`)
console.log((await aws.s3.getObject('partner', result.manifest ?? '')).toString())

await aws.close()
await rm(folder, { recursive: true })
