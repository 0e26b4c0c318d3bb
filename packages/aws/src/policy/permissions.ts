import type { PolicyOptions } from '@penstock/core'
import { type PolicyDocument, type PolicyStatement, policyDocument } from './documents.ts'
import { limited } from './limits.ts'
import { bucketArn, literal, objectsArn, type PolicyTarget } from './target.ts'

/** Actions of IAM that something needs, and on what. */
export interface S3Permission {
  /** Name of the statement. */
  readonly sid: string
  /** The bucket itself, a listing of it (confined to the prefix), or objects below the prefix. */
  readonly level: 'bucket' | 'listing' | 'objects'
  readonly actions: readonly string[]
}

const statementOf = (target: PolicyTarget, { sid, level, actions }: S3Permission): PolicyStatement => ({
  Sid: sid,
  Effect: 'Allow',
  Action: actions.length === 1 ? (actions[0] as string) : [...actions],
  Resource: level === 'objects' ? objectsArn(target) : bucketArn(target),
  ...(level === 'listing' && target.prefix
    ? { Condition: { StringLike: { 's3:prefix': `${literal(target.prefix)}*` } } }
    : {}),
})

/** A policy that allows just these actions on a bucket, or on the keys of it that begin with a prefix. */
export const s3Policy = (
  target: PolicyTarget,
  permissions: readonly S3Permission[],
  options: PolicyOptions & {
    /** Keys of KMS that objects are encrypted with: ARNs. */
    readonly kmsKeys?: readonly string[]
  } = {},
): PolicyDocument => {
  const { kmsKeys = [] } = options
  const statements = permissions.map((permission) => statementOf(target, permission))
  if (kmsKeys.length > 0)
    statements.push({
      Sid: 'UseKeys',
      Effect: 'Allow',
      // Decrypt as well: S3 asks for it when it puts parts together.
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: [...kmsKeys],
    })
  return policyDocument(limited(statements, [bucketArn(target), objectsArn(target)], options))
}
