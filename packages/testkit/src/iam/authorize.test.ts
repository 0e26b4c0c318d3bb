import { expect, test } from 'vitest'
import type { AuthorizationQuery, PolicyDocument, PolicyStatement, Principal } from '../types.ts'
import { anonymous } from './accounts.ts'
import { authorize } from './authorize.ts'

const own = '111122223333'
const other = '444455556666'
const resource = 'arn:aws:s3:::lake/a.csv'

const policy = (...Statement: PolicyStatement[]): PolicyDocument => ({ Version: '2012-10-17', Statement })
const allowGet = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*' })
const denyGet = policy({ Effect: 'Deny', Action: 's3:Get*', Resource: '*' })

const user = (...policies: PolicyDocument[]): Principal => ({
  type: 'user',
  account: own,
  arn: `arn:aws:iam::${own}:user/ana`,
  userId: 'AIDAEXAMPLE',
  policies,
})

const root: Principal = {
  type: 'root',
  account: own,
  arn: `arn:aws:iam::${own}:root`,
  userId: own,
  policies: [],
}

const session = (policies: PolicyDocument[], sessionPolicies?: PolicyDocument[]): Principal => ({
  type: 'assumed-role',
  account: own,
  arn: `arn:aws:sts::${own}:assumed-role/reader/job`,
  roleArn: `arn:aws:iam::${own}:role/reader`,
  userId: 'AROAEXAMPLE:job',
  policies,
  ...(sessionPolicies && { sessionPolicies }),
})

const bucketPolicy = (principal: PolicyStatement['Principal'], effect: 'Allow' | 'Deny' = 'Allow') =>
  policy({
    Effect: effect,
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::lake/*',
    ...(principal && { Principal: principal }),
  })

function decide(principal: Principal, query: Partial<AuthorizationQuery> = {}) {
  return authorize({
    principal,
    action: 's3:GetObject',
    resource,
    context: {},
    resourceAccount: own,
    ...query,
  })
}

const allowed = (principal: Principal, query: Partial<AuthorizationQuery> = {}) =>
  decide(principal, query).allowed

const refusal = `is not authorized to perform: s3:GetObject on resource: "${resource}"`

test('a user may do what a policy allows, and nothing else', () => {
  expect(allowed(user(allowGet))).toBe(true)
  expect(allowed(user(allowGet), { action: 's3:PutObject' })).toBe(false)
  expect(allowed(user(allowGet), { resource: 'arn:aws:s3:::other/a.csv' })).toBe(false)
  expect(decide(user())).toEqual({
    allowed: false,
    message: `User: arn:aws:iam::${own}:user/ana ${refusal} because no identity-based policy allows the s3:GetObject action`,
    denial: { policy: 'identity', explicit: false },
  })
})

test('an explicit deny wins, whichever policy says it', () => {
  const start = `User: arn:aws:sts::${own}:assumed-role/reader/job ${refusal} with an explicit deny in`
  expect(decide(session([allowGet, denyGet])).message).toBe(`${start} an identity-based policy`)
  expect(decide(session([allowGet], [allowGet, denyGet])).message).toBe(`${start} a session policy`)
  const resourcePolicy = bucketPolicy('*', 'Deny')
  expect(decide(session([allowGet]), { resourcePolicy }).message).toBe(`${start} a resource-based policy`)
  const named = bucketPolicy({ AWS: user().arn })
  expect(allowed(user(denyGet), { resourcePolicy: named })).toBe(false)
})

test('root may do everything in its account but what a bucket policy denies', () => {
  expect(allowed(root, { action: 's3:DeleteBucket' })).toBe(true)
  expect(allowed(root, { resourcePolicy: bucketPolicy('*', 'Deny') })).toBe(false)
  expect(allowed(root, { resourceAccount: other })).toBe(false)
  const resourcePolicy = bucketPolicy({ AWS: own })
  expect(allowed(root, { resourceAccount: other, resourcePolicy })).toBe(true)
})

test('a caller without a signature needs a bucket policy for everyone', () => {
  expect(allowed(anonymous, { resourcePolicy: bucketPolicy('*') })).toBe(true)
  expect(allowed(anonymous, { resourcePolicy: bucketPolicy({ AWS: '*' }) })).toBe(true)
  expect(allowed(anonymous, { resourcePolicy: bucketPolicy({ AWS: own }) })).toBe(false)
  expect(decide(anonymous).message).toBe(
    `User: anonymous ${refusal} because no resource-based policy allows the s3:GetObject action`,
  )
})

test('in one account a bucket policy that names the caller is enough; one that names the account is not', () => {
  expect(allowed(user(), { resourcePolicy: bucketPolicy({ AWS: user().arn }) })).toBe(true)
  expect(allowed(user(), { resourcePolicy: bucketPolicy('*') })).toBe(true)
  expect(allowed(user(), { resourcePolicy: bucketPolicy({ AWS: `arn:aws:iam::${own}:root` }) })).toBe(false)
  expect(allowed(user(), { resourcePolicy: bucketPolicy({ AWS: `arn:aws:iam::${own}:user/bob` }) })).toBe(
    false,
  )
  expect(allowed(user(), { resourcePolicy: bucketPolicy({ Service: 'logging.s3.amazonaws.com' }) })).toBe(
    false,
  )
})

test('across accounts both sides have to allow', () => {
  const foreign = { resourceAccount: other }
  for (const named of [
    '*',
    { AWS: own },
    { AWS: `arn:aws:iam::${own}:root` },
    { AWS: user().arn },
  ] as const) {
    const resourcePolicy = bucketPolicy(named)
    expect(allowed(user(allowGet), { ...foreign, resourcePolicy })).toBe(true)
    expect(decide(user(), { ...foreign, resourcePolicy }).denial).toEqual({
      policy: 'identity',
      explicit: false,
    })
  }
  expect(decide(user(allowGet), foreign).message).toContain(
    'because no resource-based policy allows the s3:GetObject',
  )
})

test('a session policy limits the role and grants nothing itself', () => {
  const allowPut = policy({ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' })
  expect(allowed(session([allowGet], [allowGet]))).toBe(true)
  expect(allowed(session([], [allowGet]))).toBe(false)
  expect(decide(session([allowGet], [allowPut])).message).toContain(
    'because no session policy allows the s3:GetObject',
  )
})

test('a session policy also limits a grant to the role, not one to the session itself', () => {
  const nothing = [policy({ Effect: 'Allow', Action: 's3:ListBucket', Resource: '*' })]
  const toRole = bucketPolicy({ AWS: `arn:aws:iam::${own}:role/reader` })
  const toSession = bucketPolicy({ AWS: session([]).arn })
  expect(allowed(session([]), { resourcePolicy: toRole })).toBe(true)
  expect(allowed(session([], nothing), { resourcePolicy: toRole })).toBe(false)
  expect(allowed(session([], nothing), { resourcePolicy: toSession })).toBe(true)
  expect(allowed(session([], nothing), { resourcePolicy: toSession, resourceAccount: other })).toBe(false)
})

test('a trust policy always has to allow, and is enough for a caller of its account that it names', () => {
  const trust = (principal: PolicyStatement['Principal']): Partial<AuthorizationQuery> => ({
    action: 'sts:AssumeRole',
    resource: `arn:aws:iam::${own}:role/reader`,
    resourcePolicy: policy({
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      ...(principal && { Principal: principal }),
    }),
    resourcePolicyKind: 'trust',
  })
  const mayAssume = policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' })
  const byName = trust({ AWS: user().arn })
  const byAccount = trust({ AWS: `arn:aws:iam::${own}:root` })
  const stranger = trust({ AWS: `arn:aws:iam::${other}:root` })
  expect(allowed(user(), byName)).toBe(true)
  expect(allowed(user(), byAccount)).toBe(false)
  expect(allowed(user(mayAssume), byAccount)).toBe(true)
  expect(decide(user(mayAssume), stranger).denial).toEqual({ policy: 'trust', explicit: false })
  expect(allowed(user(), { ...byName, resourceAccount: other })).toBe(false)
  expect(allowed(user(mayAssume), { ...byName, resourceAccount: other })).toBe(true)
  expect(allowed(session([], [allowGet]), trust({ AWS: `arn:aws:iam::${own}:role/reader` }))).toBe(false)
})

test('actions ignore case and know wildcards; NotAction and NotResource are complements', () => {
  const statement = (part: Partial<PolicyStatement>) =>
    user(policy({ Effect: 'Allow', ...(!part.NotAction && { Action: '*' }), Resource: '*', ...part }))
  expect(allowed(statement({ Action: 'S3:getobject' }))).toBe(true)
  expect(allowed(statement({ Action: ['s3:Put*', 's3:G?tObject'] }))).toBe(true)
  expect(allowed(statement({ Action: 's3:GetObjectAcl' }))).toBe(false)
  expect(allowed(statement({ NotAction: 's3:Delete*' }))).toBe(true)
  expect(allowed(statement({ NotAction: ['s3:Get*', 's3:Put*'] }))).toBe(false)
  const notResource = (NotResource: string) => user(policy({ Effect: 'Allow', Action: '*', NotResource }))
  expect(allowed(notResource('arn:aws:s3:::lake/secret/*'))).toBe(true)
  expect(allowed(notResource('arn:aws:s3:::lake/*'))).toBe(false)
})

test('resources match by case and with wildcards over slashes', () => {
  const on = (Resource: string) => user(policy({ Effect: 'Allow', Action: 's3:GetObject', Resource }))
  expect(allowed(on('arn:aws:s3:::lake/A.csv'))).toBe(false)
  expect(allowed(on('arn:aws:s3:::lake'))).toBe(false)
  expect(allowed(on('arn:aws:s3:::lake/?.csv'))).toBe(true)
  expect(allowed(on('arn:aws:s3:::*'), { resource: 'arn:aws:s3:::lake/a/b/c' })).toBe(true)
})

test('policy variables stand for the caller; unknown ones match nothing; old versions take them as text', () => {
  const home = (Version?: string) =>
    user({
      ...(Version && { Version }),
      Statement: { Effect: 'Allow', Action: '*', Resource: `arn:aws:s3:::lake/\${aws:username}/*` },
    })
  const asked = { resource: 'arn:aws:s3:::lake/ana/x' }
  expect(allowed(home('2012-10-17'), asked)).toBe(true)
  expect(allowed(home('2012-10-17'), { resource: 'arn:aws:s3:::lake/bob/x' })).toBe(false)
  expect(allowed(home(), asked)).toBe(false)
  expect(allowed(home(), { resource: `arn:aws:s3:::lake/\${aws:username}/x` })).toBe(true)
  const on = (Resource: string) => user(policy({ Effect: 'Allow', Action: '*', Resource }))
  expect(allowed(on(`arn:aws:s3:::lake/\${aws:PrincipalTag/team}/*`), asked)).toBe(false)
  expect(allowed(on(`arn:aws:s3:::lake/\${aws:PrincipalTag/team, 'ana'}/*`), asked)).toBe(true)
  expect(allowed(on(`arn:aws:s3:::lake/\${*}`), { resource: 'arn:aws:s3:::lake/*' })).toBe(true)
  expect(allowed(on(`arn:aws:s3:::lake/\${*}`), asked)).toBe(false)
})

test('conditions see the caller: principal ARN of the role, account, user id, type', () => {
  const when = (Condition: PolicyStatement['Condition']) =>
    policy({ Effect: 'Allow', Action: '*', Resource: '*', ...(Condition && { Condition }) })
  const condition = when({
    ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${own}:role/reader` },
    StringEquals: { 'AWS:PrincipalAccount': own, 'aws:PrincipalType': 'AssumedRole' },
    StringLike: { 'aws:userid': 'AROAEXAMPLE:*' },
    Null: { 'aws:username': 'true' },
  })
  expect(allowed(session([condition]))).toBe(true)
  expect(allowed(user(condition))).toBe(false)
  expect(allowed(session([condition]), { context: { 'aws:principalarn': 'arn:aws:iam::1:role/x' } })).toBe(
    true,
  )
})

test('messages leave the resource unquoted outside of S3', () => {
  const glue = { action: 'glue:GetTable', resource: 'arn:aws:glue:us-east-1:1:catalog' }
  expect(decide(user(), glue).message).toContain(
    'glue:GetTable on resource: arn:aws:glue:us-east-1:1:catalog because no identity-based policy allows the glue:GetTable action',
  )
})
