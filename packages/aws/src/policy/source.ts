import type { PolicyOptions } from '@penstock/core'
import { awsPartition } from '../connection/endpoint.ts'
import { type PolicyDocument, type PolicyStatement, policyDocument } from './documents.ts'
import { limited } from './limits.ts'

/** What a policy is about: a bucket, or the keys of it that begin with a prefix. */
export interface PolicyTarget {
  readonly bucket: string
  readonly prefix?: string | undefined
  /** Its partition decides how ARNs begin. */
  readonly region?: string | undefined
}

/** `*`, `?` and `${` have a meaning in ARNs and in StringLike. */
const literal = (text: string): string => text.replace(/[*?$]/g, (character) => `\${${character}}`)

const bucketArn = ({ bucket, region }: PolicyTarget): string =>
  `arn:${awsPartition(region).id}:s3:::${bucket}`

const objectsArn = (target: PolicyTarget): string => `${bucketArn(target)}/${literal(target.prefix ?? '')}*`

/** Least privilege of a source: section 1 of the connector specification. */
export const s3SourcePolicy = (target: PolicyTarget, options: PolicyOptions = {}): PolicyDocument => {
  const { prefix } = target
  const bucket = bucketArn(target)
  const objects = objectsArn(target)
  const list: PolicyStatement = {
    Sid: 'ListObjects',
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: bucket,
    ...(prefix ? { Condition: { StringLike: { 's3:prefix': `${literal(prefix)}*` } } } : {}),
  }
  const statements: readonly PolicyStatement[] = [
    {
      Sid: 'ReadBucket',
      Effect: 'Allow',
      Action: ['s3:GetBucketAcl', 's3:GetBucketLocation'],
      Resource: bucket,
    },
    list,
    { Sid: 'ReadObjects', Effect: 'Allow', Action: 's3:GetObject', Resource: objects },
  ]
  return policyDocument(limited(statements, [bucket, objects], options))
}
