/**
 * Objects in S3 become tables in DuckDB. Runs as it stands, against an S3 of its own on this machine:
 *
 *     node --conditions=penstock:source examples/extract.ts
 */
import { duckdb } from '@penstock/engine-duckdb'
import { extract, runCheck } from '@penstock/runtime'
import { s3 } from '@penstock/source-s3'
import { startAws } from '@penstock/testkit'

const aws = await startAws({ region: 'eu-central-1' })
aws.s3.createBucket({ name: 'sales' })
const put = (key: string, body: string) => aws.s3.putObject({ bucket: 'sales', key, body })
await put('crm/customers.csv', 'id,name\n007,Ada\n008,Linus\n')
await put('shop/orders/year=2024/a.csv', 'order_id,amount\n1,9.90\n2,20.00\n')
await put('shop/orders/year=2025/b.csv', 'order_id,amount\n3,5.25\n')
await put('exports/clicks/1.ndjson', '{"page":"/","ms":12}\n{"page":"/shop","ms":9}\n')
await put('exports/visits/1.ndjson', '{"visitor":"a1","pages":3}\n')

// With AWS: region, bucket and auth are enough. The endpoints point to the S3 of this example.
const source = s3({
  region: 'eu-central-1',
  bucket: 'sales',
  endpoint: aws.endpoint,
  stsEndpoint: aws.endpoint,
  auth: { method: 'access-key', ...aws.root },
})

for (const step of await runCheck(source)) console.log(`${step.status}: ${step.title} (${step.detail ?? ''})`)

const engine = await duckdb(':memory:')
const run = await extract({
  source,
  engine,
  tables: [
    { object: 'crm/customers.csv' },
    { folder: 'shop/orders/', mode: 'delta' },
    { glob: 'exports/(*)/*.ndjson', table: 'web_{1}' },
  ],
})

if (run.error) throw new Error(run.error.message)
for (const table of run.tables)
  console.log(
    `${table.name}: ${table.rowsLoaded} rows,`,
    table.columns.map(({ name, type }) => `${name} ${type}`).join(', '),
  )

await engine.close()
await aws.close()
