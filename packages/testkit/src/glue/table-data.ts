import { tableArn } from '../iceberg-rest/amazon.ts'
import { levelSeparator } from '../iceberg-rest/route.ts'
import type { GlueStore } from './store.ts'

/**
 * ARN of the table of S3 Tables whose files lie in a bucket, undefined for any other bucket. Reads of such files are
 * evaluated as `s3tables:GetTableData` ("Access management for S3 Tables", S3 user guide).
 */
export function tableOfBucket({ catalogs }: GlueStore, bucket: string): string | undefined {
  if (!bucket.endsWith('--table-s3')) return undefined
  for (const { tableBucketArn, databases } of catalogs.values()) {
    if (tableBucketArn === undefined) continue
    for (const [namespace, { tables }] of databases)
      for (const [name, { input }] of tables)
        if (input.Parameters?.metadata_location?.startsWith(`s3://${bucket}/`))
          return tableArn(tableBucketArn, namespace.split(levelSeparator), name)
  }
  return undefined
}
