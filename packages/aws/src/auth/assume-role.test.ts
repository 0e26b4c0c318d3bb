import { inspect } from 'node:util'
import { ConnectorError } from '@penstock/core'
import { expect, test } from 'vitest'
import { bucket, collect, embeddedAws, entryOf, listAll, openEmbedded } from '../../test/embedded.ts'
import { createRole, externalId, roleAuth } from '../../test/roles.ts'

const minutes = (count: number): number => count * 60_000

test('a role is assumed once and used for all requests', async () => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'a', body: 'text' })
  const { user, roleArn } = createRole(aws)
  const access = openEmbedded(aws, { auth: roleAuth(roleArn, user) })
  const [entry] = await listAll(access)
  expect(String(await collect(access.file(entry as never).read()))).toBe('text')
  expect((await access.identity())?.arn).toBe(`arn:aws:sts::${aws.account}:assumed-role/reader/penstock`)
  const operations = aws.log.entries().map((request) => request.operation)
  expect(operations).toEqual(['AssumeRole', 'ListObjectsV2', 'GetObject', 'GetCallerIdentity'])
})

test('credentials are renewed in the middle of a run, before they end', async () => {
  const aws = await embeddedAws()
  let offset = 0
  aws.setClock(() => Date.now() + offset)
  const { user, roleArn } = createRole(aws)
  const access = openEmbedded(aws, {
    auth: roleAuth(roleArn, user, { durationSeconds: 900 }),
    clock: () => new Date(Date.now() + offset),
  })
  for (offset = 0; offset < minutes(60); offset += minutes(4)) await listAll(access)
  const assumed = aws.log.entries().filter((request) => request.operation === 'AssumeRole')
  expect(assumed.length).toBeGreaterThanOrEqual(4)
  expect(aws.log.entries().filter((request) => request.status >= 400)).toEqual([])
})

test('a session that ends early is renewed once, and the requests are sent again', async () => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'a', body: 'text' })
  const { user, roleArn } = createRole(aws)
  const access = openEmbedded(aws, { auth: roleAuth(roleArn, user) })
  const entry = await entryOf(access, 'a')
  aws.identities.expireSessions()
  const bodies = await Promise.all(
    Array.from({ length: 10 }, async () => String(await collect(access.file(entry).read()))),
  )
  expect(new Set(bodies)).toEqual(new Set(['text']))
  expect(aws.log.entries().filter((request) => request.operation === 'AssumeRole')).toHaveLength(2)
  aws.identities.expireSessions()
  expect(await access.location()).toBe('eu-central-1')
  aws.identities.expireSessions()
  expect((await access.head('a')).entry.key).toBe('a')
})

test('the chain of roles caps the duration at an hour', async () => {
  const aws = await embeddedAws()
  const { roleArn } = createRole(aws, { maxSessionDuration: 43_200 })
  const first = aws.identities.createRole({
    name: 'first',
    trustPolicy: { Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' } },
    policies: [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' } }],
  })
  const session = aws.identities.openSession({ role: first.arn, sessionName: 's1', durationSeconds: 3600 })
  const access = openEmbedded(aws, { auth: roleAuth(roleArn, session, { durationSeconds: 7200 }) })
  expect(await listAll(access)).toEqual([])
  expect(aws.log.entries().map((request) => [request.operation, request.status])).toEqual([
    ['AssumeRole', 400],
    ['AssumeRole', 200],
    ['ListObjectsV2', 200],
  ])
})

const failureOf = async (
  options: Parameters<typeof createRole>[1],
  auth: Parameters<typeof roleAuth>[2] = {},
) => {
  const aws = await embeddedAws()
  const { user, roleArn } = createRole(aws, options)
  const access = openEmbedded(aws, { auth: roleAuth(roleArn, user, auth) })
  const error = await listAll(access).catch((reason: unknown) => reason)
  if (!ConnectorError.isInstance(error)) throw error
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(user.secretAccessKey)
  return error
}

test.each([
  ['a wrong external id', {}, { externalId: 'another' }],
  ['a trust policy without the caller', { trusted: false }, {}],
  ['a caller without the right', { mayAssume: false }, {}],
])('%s is told with all remedies, because AWS answers the same to each', async (_, role, auth) => {
  const error = await failureOf(role, auth)
  expect(error).toMatchObject({ kind: 'permission', code: 'AccessDenied' })
  expect(error.message).toMatch(/user\/loader may not assume the role arn:aws:iam::\d+:role\/reader/)
  expect(error.hint).toMatch(/externalId.*trust policy.*sts:AssumeRole/)
  expect(error.hint).not.toContain(externalId)
})

test('a duration beyond that of the role is told as such', async () => {
  const error = await failureOf({ maxSessionDuration: 3600 }, { durationSeconds: 7200 })
  expect(error).toMatchObject({ kind: 'config' })
  expect(error.hint).toMatch(/Lower durationSeconds/)
})
