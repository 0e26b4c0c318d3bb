import type { CheckStep } from '@penstock/core'
import type { Aws, PolicyDocument } from '@penstock/testkit'
import { expect, test } from 'vitest'
import { bucket, embeddedAws, keyAuth, openEmbedded, quick, region } from '../../test/embedded.ts'
import { createRole, roleAuth } from '../../test/roles.ts'
import type { AwsAuthentication } from '../auth/authentication.ts'
import { s3SourcePolicy } from '../policy/source.ts'
import type { OpenS3Options } from '../s3/access.ts'
import { checkS3Source } from './source.ts'

const run = async (
  aws: Aws,
  auth: AwsAuthentication,
  options: { prefix?: string; config?: Partial<OpenS3Options['config']> } = {},
): Promise<CheckStep[]> => {
  const { prefix, config } = options
  const access = openEmbedded(aws, { auth, retry: { ...quick, attempts: 2 }, ...(config ? { config } : {}) })
  const environment = {
    region,
    stsEndpoint: aws.endpoint,
    signal: new AbortController().signal,
    clock: () => new Date(),
  }
  return Array.fromAsync(checkS3Source({ access, auth, environment, prefix }))
}

const short = (steps: CheckStep[]): string[] => steps.map(({ id, status }) => `${id} ${status}`)

test('a role that may read passes every step', async () => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'in/', body: '' })
  await aws.s3.putObject({ bucket, key: 'in/a', body: 'x' })
  const { user, roleArn } = createRole(aws, {
    statements: s3SourcePolicy({ bucket, prefix: 'in/' }).Statement as never,
  })
  const steps = await run(aws, roleAuth(roleArn, user), { prefix: 'in/' })
  expect(short(steps)).toEqual([
    'credentials passed',
    'role passed',
    'bucket passed',
    'acl passed',
    'list passed',
    'read passed',
  ])
  expect(steps.map((step) => step.detail)).toEqual([
    expect.stringMatching(/^access key id \w{4}\.\.\.\w{4}$/),
    `arn:aws:sts::${aws.account}:assumed-role/reader/penstock`,
    'lake in eu-central-1',
    expect.stringMatching(/^owner /),
    'objects found below in/',
    'first byte of in/a',
  ])
  expect(JSON.stringify(steps)).not.toContain(user.secretAccessKey)
})

test('an empty bucket skips reading', async () => {
  const aws = await embeddedAws()
  const steps = await run(aws, keyAuth(aws.root))
  expect(short(steps).slice(-2)).toEqual(['list passed', 'read skipped'])
  expect(steps[0]?.detail).toBe(`arn:aws:iam::${aws.account}:root`)
})

test('a public bucket needs no credentials', async () => {
  const aws = await embeddedAws()
  aws.s3.createBucket({ name: 'open-data', region, publicRead: true })
  await aws.s3.putObject({ bucket: 'open-data', key: 'a', body: 'x' })
  const auth: AwsAuthentication = { method: 'anonymous', provider: () => undefined }
  const steps = await run(aws, auth, { config: { bucket: 'open-data' } })
  expect(short(steps)).toEqual(['credentials skipped', 'bucket skipped', 'list passed', 'read passed'])
})

const policyWithout = (action: string): PolicyDocument => {
  const { Version, Statement } = s3SourcePolicy({ bucket })
  return {
    Version,
    Statement: Statement.map((statement) => ({
      ...statement,
      Action: [statement.Action].flat().filter((name) => name !== action),
    })).filter((statement) => statement.Action.length > 0) as never,
  }
}

test.each([
  ['s3:GetBucketLocation', 'bucket', 'arn:aws:s3:::lake'],
  ['s3:GetBucketAcl', 'acl', 'arn:aws:s3:::lake'],
  ['s3:ListBucket', 'list', 'arn:aws:s3:::lake'],
  ['s3:GetObject', 'read', 'arn:aws:s3:::lake/a'],
])('without %s the step %s fails and names it', async (action, id, resource) => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'a', body: 'x' })
  const user = aws.identities.createUser({ name: 'source', policies: [policyWithout(action)] })
  const steps = await run(aws, keyAuth(user))
  const failed = steps.filter((step) => step.status === 'failed')
  expect(failed.map((step) => step.id)).toEqual([id])
  expect(failed[0]?.error).toMatchObject({ kind: 'permission' })
  expect(failed[0]?.error?.message).toContain(`${action} on ${resource}`)
})

test('what cannot work after a failure is skipped, with the reason', async () => {
  const aws = await embeddedAws()
  const { user, roleArn } = createRole(aws)
  const wrongId = await run(aws, roleAuth(roleArn, user, { externalId: 'wrong' }))
  expect(short(wrongId)).toEqual([
    'credentials passed',
    'role failed',
    'bucket skipped',
    'list skipped',
    'read skipped',
  ])
  expect(wrongId.at(-1)?.detail).toBe('after the failure of: Assume the role')
  const wrongRegion = await run(aws, keyAuth(aws.root), { config: { region: 'us-west-2' } })
  expect(short(wrongRegion)).toEqual(['credentials passed', 'bucket failed', 'list skipped', 'read skipped'])
  expect(wrongRegion[1]?.error).toMatchObject({ code: 'WrongRegion', hint: 'Set region to eu-central-1.' })
  const wrongSecret = await run(aws, keyAuth({ ...aws.root, secretAccessKey: 'wrong' }))
  expect(wrongSecret[0]).toMatchObject({ status: 'failed', error: { code: 'SignatureDoesNotMatch' } })
})

test('all missing permissions are named at once', async () => {
  const aws = await embeddedAws()
  const user = aws.identities.createUser({ name: 'source', policies: [] })
  const steps = await run(aws, keyAuth(user))
  expect(short(steps)).toEqual([
    'credentials passed',
    'bucket failed',
    'acl failed',
    'list failed',
    'read skipped',
  ])
})

test('a store that seems to name no region may have any, as far as it takes it', async () => {
  const aws = await embeddedAws()
  aws.s3.createBucket({ name: 'plain', region: 'us-east-1' })
  const steps = await run(aws, keyAuth(aws.root), { config: { bucket: 'plain' } })
  expect(short(steps)).toEqual(['credentials passed', 'bucket failed', 'list skipped', 'read skipped'])
  expect(steps[1]?.error).toMatchObject({ code: 'WrongRegion', hint: 'Set region to us-east-1.' })
})
