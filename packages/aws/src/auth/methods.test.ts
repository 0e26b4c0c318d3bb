import { isSecretSchema, parse, revealAll } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { awsAuth, awsAuthMethods, createExternalId } from './methods.ts'

const roleArn = 'arn:aws:iam::111122223333:role/penstock'
const role = (fields: Record<string, unknown> = {}) =>
  awsAuth.assumedRole.fields.safeParse({ roleArn, externalId: 'abc', ...fields })
const messages = (result: ReturnType<typeof role>): string[] =>
  result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? []

test('the assumed role is recommended and stands first', () => {
  expect(awsAuthMethods.map(({ id, recommended }) => [id, recommended ?? false])).toEqual([
    ['assumed-role', true],
    ['access-key', false],
    ['default-chain', false],
    ['anonymous', false],
  ])
})

describe('an assumed role', () => {
  test('has defaults', () => {
    expect(role().data).toMatchObject({ sessionName: 'penstock', durationSeconds: 3600 })
  })

  test.each([
    { roleArn: `arn:aws:iam::111122223333:role/${'r'.repeat(2048 - 31)}` },
    { roleArn: 'arn:aws-cn:iam::111122223333:role/path/name' },
    { externalId: 'ab' },
    { externalId: 'a'.repeat(1224) },
    { externalId: 'aZ09_+=,.@:/-' },
    { sessionName: 'ab' },
    { sessionName: 'a'.repeat(64) },
    { sessionName: 'aZ09_+=,.@-' },
    { durationSeconds: 900 },
    { durationSeconds: 43_200 },
  ])('takes %j', (fields) => {
    expect(messages(role(fields))).toEqual([])
  })

  test.each([
    [{ roleArn: 'arn:aws:iam::1:r/x' }, /roleArn: .*20 to 2048/],
    [{ roleArn: `${roleArn}${'r'.repeat(2048)}` }, /roleArn: .*20 to 2048/],
    [{ roleArn: 'arn:aws:iam::111122223333:user/penstock' }, /roleArn: .*looks like/],
    [{ roleArn: undefined }, /roleArn: The role is missing/],
    [{ externalId: 'a' }, /externalId: .*2 to 1224/],
    [{ externalId: 'a'.repeat(1225) }, /externalId: .*2 to 1224/],
    [{ externalId: 'a b' }, /externalId: .*only letters/],
    [{ externalId: undefined }, /externalId: The external id is missing/],
    [{ sessionName: 'a' }, /sessionName: .*2 to 64/],
    [{ sessionName: 'a'.repeat(65) }, /sessionName: .*2 to 64/],
    [{ sessionName: 'a:b' }, /sessionName: .*only letters/],
    [{ durationSeconds: 899 }, /durationSeconds: .*900 to 43200/],
    [{ durationSeconds: 43_201 }, /durationSeconds: .*900 to 43200/],
    [{ unknown: 1 }, /unknown/],
  ])('refuses %j', (fields, message) => {
    expect(messages(role(fields))[0]).toMatch(message)
  })
})

test('missing keys are told by their field and by their environment variable', () => {
  expect(() => parse(awsAuth.accessKey.fields, {}, 'auth method access-key')).toThrow(
    /accessKeyId: .*\$\{env:AWS_ACCESS_KEY_ID\}.*secretAccessKey: .*\$\{env:AWS_SECRET_ACCESS_KEY\}/,
  )
})

test('secrets are secrets, as schemas and as values', () => {
  const { shape } = awsAuth.accessKey.fields
  expect(isSecretSchema(shape.secretAccessKey)).toBe(true)
  expect(isSecretSchema(shape.sessionToken)).toBe(true)
  expect(isSecretSchema(shape.accessKeyId)).toBe(false)
  const source = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'hush', sessionToken: 'token' }
  const parsed = role({ source }).data
  expect(JSON.stringify(parsed)).not.toMatch(/hush|token/)
  expect(revealAll(parsed)).toEqual(['hush', 'token'])
})

test('external ids are long, valid and never the same', () => {
  const ids = new Set(Array.from({ length: 100 }, createExternalId))
  expect(ids.size).toBe(100)
  for (const externalId of ids) expect(messages(role({ externalId }))).toEqual([])
})
