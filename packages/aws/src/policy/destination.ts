import type { PolicyOptions } from '@penstock/core'
import type { PolicyDocument } from './documents.ts'
import { s3Policy } from './permissions.ts'
import type { PolicyTarget } from './target.ts'

/** What a destination does besides writing objects: each needs a permission of its own. */
export interface DestinationPolicyOptions extends PolicyOptions {
  readonly tags?: boolean | undefined
  readonly acl?: boolean | undefined
  /** Keys of KMS that objects are encrypted with: ARNs. */
  readonly kmsKeys?: readonly string[]
}

/**
 * Least privilege of a destination: section 1 of the connector specification, and the listing of uploads, without which
 * an upload that a process began and could not note before it died would stay for ever.
 */
export const s3DestinationPolicy = (
  target: PolicyTarget,
  options: DestinationPolicyOptions = {},
): PolicyDocument =>
  s3Policy(
    target,
    [
      { sid: 'FindBucket', level: 'bucket', actions: ['s3:GetBucketLocation'] },
      // Of all keys: who may list only a prefix is told 403 instead of 404 about an object that is not there.
      { sid: 'ListObjects', level: 'bucket', actions: ['s3:ListBucket', 's3:ListBucketMultipartUploads'] },
      {
        sid: 'WriteObjects',
        level: 'objects',
        actions: [
          's3:PutObject',
          's3:GetObject',
          's3:DeleteObject',
          's3:ListMultipartUploadParts',
          's3:AbortMultipartUpload',
          ...(options.tags ? ['s3:PutObjectTagging'] : []),
          ...(options.acl ? ['s3:PutObjectAcl'] : []),
        ],
      },
    ],
    options,
  )
