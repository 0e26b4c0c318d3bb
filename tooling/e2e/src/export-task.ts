import type { RunRecord } from '@penstock/core'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'

export interface ExportTask {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
  readonly database: string
  readonly name: string
  readonly mode: 'append' | 'overwrite'
  readonly incremental?: string
  /** Rows of a file at most: 5,000 where not given. */
  readonly maxRows?: number
}

/** One export of the table `orders`, with a manifest. */
export const runExportTask = async (task: ExportTask): Promise<RunRecord> => {
  const { endpoint, bucket, accessKeyId, secretAccessKey, name, mode, incremental, maxRows = 5_000 } = task
  const auth = { method: 'access-key', accessKeyId, secretAccessKey } as const
  const connection = { region: 'us-east-1', bucket, endpoint, forcePathStyle: true, prefix: `${name}/`, auth }
  const engine = await duckdb(task.database)
  try {
    return await exportTo({
      destination: s3Destination(connection, { name: 'lake' }),
      streams: [{ table: 'orders', ...(incremental !== undefined && { incremental }) }],
      mode,
      name,
      options: {
        fileType: 'csv',
        maxRows,
        manifest: true,
        keyTemplate: '{stream_name}_{run_id}_{part}.{extension}',
      },
      engine,
    })
  } finally {
    await engine.close()
  }
}
