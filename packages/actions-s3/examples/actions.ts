import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { head, listFiles, s3Actions, sync, uploadFile } from '@penstock/actions-s3'
import { withContext } from '@penstock/core'
import { startAws } from '@penstock/testkit'

// An S3 of its own on this machine, a file that goes up, and a folder that comes down.
const aws = await startAws()
aws.s3.createBucket({ name: 'lake' })
const folder = await mkdtemp(join(tmpdir(), 'penstock-example-'))
const source = join(folder, 'orders.csv')
writeFileSync(source, 'id,amount\n1,9.90\n')

const connection = s3Actions({
  region: 'us-east-1',
  bucket: 'lake',
  endpoint: aws.endpoint,
  auth: { method: 'access-key', ...aws.root },
})

await withContext(connection, async (context) => {
  const written = await uploadFile(context, { source, to: 'incoming/', metadata: { run: '7' } })
  console.log(`${written.key}: ${written.size} bytes, CRC-64/NVME ${written.crc64nvme}`)
  const { files } = await listFiles(context, { prefix: 'incoming/' })
  console.log(files.map((item) => item.key))
  console.log((await head(context, { path: written.key })).metadata)
  const { downloaded } = await sync(context, { from: 's3://lake/incoming/', to: join(folder, 'copy') })
  console.log(`${downloaded} file came down`)
})

await aws.close()
await rm(folder, { recursive: true })
