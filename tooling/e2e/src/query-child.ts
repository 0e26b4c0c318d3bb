import { type AnyZeroCopy, connectUnknown } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { query } from '@penstock/runtime'
import { zeroCopyGlue } from '@penstock/zero-copy-glue'

/* One query in place in a process of its own, ended by SIGINT with exit code 130. Argument: JSON of QueryTask. */

export interface QueryTask {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly folder: string
}

const { endpoint, accessKeyId, secretAccessKey, folder } = JSON.parse(process.argv[2] ?? '') as QueryTask
const abort = new AbortController()
process.once('SIGINT', () => abort.abort())
const connection = connectUnknown(
  zeroCopyGlue as unknown as AnyZeroCopy,
  {
    region: 'eu-central-1',
    endpoint,
    stsEndpoint: endpoint,
    catalogEndpoint: `${endpoint}/iceberg`,
    auth: { method: 'access-key', accessKeyId, secretAccessKey },
  },
  { name: 'lake' },
)
const engine = await duckdb(':memory:', { stagingFolder: folder })
try {
  const sql = 'SELECT * FROM ice.orders_v1'
  const running = await query({ sql, connections: [connection], engine, signal: abort.signal })
  for await (const page of running.result.rows()) console.log(page.length)
} catch {
  process.exitCode = abort.signal.aborted ? 130 : 1
} finally {
  await engine.close()
}
