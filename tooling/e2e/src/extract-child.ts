import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { s3 } from '@penstock/source-s3'

/* One extraction in a process of its own, to be killed. Argument: JSON of ChildTask. Prints `started`, then the status. */

export interface ChildTask {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
  readonly database: string
  readonly tables: readonly Record<string, unknown>[]
}

const task = JSON.parse(process.argv[2] ?? '') as ChildTask
const engine = await duckdb(task.database)
const source = s3({
  region: 'us-east-1',
  bucket: task.bucket,
  endpoint: task.endpoint,
  forcePathStyle: true,
  auth: { method: 'access-key', accessKeyId: task.accessKeyId, secretAccessKey: task.secretAccessKey },
})
console.log('started')
const record = await extract({ source, tables: task.tables as [], engine })
await engine.close()
console.log(record.status, JSON.stringify(record.error ?? null))
process.exitCode = record.status === 'succeeded' ? 0 : 1
