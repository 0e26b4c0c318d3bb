import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Aws, startAws } from '../aws.ts'
import type { PolicyDocument } from '../types.ts'
import { connectAwsControl } from './client.ts'
import type { AwsControl } from './protocol.ts'
import { startControlledAws } from './start.ts'

const token = 'a-token-of-some-length'
let aws: Aws
let control: AwsControl

beforeAll(async () => {
  aws = await startControlledAws({ controlToken: token })
  control = connectAwsControl({ endpoint: aws.endpoint, token })
})
afterAll(() => aws?.close())
beforeEach(() => {
  aws.faults.clear()
  aws.log.clear()
})

const publicRead: PolicyDocument = {
  Statement: { Effect: 'Allow', Action: 's3:GetObject', Principal: '*', Resource: 'arn:aws:s3:::shared/*' },
}

test('buckets and objects: made, listed, read over HTTP, removed', async () => {
  await control.createBucket({ name: 'shared', policy: publicRead })
  await control.putObject({ bucket: 'shared', key: 'a/text', body: 'grüße', contentType: 'text/plain' })
  await control.putObject({ bucket: 'shared', key: 'b', body: Buffer.from([0, 255, 10]) })
  expect(await control.listKeys('shared')).toEqual(['a/text', 'b'])
  expect(await control.listKeys('shared', 'a/')).toEqual(['a/text'])
  const answer = await fetch(`${aws.endpoint}/shared/a/text`)
  expect(answer.headers.get('content-type')).toBe('text/plain')
  expect(await answer.text()).toBe('grüße')
  const bytes = await fetch(`${aws.endpoint}/shared/b`)
  expect(Buffer.from(await bytes.arrayBuffer())).toEqual(Buffer.from([0, 255, 10]))
  await control.setBucketPolicy('shared', undefined)
  expect((await fetch(`${aws.endpoint}/shared/b`)).status).toBe(403)
  await control.setBucketPolicy('shared', publicRead)
  expect((await fetch(`${aws.endpoint}/shared/b`)).status).toBe(200)
  await control.deleteObject({ bucket: 'shared', key: 'b' })
  expect(await control.listKeys('shared')).toEqual(['a/text'])
})

test('catalogs: databases, tables, table buckets and the generic REST catalog', async () => {
  await control.createDatabase({ name: 'sales', catalog: 'cat1' })
  const metadataLocation = 's3://shared/v1.metadata.json'
  await control.createTable({
    database: 'sales',
    name: 'orders',
    catalog: 'cat1',
    metadataLocation,
    lakeFormation: {},
  })
  await control.setMetadataLocation({
    database: 'sales',
    name: 'orders',
    catalog: 'cat1',
    location: 's3://x',
  })
  const { arn } = await control.createTableBucket({ name: 'daily' })
  expect(arn).toBe(`arn:aws:s3tables:us-east-1:${aws.account}:bucket/daily`)
  await control.configureGlue({ pageSize: 5 })
  await control.createRestNamespace({ levels: ['a', 'b'] })
  await control.createRestTable({ namespace: ['a', 'b'], name: 'T', metadataLocation })
  await control.configureRest({ auth: { kind: 'bearer', token: 'hush' } })
  const tables = await fetch(`${aws.endpoint}/_iceberg/v1/namespaces/a%1Fb/tables`, {
    headers: { authorization: 'Bearer hush' },
  })
  expect(await tables.json()).toMatchObject({ identifiers: [{ name: 'T' }] })
  await expect(control.createDatabase({ name: 'sales', catalog: 'cat1' })).rejects.toThrow('already exists')
})

test('users, roles, policies and keys', async () => {
  const policy: PolicyDocument = { Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } }
  const trustPolicy: PolicyDocument = {
    Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: aws.account } },
  }
  const user = await control.createUser({ name: 'ana', policies: [policy] })
  expect(aws.identities.findCredential(user.accessKeyId)).toMatchObject({
    secretAccessKey: user.secretAccessKey,
    principal: { arn: user.arn, policies: [policy] },
  })
  const role = await control.createRole({ name: 'reader', trustPolicy, maxSessionDuration: 7200 })
  expect(await control.roles()).toEqual([{ name: 'reader', account: aws.account, arn: role.arn }])
  await control.putRolePolicy('reader', policy)
  await control.putUserPolicy('ana', policy, 'second')
  await control.deleteUserPolicy('ana')
  expect(aws.identities.findRole(role.arn)?.policies).toEqual([policy])
  await control.deleteRolePolicy('reader')
  expect(aws.identities.findRole(role.arn)?.policies).toEqual([])
  await control.setTrustPolicy('reader', trustPolicy)
  aws.identities.openSession({ role, sessionName: 'job', durationSeconds: 900 })
  expect(await control.expireSessions({ role: 'other' })).toBe(0)
  expect(await control.expireSessions()).toBe(1)
  const rotated = await control.rotateAccessKeys('ana')
  expect((await control.users()).map(({ accessKeyIds }) => accessKeyIds)).toEqual([[rotated.accessKeyId]])
  await control.revokeAccessKey(rotated.accessKeyId)
  await control.deleteRole('reader')
  await control.deleteUser('ana')
  expect([aws.identities.users(), aws.identities.roles()]).toEqual([[], []])
})

test('faults are added with all that a rule can say, listed and removed', async () => {
  const url = `${aws.endpoint}/shared/a/text`
  const remove = await control.addFault({
    when: { key: /^A\//i },
    skip: 1,
    times: 1,
    fault: { kind: 'slow-down' },
  })
  const statuses = [await fetch(url), await fetch(url), await fetch(url)].map(({ status }) => status)
  expect(statuses.filter((status) => status === 503)).toHaveLength(1)
  expect(statuses[1]).toBe(503)
  expect(await control.faults()).toMatchObject([
    {
      rule: { when: { key: /^A\//i }, skip: 1, times: 1, fault: { kind: 'slow-down' } },
      matched: 3,
      applied: 1,
    },
  ])
  await remove()
  expect(await control.faults()).toEqual([])
  await control.addFault({ fault: { kind: 'change-object', body: Buffer.from([255, 0]) } })
  expect(aws.faults.list()[0]?.rule.fault).toEqual({ kind: 'change-object', body: Buffer.from([255, 0]) })
  await control.clearFaults()
  expect(aws.faults.list()).toEqual([])
})

test('the log holds the requests of the product, not those of the control', async () => {
  await fetch(`${aws.endpoint}/shared/a/text`)
  await control.users()
  expect((await control.log()).map(({ operation }) => operation)).toEqual(['GetObject'])
  await control.clearLog()
  expect(await control.log()).toEqual([])
})

test('the clock moves', async () => {
  const date = async () =>
    Date.parse((await fetch(`${aws.endpoint}/shared/a/text`)).headers.get('date') ?? '')
  await control.setClockOffset(86_400_000)
  expect(await date()).toBeGreaterThan(Date.now() + 80_000_000)
  await control.setClockOffset(0)
  expect(await date()).toBeLessThan(Date.now() + 80_000_000)
})

test('errors keep their names; wrong arguments say where they are wrong', async () => {
  const named = (name: string, message: RegExp = /./) =>
    expect.objectContaining({ name, message: expect.stringMatching(message) })
  await expect(control.deleteUser('nobody')).rejects.toEqual(named('NoSuchEntity', /nobody/))
  await expect(control.createUser({ name: 'x', policies: [publicRead] })).rejects.toEqual(
    named('MalformedPolicyDocument', /should not specify a principal/),
  )
  const wrong = async (command: string, ...args: unknown[]) => {
    const body = JSON.stringify(args)
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${aws.endpoint}/_penstock/${command}`, { method: 'POST', headers, body })
    expect(answer.status).toBe(400)
    return await answer.text()
  }
  expect(await wrong('createUser', { nam: 'x' })).toMatch(/ValidationError.*\[0\]/)
  expect(await wrong('addFault', { fault: { kind: 'earthquake' } })).toMatch(/ValidationError.*fault/)
  expect(await wrong('listKeys')).toContain('ValidationError')
})

test('nothing is answered without the token, or to a page in a browser', async () => {
  const stranger = connectAwsControl({ endpoint: aws.endpoint, token: 'another-token-of-length' })
  await expect(stranger.users()).rejects.toEqual(expect.objectContaining({ name: 'AccessDenied' }))
  const post = (path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const sent = request(aws.endpoint + path, { method: 'POST', headers }, (res) => {
        res.resume()
        resolve(res.statusCode ?? 0)
      })
      sent.on('error', reject)
      sent.end()
    })
  const authorization = `Bearer ${token}`
  expect(await post('/_penstock/users', {})).toBe(403)
  expect(await post('/_penstock/users', { authorization, origin: 'http://evil.example' })).toBe(403)
  expect(await post('/_penstock/users', { authorization })).toBe(200)
  expect(await post('/_penstock/toString', { authorization })).toBe(404)
})

test('an embedded AWS without a token has no control endpoint', async () => {
  const plain = await startAws()
  const answer = await fetch(`${plain.endpoint}/_penstock/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: '[]',
  })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  await expect(connectAwsControl({ endpoint: plain.endpoint, token }).users()).rejects.toThrow(
    'no control endpoint',
  )
  await plain.close()
  await expect(startControlledAws({ controlToken: 'short' })).rejects.toThrow('at least 16')
})
