import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { clientOf, presign, send } from '../../test/clients.ts'
import { type Aws, startAws } from '../aws.ts'
import type { PolicyStatement } from '../types.ts'
import { bucketOfHost } from './target.ts'

const bucket = 'wire'
let aws: Aws

beforeAll(async () => {
  aws = await startAws({ trustSourceIpHeader: true, domain: 's3.test' })
  aws.s3.createBucket({ name: bucket })
  await aws.s3.putObject({ bucket, key: 'key', body: 'content' })
})

beforeEach(() => aws.log.clear())

afterAll(() => aws.close())

/** Writes bytes to a socket and reads until the answer ends with `until`, or the server closes. */
async function talk(steps: { write: string; until: RegExp }[]): Promise<string> {
  const socket = connect(aws.port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  for (const { write, until } of steps) {
    socket.write(write, 'latin1')
    while (!until.test(received)) await Promise.race([once(socket, 'data'), once(socket, 'close')])
  }
  socket.destroy()
  return received
}

describe('on the wire', () => {
  const url = (path: string, method = 'GET') => presign(aws, { path, method })
  const host = () => `host: 127.0.0.1:${aws.port}`

  test('HEAD has the headers of GET, and no body', async () => {
    const answer = await talk([
      { write: `HEAD ${url(`/${bucket}/key`, 'HEAD')} HTTP/1.1\r\n${host()}\r\n\r\n`, until: /\r\n\r\n/ },
    ])
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(answer).toMatch(/content-length: 7\r\n/i)
    expect(answer).toMatch(/\r\n\r\n$/)
  })

  test('a client that waits gets 100 Continue before its body', async () => {
    const head = `PUT ${url(`/${bucket}/waits`, 'PUT')} HTTP/1.1\r\n${host()}\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n`
    const answer = await talk([
      { write: head, until: /100 Continue\r\n\r\n/ },
      { write: 'abc', until: /200 OK[\s\S]*\r\n\r\n/ },
    ])
    expect(answer).toContain('HTTP/1.1 200 OK')
    expect((await aws.s3.getObject(bucket, 'waits')).toString()).toBe('abc')
  })

  test('a client that waits and is refused gets the error alone, and the connection ends', async () => {
    const head = `PUT /${bucket}/waits HTTP/1.1\r\n${host()}\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n`
    const answer = await talk([{ write: head, until: /<\/Error>/ }])
    expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden/)
    expect(answer).toMatch(/connection: close/i)
  })

  test('a body that ends early leaves nothing behind', async () => {
    const socket = connect(aws.port, '127.0.0.1')
    socket.write(
      `PUT ${url(`/${bucket}/cut`, 'PUT')} HTTP/1.1\r\n${host()}\r\ncontent-length: 100\r\n\r\nabc`,
    )
    await expect.poll(() => aws.log.entries().at(-1)?.bytesReceived).toBe(3)
    socket.destroy()
    await expect.poll(() => aws.log.entries().at(-1)?.errorCode).toBe('RequestTimeout')
    expect(aws.log.entries().at(-1)?.internalError).toBeUndefined()
    expect(aws.s3.listKeys(bucket)).not.toContain('cut')
  })

  test('an error leaves the connection usable', async () => {
    const put = `PUT ${url(`/${bucket}/bad`, 'PUT')} HTTP/1.1\r\n${host()}\r\ncontent-length: 3\r\ncontent-md5: x\r\n\r\nabc`
    const get = `GET ${url(`/${bucket}/key`)} HTTP/1.1\r\n${host()}\r\n\r\n`
    const answer = await talk([
      { write: put, until: /<\/Error>/ },
      { write: get, until: /content$/ },
    ])
    expect(answer).toContain('<Code>InvalidDigest</Code>')
    expect(answer).toContain('HTTP/1.1 200 OK')
  })

  test('the absolute form of a target is understood', async () => {
    const target = `http://127.0.0.1:${aws.port}${url(`/${bucket}/key`)}`
    const answer = await talk([{ write: `GET ${target} HTTP/1.1\r\n${host()}\r\n\r\n`, until: /content$/ }])
    expect(answer).toContain('HTTP/1.1 200 OK')
  })

  test('paths are taken as they are, dots and slashes included', async () => {
    for (const key of ['../../up', 'a/./b', '//x', 'a%2Fb']) {
      const path = `/${bucket}/${key}`
      const body = 'x'
      await talk([
        {
          write: `PUT ${url(path, 'PUT')} HTTP/1.1\r\n${host()}\r\ncontent-length: 1\r\n\r\n${body}`,
          until: /200 OK[\s\S]*\r\n\r\n/,
        },
      ])
    }
    expect(aws.s3.listKeys(bucket)).toEqual(expect.arrayContaining(['../../up', 'a/./b', '//x', 'a/b']))
  })

  test('PUT needs a length', async () => {
    const put = (line: string) =>
      `PUT ${url(`/${bucket}/length`, 'PUT')} HTTP/1.1\r\n${host()}\r\n${line}\r\n`
    expect(await talk([{ write: put(''), until: /<\/Error>/ }])).toContain(
      '<Code>MissingContentLength</Code>',
    )
    const chunked = await talk([
      { write: `${put('transfer-encoding: chunked\r\n')}1\r\nx\r\n0\r\n\r\n`, until: /<\/Error>/ },
    ])
    expect(chunked).toContain('<Header>Transfer-Encoding</Header>')
  })
})

describe('addressing', () => {
  test.each([
    ['127.0.0.1:9000', undefined],
    ['localhost', undefined],
    ['s3.localhost:1', undefined],
    ['lake.s3.localhost:1', 'lake'],
    ['my.lake.s3.localhost', 'my.lake'],
    ['lake.localhost', 'lake'],
    ['s3.amazonaws.com', undefined],
    ['lake.s3.amazonaws.com', 'lake'],
    ['lake.s3.eu-west-1.amazonaws.com', 'lake'],
    ['lake.s3.dualstack.eu-west-1.amazonaws.com', 'lake'],
    ['s3.eu-west-1.amazonaws.com', undefined],
    ['lake.example.org', undefined],
  ])('%s names the bucket %s', (host, expected) => {
    expect(bucketOfHost(host, ['s3.localhost', 'localhost'])).toBe(expected)
  })

  test('the bucket can be in the host name', async () => {
    for (const host of [
      `${bucket}.s3.localhost`,
      `${bucket}.s3.test`,
      `${bucket}.s3.eu-west-1.amazonaws.com`,
    ]) {
      expect((await send(aws, { path: '/key', headers: { host } })).text).toBe('content')
    }
    expect(
      (await send(aws, { path: '/?list-type=2', headers: { host: `${bucket}.s3.test` } })).text,
    ).toContain(`<Name>${bucket}</Name>`)
  })
})

describe('what a caller may know', () => {
  const user = (...statements: PolicyStatement[]) =>
    aws.identities.createUser({
      name: `user-${Math.random().toString(36).slice(2)}`,
      policies: [{ Version: '2012-10-17', Statement: statements }],
    })
  const objects: PolicyStatement = {
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${bucket}/*`,
  }
  const list: PolicyStatement = {
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: `arn:aws:s3:::${bucket}`,
  }

  test.each([
    ['who may list the bucket', [objects, list], 404, 'NoSuchKey'],
    ['who may not', [objects], 403, 'AccessDenied'],
    ['who may not even read', [list], 403, 'AccessDenied'],
  ])('a missing key, to one %s', async (_, statements, status, code) => {
    const reply = await send(aws, { path: `/${bucket}/missing`, credentials: user(...statements) })
    expect([reply.status, reply.code]).toEqual([status, code])
  })

  test('a refusal names caller, action, resource and reason', async () => {
    const reader = user(objects)
    const reply = await send(aws, { path: `/${bucket}?list-type=2`, credentials: reader })
    expect(reply.text).toContain(
      `User: ${reader.arn} is not authorized to perform: s3:ListBucket on resource: &quot;arn:aws:s3:::${bucket}&quot; because no identity-based policy allows the s3:ListBucket action`,
    )
    expect(aws.log.entries().at(-1)).toMatchObject({
      operation: 'ListObjectsV2',
      status: 403,
      errorCode: 'AccessDenied',
      principalArn: reader.arn,
      actions: [{ action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}`, allowed: false }],
    })
  })

  test('a bucket tells its region to those it refuses', async () => {
    const reply = await send(aws, { path: `/${bucket}`, method: 'HEAD', credentials: user(objects) })
    expect([reply.status, reply.headers['x-amz-bucket-region']]).toEqual([403, 'us-east-1'])
  })

  test('tags of an object count in conditions', async () => {
    await aws.s3.putObject({ bucket, key: 'tagged', body: 'x', tags: { Team: 'blue' } })
    const reader = user({ ...objects, Condition: { StringEquals: { 's3:ExistingObjectTag/Team': 'blue' } } })
    const read = (key: string) => send(aws, { path: `/${bucket}/${key}`, credentials: reader })
    expect([(await read('tagged')).status, (await read('key')).status]).toEqual([200, 403])
  })

  test('strangers get no reasons', async () => {
    const reply = await send(aws, { path: `/${bucket}/key`, credentials: null })
    expect([reply.status, reply.text]).toEqual([
      403,
      expect.stringContaining('<Message>Access Denied</Message>'),
    ])
  })

  test('conditions on prefix, address and agent hold', async () => {
    const limited = user({
      ...list,
      Condition: { StringLike: { 's3:prefix': 'in/*' }, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    })
    const listing = (prefix: string, ip: string) =>
      send(aws, {
        path: `/${bucket}?list-type=2&prefix=${prefix}`,
        credentials: limited,
        headers: { 'x-penstock-source-ip': ip },
      }).then(({ status }) => status)
    expect(await listing('in/a', '10.1.2.3')).toBe(200)
    expect(await listing('out/', '10.1.2.3')).toBe(403)
    expect(await listing('in/a', '192.168.0.1')).toBe(403)
  })
})

describe('errors of the signature', () => {
  test.each<[string, Parameters<typeof send>[1], number, string]>([
    [
      'an unknown key',
      { path: '/', credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } },
      403,
      'InvalidAccessKeyId',
    ],
    ['a clock that is off', { path: '/', signedAt: Date.now() - 16 * 60_000 }, 403, 'RequestTimeTooSkewed'],
    [
      'no hash of the body',
      { path: '/', tamper: (headers) => delete headers['x-amz-content-sha256'] },
      400,
      'InvalidRequest',
    ],
    [
      'another header',
      {
        path: '/',
        headers: { 'x-amz-a': '1' },
        tamper: (headers) => {
          headers['x-amz-a'] = '2'
        },
      },
      403,
      'SignatureDoesNotMatch',
    ],
    ['another service', { path: '/', service: 'ec2' }, 400, 'AuthorizationHeaderMalformed'],
    [
      'an unsigned x-amz header',
      {
        path: '/',
        tamper: (headers) => {
          headers['x-amz-acl'] = 'private'
        },
      },
      403,
      'AccessDenied',
    ],
  ])('%s', async (_, request, status, code) => {
    const reply = await send(aws, request)
    expect([reply.status, reply.code]).toEqual([status, code])
    expect(reply.headers['x-amz-request-id']).toMatch(/^[0-9A-Z]{16}$/)
    expect(reply.text).toContain(`<RequestId>${reply.headers['x-amz-request-id']}</RequestId>`)
  })

  test('a session works with its token, until it expires', async () => {
    const { arn } = aws.identities.createRole({
      name: 'session',
      trustPolicy: { Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' } },
      policies: [{ Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } }],
    })
    const session = aws.identities.openSession({ role: arn, sessionName: 'test', durationSeconds: 900 })
    const { accessKeyId, secretAccessKey, sessionToken = '' } = session
    const read = (token?: string) =>
      send(aws, {
        path: `/${bucket}/key`,
        credentials: { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) },
        signedAt: Date.now() + aws.clockOffsetMs,
      }).then(({ code }) => code)
    expect([await read(sessionToken), await read('other'), await read()]).toEqual([
      undefined,
      'InvalidToken',
      'InvalidAccessKeyId',
    ])
    const link = presign(aws, {
      path: `/${bucket}/key`,
      credentials: { accessKeyId, secretAccessKey, sessionToken },
    })
    expect((await send(aws, { path: link, credentials: null })).text).toBe('content')
    aws.clockOffsetMs = 901_000
    expect(await read(sessionToken)).toBe('ExpiredToken')
    aws.clockOffsetMs = 0
  })
})

test('signed chunks and their trailers are verified end to end', async () => {
  const checksum = createHash('sha256').update('chunked body').digest('base64')
  const body = `c\r\nchunked body\r\n0\r\nx-amz-checksum-sha256:${checksum}\r\n\r\n`
  const put = (trailer: string) =>
    send(aws, {
      path: `/${bucket}/chunked`,
      method: 'PUT',
      body: body.replace(checksum, trailer),
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '12',
        'x-amz-trailer': 'x-amz-checksum-sha256',
      },
    })
  expect((await put(checksum)).status).toBe(200)
  expect((await aws.s3.getObject(bucket, 'chunked')).toString()).toBe('chunked body')
  const head = await send(aws, { path: `/${bucket}/chunked`, method: 'HEAD' })
  expect(head.headers['content-encoding']).toBeUndefined()
  expect((await put(createHash('sha256').digest('base64'))).code).toBe('BadDigest')
})

test('the log has one entry a request, with bytes both ways', async () => {
  const client = clientOf(aws)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'logged', Body: '12345' }))
  await send(aws, { path: `/${bucket}/logged`, headers: { range: 'bytes=1-3' } })
  await send(aws, { path: '/none-such', method: 'HEAD' })
  expect(aws.log.entries()).toMatchObject([
    {
      service: 's3',
      operation: 'PutObject',
      bucket,
      key: 'logged',
      status: 200,
      bytesReceived: 5,
      bytesSent: 0,
    },
    { operation: 'GetObject', status: 206, range: { start: 1, end: 3 }, bytesSent: 3, faults: [] },
    { operation: 'HeadBucket', status: 404, errorCode: 'NoSuchBucket', bytesSent: 0 },
  ])
  expect(aws.log.entries()[0]?.userAgent).toContain('aws-sdk-js')
})
