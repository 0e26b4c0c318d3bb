import type { PolicyOptions } from '@penstock/core'
import type { PolicyDocument } from './documents.ts'
import { s3Policy } from './permissions.ts'
import type { PolicyTarget } from './target.ts'

/** Least privilege of a source: section 1 of the connector specification. */
export const s3SourcePolicy = (target: PolicyTarget, options: PolicyOptions = {}): PolicyDocument =>
  s3Policy(
    target,
    [
      { sid: 'ReadBucket', level: 'bucket', actions: ['s3:GetBucketAcl', 's3:GetBucketLocation'] },
      { sid: 'ListObjects', level: 'listing', actions: ['s3:ListBucket'] },
      { sid: 'ReadObjects', level: 'objects', actions: ['s3:GetObject'] },
    ],
    options,
  )
