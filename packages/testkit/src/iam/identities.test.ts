import { expect, test } from 'vitest'
import type { PolicyDocument } from '../types.ts'
import { createIdentities } from './identities.ts'

const policy = (action: string): PolicyDocument => ({
  Statement: { Effect: 'Allow', Action: action, Resource: '*' },
})
const trustPolicy: PolicyDocument = {
  Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '111122223333' } },
}

test('a new store has the root user of its account, with the given or with new keys', () => {
  const { root, account, findCredential } = createIdentities()
  expect(account).toBe('111122223333')
  expect(root.principal).toMatchObject({ type: 'root', arn: 'arn:aws:iam::111122223333:root', policies: [] })
  expect(root.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
  expect(root.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/)
  expect(findCredential(root.accessKeyId)).toEqual(root)
  const named = createIdentities({
    rootAccessKeyId: 'AKIDROOT',
    rootSecretAccessKey: 's',
    account: '444455556666',
  })
  expect(named.root).toMatchObject({ accessKeyId: 'AKIDROOT', secretAccessKey: 's' })
  expect(named.root.principal.account).toBe('444455556666')
})

test('users and roles belong to any account', () => {
  const identities = createIdentities()
  const ana = identities.createUser({ name: 'ana', policies: [policy('s3:*')] })
  const foreign = identities.createUser({ name: 'ana', account: '444455556666' })
  expect(ana.arn).toBe('arn:aws:iam::111122223333:user/ana')
  expect(foreign.arn).toBe('arn:aws:iam::444455556666:user/ana')
  expect(identities.findCredential(ana.accessKeyId)?.principal).toMatchObject({
    type: 'user',
    account: '111122223333',
    arn: ana.arn,
    policies: [policy('s3:*')],
  })
  const role = identities.createRole({ name: 'reader', trustPolicy, account: '444455556666' })
  expect(identities.findRole(role.arn)).toMatchObject({ account: '444455556666', maxSessionDuration: 3600 })
  expect(identities.rootOf('444455556666').principal.arn).toBe('arn:aws:iam::444455556666:root')
  expect(identities.rootOf('444455556666')).toEqual(identities.rootOf('444455556666'))
  expect(identities.rootOf('111122223333')).toEqual(identities.root)
  expect(identities.users().map(({ arn }) => arn)).toEqual([ana.arn, foreign.arn])
  expect(identities.roles()).toEqual([{ name: 'reader', account: '444455556666', arn: role.arn }])
})

test('a changed policy counts at once, also for a session that is open', () => {
  const identities = createIdentities()
  const ana = identities.createUser({ name: 'ana' })
  const role = identities.createRole({ name: 'reader', trustPolicy })
  const session = identities.openSession({ role, sessionName: 'job', durationSeconds: 900 })
  const policies = (accessKeyId: string) => identities.findCredential(accessKeyId)?.principal.policies
  identities.putUserPolicy('ana', policy('s3:Get*'))
  identities.putUserPolicy(ana.arn, policy('s3:Put*'), 'second')
  identities.putRolePolicy('reader', policy('s3:List*'))
  expect(policies(ana.accessKeyId)).toEqual([policy('s3:Get*'), policy('s3:Put*')])
  expect(policies(session.accessKeyId)).toEqual([policy('s3:List*')])
  identities.deleteUserPolicy('ana')
  identities.deleteRolePolicy('reader')
  expect(policies(ana.accessKeyId)).toEqual([policy('s3:Put*')])
  expect(policies(session.accessKeyId)).toEqual([])
  identities.setTrustPolicy('reader', { Statement: { Effect: 'Deny', Action: 'sts:*', Principal: '*' } })
  expect(identities.findRole(role.arn)?.trustPolicy.Statement).toMatchObject({ Effect: 'Deny' })
})

test('a session carries its role, its name, a token and its end', () => {
  const identities = createIdentities({ clock: () => 1_000_000 })
  const role = identities.createRole({ name: 'reader', trustPolicy })
  const session = identities.openSession({
    role: role.arn,
    sessionName: 'job',
    durationSeconds: 900,
    sessionPolicy: policy('s3:Get*'),
  })
  expect(session.accessKeyId).toMatch(/^ASIA/)
  expect(session.sessionToken?.length).toBeGreaterThan(200)
  expect(session.expiresAt).toBe(1_900_000)
  expect(session.principal).toMatchObject({
    type: 'assumed-role',
    arn: 'arn:aws:sts::111122223333:assumed-role/reader/job',
    roleArn: role.arn,
    sessionPolicies: [policy('s3:Get*')],
  })
  expect(session.principal.userId).toMatch(/^AROA[A-Z2-7]{16}:job$/)
})

test('sessions expire on request: one, those of a role, or all', () => {
  const identities = createIdentities({ clock: () => 1_000_000 })
  const open = (name: string) => {
    const role = identities.createRole({ name, trustPolicy })
    return identities.openSession({ role, sessionName: 'job', durationSeconds: 900 }).accessKeyId
  }
  const [first, second, third] = [open('a'), open('b'), open('c')]
  const expired = (accessKeyId: string) =>
    (identities.findCredential(accessKeyId)?.expiresAt ?? 0) < 1_000_000
  expect(identities.expireSessions({ accessKeyId: first })).toBe(1)
  expect([first, second, third].map(expired)).toEqual([true, false, false])
  expect(identities.expireSessions({ role: 'b' })).toBe(1)
  expect([first, second, third].map(expired)).toEqual([true, true, false])
  expect(identities.expireSessions()).toBe(1)
  expect(identities.expireSessions()).toBe(0)
  expect(expired(third)).toBe(true)
})

test('keys rotate and are revoked; a deleted user or role takes its keys along', () => {
  const identities = createIdentities()
  const ana = identities.createUser({ name: 'ana' })
  const known = (accessKeyId: string) => identities.findCredential(accessKeyId) !== undefined
  const second = identities.createAccessKey('ana')
  expect(identities.users()[0]?.accessKeyIds).toEqual([ana.accessKeyId, second.accessKeyId])
  identities.revokeAccessKey(second.accessKeyId)
  expect([known(ana.accessKeyId), known(second.accessKeyId)]).toEqual([true, false])
  const rotated = identities.rotateAccessKeys('ana')
  expect([known(ana.accessKeyId), known(rotated.accessKeyId)]).toEqual([false, true])
  const own = identities.openUserSession({ accessKeyId: rotated.accessKeyId, durationSeconds: 900 })
  expect(own.principal.arn).toBe(ana.arn)
  identities.deleteUser('ana')
  expect([known(rotated.accessKeyId), known(own.accessKeyId)]).toEqual([false, false])
  const role = identities.createRole({ name: 'reader', trustPolicy })
  const session = identities.openSession({ role, sessionName: 'job', durationSeconds: 900 })
  identities.deleteRole('reader')
  expect(known(session.accessKeyId)).toBe(false)
  expect(identities.findRole(role.arn)).toBeUndefined()
})

test('wrong entities are refused with the names that IAM uses', () => {
  const identities = createIdentities()
  const named = (name: string) => expect.objectContaining({ name })
  identities.createUser({ name: 'ana' })
  expect(() => identities.createUser({ name: 'ana' })).toThrowError(named('EntityAlreadyExists'))
  expect(() => identities.createUser({ name: 'a b' })).toThrowError(named('ValidationError'))
  expect(() => identities.createUser({ name: 'x', account: '1' })).toThrowError(named('ValidationError'))
  expect(() => identities.createUser({ name: 'x', policies: [trustPolicy] })).toThrowError(
    named('MalformedPolicyDocument'),
  )
  expect(identities.users()).toHaveLength(1)
  expect(() => identities.createRole({ name: 'r', trustPolicy: policy('s3:*') })).toThrowError(
    named('MalformedPolicyDocument'),
  )
  expect(() => identities.createRole({ name: 'r', trustPolicy, maxSessionDuration: 900 })).toThrowError(
    named('ValidationError'),
  )
  expect(() => identities.putUserPolicy('bob', policy('s3:*'))).toThrowError(named('NoSuchEntity'))
  expect(() => identities.deleteRole('bob')).toThrowError(named('NoSuchEntity'))
  expect(() => identities.revokeAccessKey('AKIA')).toThrowError(named('NoSuchEntity'))
})
