import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PolicyOptions } from '@penstock/core'
import type { PolicyDocument } from '@penstock/testkit'
import { describe, expect, test } from 'vitest'
import {
  bucket,
  collect,
  embeddedAws,
  keyAuth,
  listAll,
  openEmbedded,
  temporaryFolder,
} from '../../test/embedded.ts'
import { createRole, externalId, roleAuth } from '../../test/roles.ts'
import { s3SourcePolicy } from './source.ts'
import { trustPolicy } from './trust.ts'

const asPolicy = (document: unknown): PolicyDocument => document as PolicyDocument

test('the policy of a source has the actions of the specification, and no other', () => {
  expect(s3SourcePolicy({ bucket })).toEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'ReadBucket',
        Effect: 'Allow',
        Action: ['s3:GetBucketAcl', 's3:GetBucketLocation'],
        Resource: 'arn:aws:s3:::lake',
      },
      { Sid: 'ListObjects', Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::lake' },
      { Sid: 'ReadObjects', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*' },
    ],
  })
})

test('a prefix narrows list and read; its wildcards are literal', () => {
  const [, list, read] = s3SourcePolicy({ bucket, prefix: 'a*b/', region: 'cn-north-1' }).Statement
  expect(list?.Condition).toEqual({ StringLike: { 's3:prefix': `a\${*}b/*` } })
  expect(read?.Resource).toBe(`arn:aws-cn:s3:::lake/a\${*}b/*`)
})

/** Everything that a source does, under one policy. */
const everything = async (policy: unknown, prefix = 'in/') => {
  const aws = await embeddedAws({ trustSourceIpHeader: true })
  const body = Buffer.alloc(9 << 20, 7)
  await aws.s3.putObject({ bucket, key: 'in/big', body })
  await aws.s3.putObject({ bucket, key: 'in/small', body: 'x' })
  await aws.s3.putObject({ bucket, key: 'out/secret', body: 'x' })
  const user = aws.identities.createUser({ name: 'source', policies: [asPolicy(policy)] })
  const access = openEmbedded(aws, { auth: keyAuth(user) })
  const folder = await temporaryFolder()
  await access.location()
  await access.acl()
  for (const entry of await listAll(access, prefix)) {
    await access.head(entry.key)
    await access.file(entry).download(join(folder, 'out'))
    expect((await readFile(join(folder, 'out'))).length).toBe(entry.size)
    await collect(access.file(entry).read())
  }
  return { aws, access }
}

describe('under exactly the printed policy', () => {
  test('all works, and every action that is asked for is in it', async () => {
    const policy = s3SourcePolicy({ bucket })
    const { aws } = await everything(policy)
    const allowed = new Set(policy.Statement.flatMap((statement) => statement.Action))
    const asked = new Set(aws.log.entries().flatMap((entry) => entry.actions.map(({ action }) => action)))
    expect(asked).toEqual(allowed)
    expect(aws.log.entries().every((entry) => /^(GET|HEAD)$/.test(entry.method))).toBe(true)
    expect(aws.log.entries().filter((entry) => entry.status >= 400)).toEqual([])
  })

  test('a confined connection works below its prefix and nowhere else', async () => {
    const { access } = await everything(s3SourcePolicy({ bucket, prefix: 'in/' }))
    await expect(listAll(access, 'out/')).rejects.toMatchObject({ kind: 'permission' })
    await expect(listAll(access)).rejects.toMatchObject({ kind: 'permission' })
    await expect(access.head('out/secret')).rejects.toMatchObject({ kind: 'permission' })
  })

  test.each<[PolicyOptions, boolean]>([
    [{ sourceIps: ['127.0.0.0/8'] }, true],
    [{ sourceIps: ['203.0.113.0/24', '127.0.0.1'] }, true],
    [{ sourceIps: ['203.0.113.0/24'] }, false],
    // The embedded AWS speaks plain http.
    [{ secureTransport: true }, false],
  ])('%j is enforced', async (options, works) => {
    const running = everything(s3SourcePolicy({ bucket }, options))
    if (works) await running
    else await expect(running).rejects.toMatchObject({ kind: 'permission' })
  })
})

test.each(['10.0.0.0/33', '10.0.0', 'example.com', '10.0.0.0/x', '::1/129', ''])(
  '%j is no block',
  (block) => {
    expect(() => s3SourcePolicy({ bucket }, { sourceIps: [block] })).toThrow(/no block of IP addresses/)
  },
)

test('the trust policy lets its caller assume the role, with the external id only', async () => {
  const aws = await embeddedAws()
  const { user, roleArn } = createRole(aws, { trusted: false })
  const caller = `arn:aws:iam::${aws.account}:user/loader`
  aws.identities.setTrustPolicy(roleArn, asPolicy(trustPolicy({ callerArn: caller, externalId })))
  await listAll(openEmbedded(aws, { auth: roleAuth(roleArn, user) }))
  const wrong = openEmbedded(aws, { auth: roleAuth(roleArn, user, { externalId: 'wrong' }) })
  await expect(listAll(wrong)).rejects.toMatchObject({ kind: 'permission' })
  const another = aws.identities.createUser({ name: 'another', policies: [] })
  await expect(listAll(openEmbedded(aws, { auth: roleAuth(roleArn, another) }))).rejects.toMatchObject({
    kind: 'permission',
  })
  const narrow = trustPolicy({ callerArn: caller, externalId, sourceIps: ['203.0.113.7'] })
  aws.identities.setTrustPolicy(roleArn, asPolicy(narrow))
  await expect(listAll(openEmbedded(aws, { auth: roleAuth(roleArn, user) }))).rejects.toMatchObject({
    kind: 'permission',
  })
})

test('the caller of a trust policy is the role behind a session, or a place to fill in', () => {
  const principal = (callerArn?: string) => trustPolicy({ callerArn, externalId }).Statement[0]?.Principal
  expect(principal('arn:aws:sts::111122223333:assumed-role/etl/run-1')).toEqual({
    AWS: 'arn:aws:iam::111122223333:role/etl',
  })
  expect(principal('arn:aws:iam::111122223333:user/etl')).toEqual({
    AWS: 'arn:aws:iam::111122223333:user/etl',
  })
  expect(JSON.stringify(principal())).toContain('YOUR-ACCOUNT-ID')
})
