import { XMLParser } from 'fast-xml-parser'
import { expect, test } from 'vitest'
import { createIdentities } from '../iam/identities.ts'
import type { Credential, PolicyDocument, PolicyStatement } from '../types.ts'
import { handleSts } from './handle.ts'

const start = Date.UTC(2025, 5, 1)
const roleArn = 'arn:aws:iam::111122223333:role/reader'
const mayAssume: PolicyDocument = {
  Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: 'arn:aws:iam::*:role/*' },
}

const trusting = (...names: string[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: names } },
})

const trustedWhen = (Condition: NonNullable<PolicyStatement['Condition']>): PolicyDocument => ({
  Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '111122223333' }, Condition },
})

interface Answer {
  status: number
  result: Record<string, unknown>
  code?: string
  message?: string
}

/** STS with a user `ana` who may assume roles, and a clock that the test moves. */
function setUp({ trustPolicy = trusting('111122223333'), maxSessionDuration = 43_200 } = {}) {
  const time = { now: start }
  const identities = createIdentities({ clock: () => time.now })
  const key = identities.createUser({ name: 'ana', policies: [mayAssume] })
  identities.createRole({ name: 'reader', trustPolicy, maxSessionDuration })
  const recorded: unknown[] = []

  function call(
    params: Record<string, string>,
    options: { as?: string | null; sourceIp?: string } = {},
  ): Answer {
    const { as = key.accessKeyId, sourceIp = '127.0.0.1' } = options
    const reply = handleSts({
      identities,
      credential: as === null ? undefined : identities.findCredential(as),
      params: new URLSearchParams({ Version: '2011-06-15', ...params }),
      context: { 'aws:sourceip': sourceIp },
      clock: () => time.now,
      requestId: 'R1',
      record: (entry) => recorded.push(entry),
    })
    const document: unknown = new XMLParser({ parseTagValue: false }).parse(String(reply.body))
    const result = at(document, `${params.Action}Response`, `${params.Action}Result`) ?? {}
    const error = at(document, 'ErrorResponse', 'Error')
    return {
      status: reply.status,
      result,
      ...(error && { code: `${error.Code}`, message: `${error.Message}` }),
    }
  }

  const assume = (params: Record<string, string> = {}, options: Parameters<typeof call>[1] = {}) =>
    call({ Action: 'AssumeRole', RoleArn: roleArn, RoleSessionName: 'job', ...params }, options)
  return { identities, key, call, assume, time, recorded }
}

function at(value: unknown, ...path: string[]): Record<string, unknown> | undefined {
  let current: unknown = value
  for (const name of path) {
    if (!isRecord(current)) return undefined
    current = current[name]
  }
  return isRecord(current) ? current : undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const keyOf = (answer: Answer): string => `${at(answer.result, 'Credentials')?.AccessKeyId}`

test('AssumeRole opens a session whose key, token and end the answer gives', () => {
  const { assume, identities, recorded } = setUp()
  const answer = assume()
  expect(answer.status).toBe(200)
  const credential: Credential | undefined = identities.findCredential(keyOf(answer))
  expect(answer.result).toEqual({
    AssumedRoleUser: {
      AssumedRoleId: credential?.principal.userId,
      Arn: 'arn:aws:sts::111122223333:assumed-role/reader/job',
    },
    Credentials: {
      AccessKeyId: credential?.accessKeyId,
      SecretAccessKey: credential?.secretAccessKey,
      SessionToken: credential?.sessionToken,
      Expiration: '2025-06-01T01:00:00Z',
    },
  })
  expect(recorded).toEqual([{ action: 'sts:AssumeRole', resource: roleArn, allowed: true }])
})

test.each<[Record<string, string>, string]>([
  [
    { DurationSeconds: '899' },
    "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
  ],
  [
    { DurationSeconds: '43201' },
    "Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
  ],
  [
    { RoleArn: 'arn:aws:iam::1:role' },
    "at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
  ],
  [
    { RoleArn: `${roleArn}${'x'.repeat(2048)}` },
    "at 'roleArn' failed to satisfy constraint: Member must have length less than or equal to 2048",
  ],
  [
    { RoleSessionName: 'a' },
    "Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
  ],
  [{ RoleSessionName: 'a'.repeat(65) }, 'Member must have length less than or equal to 64'],
  [
    { RoleSessionName: 'a b' },
    "Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
  ],
  [
    { ExternalId: 'x' },
    "at 'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2",
  ],
  [{ ExternalId: 'x'.repeat(1225) }, 'Member must have length less than or equal to 1224'],
  [{ ExternalId: 'a;b' }, 'Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*'],
  [
    { Policy: 'x'.repeat(2049) },
    "at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048",
  ],
])('AssumeRole refuses %j', (params, message) => {
  const answer = setUp().assume(params)
  expect(answer).toMatchObject({ status: 400, code: 'ValidationError' })
  expect(answer.message).toContain('1 validation error detected: ')
  expect(answer.message).toContain(message)
})

test('limits themselves are accepted, and several errors are counted', () => {
  const { assume, call } = setUp()
  for (const DurationSeconds of ['900', '43200']) expect(assume({ DurationSeconds }).status).toBe(200)
  for (const RoleSessionName of ['ab', 'a'.repeat(64), 'a+=,.@-_']) {
    expect(assume({ RoleSessionName }).status).toBe(200)
  }
  for (const ExternalId of ['ab', 'x'.repeat(1224), 'a:b/c+=,.@-'])
    expect(assume({ ExternalId }).status).toBe(200)
  expect(call({ Action: 'AssumeRole', RoleArn: roleArn, DurationSeconds: '1' }).message).toBe(
    "2 validation errors detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null; Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
  )
  expect(assume({ RoleArn: 'arn:aws:s3:::bucket-of-mine/x' }).message).toBe('Request ARN is invalid')
})

test('the duration is held by the role, and by one hour when roles are chained', () => {
  const { assume, identities } = setUp({ maxSessionDuration: 7200 })
  expect(assume({ DurationSeconds: '7201' })).toMatchObject({
    status: 400,
    code: 'ValidationError',
    message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  })
  identities.putRolePolicy('reader', mayAssume)
  const first = keyOf(assume())
  expect(assume({ DurationSeconds: '3600' }, { as: first }).status).toBe(200)
  expect(assume({ DurationSeconds: '3601' }, { as: first }).message).toBe(
    'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
  )
})

test('a role that is not there reads as one that is not allowed', () => {
  const { assume } = setUp({ trustPolicy: trusting('444455556666') })
  const refusal = (arn: string) => ({
    status: 403,
    code: 'AccessDenied',
    message: `User: arn:aws:iam::111122223333:user/ana is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
  })
  expect(assume()).toMatchObject(refusal(roleArn))
  const absent = 'arn:aws:iam::111122223333:role/absent'
  expect(assume({ RoleArn: absent })).toMatchObject(refusal(absent))
})

test('an explicit deny of the caller is named, and root may assume no role', () => {
  const { assume, identities } = setUp()
  identities.putUserPolicy('ana', { Statement: { Effect: 'Deny', Action: 'sts:*', Resource: '*' } }, 'no')
  expect(assume().message).toMatch(/role\/reader with an explicit deny in an identity-based policy$/)
  expect(assume({}, { as: identities.root.accessKeyId })).toMatchObject({
    status: 403,
    message: 'Roles may not be assumed by root accounts.',
  })
})

test('the trust policy decides on the external id', () => {
  const { assume } = setUp({ trustPolicy: trustedWhen({ StringEquals: { 'sts:ExternalId': 'secret-7' } }) })
  expect(assume({ ExternalId: 'secret-7' }).status).toBe(200)
  expect(assume({ ExternalId: 'secret-8' }).code).toBe('AccessDenied')
  expect(assume().code).toBe('AccessDenied')
})

test('the trust policy decides on the source address and the session name', () => {
  const byAddress = setUp({ trustPolicy: trustedWhen({ IpAddress: { 'aws:SourceIp': ['203.0.113.0/24'] } }) })
  expect(byAddress.assume({}, { sourceIp: '203.0.113.9' }).status).toBe(200)
  expect(byAddress.assume({}, { sourceIp: '203.0.114.9' }).code).toBe('AccessDenied')
  const byName = setUp({ trustPolicy: trustedWhen({ StringLike: { 'sts:RoleSessionName': 'penstock-*' } }) })
  expect(byName.assume({ RoleSessionName: 'penstock-1' }).status).toBe(200)
  expect(byName.assume().code).toBe('AccessDenied')
})

test('a session policy limits the session, is measured, and must be well formed', () => {
  const { assume, identities } = setUp()
  const policy = JSON.stringify({ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } })
  const answer = assume({ Policy: policy })
  expect(answer.result.PackedPolicySize).toBe('4')
  expect(identities.findCredential(keyOf(answer))?.principal.sessionPolicies).toEqual([JSON.parse(policy)])
  expect(assume({ Policy: '{' })).toMatchObject({ status: 400, code: 'MalformedPolicyDocument' })
})

test('GetCallerIdentity needs no permission at all', () => {
  const { call, identities } = setUp()
  const bob = identities.createUser({
    name: 'bob',
    policies: [{ Statement: { Effect: 'Deny', Action: '*', Resource: '*' } }],
  })
  expect(call({ Action: 'GetCallerIdentity' }, { as: bob.accessKeyId }).result).toEqual({
    Arn: 'arn:aws:iam::111122223333:user/bob',
    UserId: identities.findCredential(bob.accessKeyId)?.principal.userId,
    Account: '111122223333',
  })
})

test('an expired session and a missing signature are told apart', () => {
  const { assume, call, time } = setUp()
  const as = keyOf(assume({ DurationSeconds: '900' }))
  time.now = start + 900_000 - 1
  expect(call({ Action: 'GetCallerIdentity' }, { as }).status).toBe(200)
  time.now = start + 900_000
  expect(call({ Action: 'GetCallerIdentity' }, { as })).toMatchObject({
    status: 403,
    code: 'ExpiredToken',
    message: 'The security token included in the request is expired',
  })
  expect(call({ Action: 'GetCallerIdentity' }, { as: null })).toMatchObject({
    status: 403,
    code: 'MissingAuthenticationToken',
  })
})

test('GetSessionToken gives temporary credentials of the user, once', () => {
  const { call, identities, key, assume } = setUp()
  const answer = call({ Action: 'GetSessionToken', DurationSeconds: '900' })
  const session = identities.findCredential(keyOf(answer))
  expect(session?.principal.arn).toBe(key.arn)
  expect(session?.expiresAt).toBe(start + 900_000)
  expect(assume({}, { as: keyOf(answer) }).status).toBe(200)
  expect(call({ Action: 'GetSessionToken' }, { as: keyOf(answer) })).toMatchObject({
    status: 403,
    message: 'Cannot call GetSessionToken with session credentials',
  })
  expect(call({ Action: 'GetSessionToken', DurationSeconds: '899' }).code).toBe('ValidationError')
})

test('operations, versions and parameters that are not known are errors', () => {
  const { call, assume } = setUp()
  for (const Action of ['AssumeRoleWithWebIdentity', 'toString', '']) {
    expect(call({ Action })).toMatchObject({
      status: 400,
      code: 'InvalidAction',
      message: `Could not find operation ${Action} for version 2011-06-15`,
    })
  }
  expect(call({ Action: 'GetCallerIdentity', Version: '' }).code).toBe('InvalidAction')
  expect(assume({ SerialNumber: 'mfa' }).message).toContain('does not support SerialNumber')
})
