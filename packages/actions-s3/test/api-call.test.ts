import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { requestTarget } from '../src/api/target.ts'
import { apiCall } from '../src/index.ts'
import { bytesOf, failure, type Lake, MiB, openLake, region } from './lake.ts'

let lake: Lake
beforeEach(async () => {
  lake = await openLake()
})

test('GET, PUT and DELETE, with queries that need encoding', async () => {
  await lake.use(async (context) => {
    const tags = '<Tagging><TagSet><Tag><Key>k</Key><Value>v w</Value></Tag></TagSet></Tagging>'
    await apiCall(context, {
      url: '/lake/ü ö+%25.txt',
      method: 'PUT',
      body: 'hello',
      headers: { 'x-amz-meta-a': '1' },
    })
    expect(lake.keys()).toEqual(['ü ö+%.txt'])
    await apiCall(context, {
      url: 'lake/%C3%BC%20%C3%B6%2B%25.txt?tagging',
      method: 'put',
      body: tags,
    } as never)
    const answer = await apiCall(context, { url: '/lake/ü ö+%25.txt?tagging' })
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('<Value>v w</Value>') })
    for (const call of [
      { url: '/lake?list-type=2&prefix=%C3%BC+%C3%B6%2B' },
      { url: '/lake', query: { 'list-type': '2', prefix: 'ü ö+' } },
    ])
      expect((await apiCall(context, call)).body).toContain('<KeyCount>1</KeyCount>')
    const gone = await apiCall(context, { url: '/lake/ü ö+%25.txt', method: 'DELETE' })
    expect(gone.status).toBe(204)
    expect(lake.keys()).toEqual([])
  })
})

test('bodies from a file and from stdin, answers to a file and to stdout', async () => {
  const bytes = bytesOf(3 * MiB)
  const source = join(lake.folder, 'source')
  const target = join(lake.folder, 'target')
  writeFileSync(source, bytes)
  await lake.use(async (context) => {
    await apiCall(context, { url: '/lake/a', method: 'PUT', bodyFile: source })
    const stdin = (async function* () {
      yield Buffer.from('from stdin')
    })()
    await apiCall({ ...context, stdin }, { url: '/lake/b', method: 'PUT', bodyFile: '-' })
    expect((await lake.stored('b')).toString()).toBe('from stdin')
    expect(await apiCall(context, { url: '/lake/a', to: target })).toMatchObject({
      status: 200,
      file: target,
    })
    expect(readFileSync(target).equals(bytes)).toBe(true)
    let count = 0
    const stdout = async (chunk: Uint8Array) => {
      count += chunk.length
    }
    expect(await apiCall({ ...context, stdout }, { url: '/lake/a' })).not.toHaveProperty('body')
    expect(count).toBe(bytes.length)
  })
})

test('a refusal is an error of its kind, or the answer, where that is asked for', async () => {
  await lake.use(async (context) => {
    const error = await failure(apiCall(context, { url: '/lake/none' }))
    expect(error).toMatchObject({ kind: 'not-found', code: 'NoSuchKey' })
    const answer = await apiCall(context, { url: '/lake/none', fail: false })
    expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('NoSuchKey') })
  })
})

test.each(['Authorization', 'authorization', 'X-Amz-Date', 'Host', 'x-amz-security-token'])(
  "the user's own header %s is refused",
  async (name) => {
    const error = await failure(
      lake.use((context) => apiCall(context, { url: '/lake', headers: { [name]: 'x' } })),
    )
    expect(error).toMatchObject({ kind: 'config', message: expect.stringContaining(name) })
    expect(lake.operations()).toEqual([])
  },
)

test.each([
  'https://evil.example/lake',
  '//evil.example/lake',
  'http://127.0.0.1:1/lake',
  'https://s3.eu-central-1.amazonaws.com.evil.example/x',
  'https://s3.eu-central-1.amazonaws.com@evil.example/x',
  'file:///etc/passwd',
  '\\\\evil.example\\x',
  '/lake?X-Amz-Signature=abc',
])('the URL %s is refused', (url) => {
  expect(() => requestTarget(url, { region, endpoint: undefined })).toThrow(/another host|signed already/)
})

test.each([
  ['/b/k?acl', '/b/k', { acl: '' }],
  ['b/k', '/b/k', {}],
  ['', '/', {}],
  ['https://s3.eu-central-1.amazonaws.com/b?x=1', '/b', { x: '1' }],
  ['/b/a//../c', '/b/a//../c', {}],
  ['/b/%2e%zz', '/b/.%25zz', {}],
  ["/b/it's(1)*!", '/b/it%27s%281%29%2A%21', {}],
  ['/b?prefix=a%26b%3Dc+d', '/b', { prefix: 'a&b=c d' }],
])('the URL %s asks for %s', (url, path, query) => {
  expect(requestTarget(url, { region, endpoint: undefined })).toEqual({ path, query })
})

test('temporary credentials: the session token goes along, and never into output', async () => {
  const { aws } = lake
  const user = aws.identities.createUser({
    name: 'caller',
    policies: [{ Statement: { Effect: 'Allow', Action: ['s3:*', 'sts:*'], Resource: '*' } }],
  })
  const role = aws.identities.createRole({
    name: 'worker',
    trustPolicy: {
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${aws.account}:root` },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': 'penstock-1' } },
      },
    },
    policies: [{ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } }],
  })
  await lake.put('a', 'hello')
  const { accessKeyId, secretAccessKey } = user
  const fields = {
    auth: {
      method: 'assumed-role' as const,
      roleArn: role.arn,
      externalId: 'penstock-1',
      source: { accessKeyId, secretAccessKey },
    },
  }
  await lake.use(
    async (context) => {
      expect((await apiCall(context, { url: '/lake/a' })).body).toBe('hello')
      const error = await failure(apiCall(context, { url: '/lake' }))
      expect(error.kind).toBe('permission')
      aws.faults.add({
        when: { service: 's3' },
        fault: { kind: 'error', status: 403, code: 'SignatureDoesNotMatch', message: 'no' },
      })
      const answer = await apiCall(context, { url: '/lake/a', fail: false })
      const shown = inspect([error, answer], { depth: 9 }) + JSON.stringify([error, answer])
      for (const secret of [secretAccessKey, 'X-Amz-Security-Token:', 'x-amz-security-token:'])
        expect(shown).not.toContain(secret)
    },
    { fields },
  )
})
