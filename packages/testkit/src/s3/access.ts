import { authorize } from '../iam/authorize.ts'
import type { Decision, PolicyDocument, PolicyStatement, Principal } from '../types.ts'
import type { Bucket, CannedAcl, ObjectVersion } from './store/model.ts'

const bucketReads = ['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads']
const objectReads = ['s3:GetObject', 's3:GetObjectVersion']

const publicGrants: Partial<Record<CannedAcl, { read: boolean; write: boolean }>> = {
  'public-read': { read: true, write: false },
  'public-read-write': { read: true, write: true },
}

function allow(
  principal: PolicyStatement['Principal'],
  actions: string[],
  resource: string,
): PolicyStatement {
  return { Effect: 'Allow', Action: actions, Resource: resource, ...(principal && { Principal: principal }) }
}

/** A canned ACL says what statements of a policy could say as well, so that one evaluation decides on both. */
function bucketAclStatements({ settings }: Bucket): PolicyStatement[] {
  const arn = `arn:aws:s3:::${settings.name}`
  const statements: PolicyStatement[] = []
  const grant = publicGrants[settings.acl]
  if (grant?.read) statements.push(allow('*', bucketReads, arn))
  if (grant?.write) statements.push(allow('*', ['s3:PutObject', 's3:DeleteObject'], `${arn}/*`))
  return statements
}

function objectAclStatements(version: ObjectVersion, bucket: Bucket, resource: string): PolicyStatement[] {
  const statements: PolicyStatement[] = []
  if (publicGrants[version.acl]?.read) statements.push(allow('*', objectReads, resource))
  const bucketOwnerMay = version.acl === 'bucket-owner-read' || version.acl === 'bucket-owner-full-control'
  if (version.owner !== bucket.settings.account && bucketOwnerMay) {
    statements.push(allow({ AWS: bucket.settings.account }, objectReads, resource))
  }
  return statements
}

/** `authenticated-read` grants to everybody who has an account at all. */
function authenticatedStatements(
  bucket: Bucket,
  version: ObjectVersion | undefined,
  principal: Principal,
  resource: string,
): PolicyStatement[] {
  if (principal.type === 'anonymous') return []
  const statements: PolicyStatement[] = []
  if (bucket.settings.acl === 'authenticated-read') statements.push(allow('*', bucketReads, resource))
  if (version?.acl === 'authenticated-read') statements.push(allow('*', objectReads, resource))
  return statements
}

export interface S3AccessQuery {
  principal: Principal
  action: string
  bucket: Bucket | undefined
  /** Name in the ARN; differs from the bucket's only where there is no bucket. */
  bucketName: string
  key: string | undefined
  context: Record<string, string | undefined>
}

/** The ARN that an action is evaluated against. */
export function resourceArn(bucketName: string, key: string | undefined): string {
  if (bucketName === '') return '*'
  return key === undefined ? `arn:aws:s3:::${bucketName}` : `arn:aws:s3:::${bucketName}/${key}`
}

/** Decides on one action of S3 by the caller's policies, the bucket's policy and the ACLs. */
export function decideAccess(query: S3AccessQuery): Decision {
  const { principal, action, bucket, bucketName, key, context } = query
  const resource = resourceArn(bucketName, key)
  if (!bucket) return authorize({ principal, action, resource, context })
  const version = key === undefined ? undefined : bucket.objects.get(key)?.[0]
  const aclStatements = [
    ...bucketAclStatements(bucket),
    ...(version ? objectAclStatements(version, bucket, resource) : []),
    ...authenticatedStatements(bucket, version, principal, resource),
  ]
  const objectTags = Object.fromEntries(
    (version?.tags ?? []).map(([name, value]) => [`s3:existingobjecttag/${name.toLowerCase()}`, value]),
  )
  const resourcePolicy = withStatements(bucket.settings.policy?.document, aclStatements)
  return authorize({
    principal,
    action,
    resource,
    context: { ...context, ...objectTags, 's3:resourceaccount': bucket.settings.account },
    ...(resourcePolicy && { resourcePolicy }),
    resourceAccount: bucket.settings.account,
  })
}

function withStatements(
  policy: PolicyDocument | undefined,
  statements: PolicyStatement[],
): PolicyDocument | undefined {
  if (statements.length === 0) return policy
  const own = policy ? [policy.Statement].flat() : []
  return { Version: policy?.Version ?? '2012-10-17', Statement: [...own, ...statements] }
}
