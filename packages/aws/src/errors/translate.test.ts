import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { inspect } from 'node:util'
import { ConnectorError } from '@penstock/core'
import type { Fault } from '@penstock/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { bucket, embeddedAws, keyAuth, listAll, openEmbedded, region } from '../../test/embedded.ts'
import { allow } from '../../test/roles.ts'
import { safeCause, scrub } from './safe-cause.ts'
import { translateAwsError } from './translate.ts'

const context = {
  operation: 'GetObject',
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::lake/a.csv',
  bucket,
  key: 'a.csv',
  region,
}

const caught = async (promise: Promise<unknown>): Promise<ConnectorError> => {
  const error = await promise.then(
    () => expect.unreachable('should have failed'),
    (reason: unknown) => reason,
  )
  if (!ConnectorError.isInstance(error)) throw error
  return error
}

test('a missing permission is told with principal, action and resource', async () => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'a.csv', body: 'x' })
  const user = aws.identities.createUser({
    name: 'reader',
    policies: [{ Statement: allow('s3:ListBucket') }],
  })
  const access = openEmbedded(aws, { auth: keyAuth(user) })
  const [entry] = await listAll(access)
  const error = await caught(access.file(entry as never).download('/tmp/penstock-never-written'))
  expect(error).toMatchObject({
    kind: 'permission',
    code: 'AccessDenied',
    message: `Access denied to ${user.arn}: s3:GetObject on arn:aws:s3:::lake/a.csv is not allowed.`,
    place: { object: 's3://lake/a.csv' },
  })
  expect(error.hint).toMatch(/Allow s3:GetObject on arn:aws:s3:::lake\/a.csv/)
  expect(await caught(access.location())).toMatchObject({
    message: expect.stringContaining('s3:GetBucketLocation on arn:aws:s3:::lake'),
  })
  expect(await caught(access.acl())).toMatchObject({
    message: expect.stringContaining('s3:GetBucketAcl on arn:aws:s3:::lake'),
  })
})

test('an answer without a body still names what the operation needs', async () => {
  const aws = await embeddedAws()
  const user = aws.identities.createUser({ name: 'nobody', policies: [] })
  const access = openEmbedded(aws, { auth: keyAuth(user) })
  const head = await caught(access.head('a.csv'))
  expect(head).toMatchObject({ kind: 'permission' })
  expect(head.message).toContain('s3:GetObject on arn:aws:s3:::lake/a.csv')
  expect((await caught(access.headBucket())).message).toContain('s3:ListBucket on arn:aws:s3:::lake')
})

test('a Deny statement points at conditions, and at lists of allowed addresses', async () => {
  const aws = await embeddedAws()
  const user = aws.identities.createUser({
    name: 'reader',
    policies: [
      { Statement: allow('s3:*') },
      {
        Statement: {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } },
        },
      },
    ],
  })
  const error = await caught(listAll(openEmbedded(aws, { auth: keyAuth(user) })))
  expect(error.message).toContain('forbidden by a Deny statement')
  expect(error.hint).toMatch(/Deny statement in the identity-based policy.*aws:SourceIp/)
})

test('anonymous access to a private bucket asks for credentials', async () => {
  const aws = await embeddedAws()
  const auth = { method: 'anonymous', provider: () => undefined } as const
  const error = await caught(listAll(openEmbedded(aws, { auth })))
  expect(error).toMatchObject({ kind: 'permission' })
  expect(error.message).toContain('to anonymous access')
  expect(error.hint).toContain("isn't public")
  expect((await caught(openEmbedded(aws, { auth }).acl())).message).toContain('s3:GetBucketAcl')
})

test.each([
  ['an unknown key id', { accessKeyId: 'AKIAIOSFODNN7UNKNOWN' }, 'InvalidAccessKeyId', /accessKeyId/],
  ['a wrong secret', { secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch', /secretAccessKey/],
  ['a token that is none', { sessionToken: 'nonsense' }, 'InvalidToken', /sessionToken/],
])('%s is told with the field to correct', async (_, keys, code, hint) => {
  const aws = await embeddedAws()
  const access = openEmbedded(aws, { auth: keyAuth({ ...aws.root, ...keys }) })
  for (const error of [await caught(listAll(access)), await caught(access.location())]) {
    expect(error).toMatchObject({ kind: 'auth', code })
    expect(error.hint).toMatch(hint)
  }
})

test('an expired token that nobody renews is told with the ways out', async () => {
  const aws = await embeddedAws()
  const role = aws.identities.createRole({
    name: 'reader',
    trustPolicy: { Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' } },
  })
  const session = aws.identities.openSession({ role: role.arn, sessionName: 's1', durationSeconds: 900 })
  aws.identities.expireSessions()
  const access = openEmbedded(aws, { auth: keyAuth(session as never) })
  for (const error of [await caught(listAll(access)), await caught(access.acl())]) {
    expect(error).toMatchObject({ kind: 'auth', code: 'ExpiredToken' })
    expect(error.hint).toContain('assumed-role')
  }
})

test('the wrong region is told with the right one', async () => {
  const aws = await embeddedAws()
  const access = openEmbedded(aws, { config: { region: 'us-west-2' } })
  for (const call of [() => listAll(access), () => access.headBucket(), () => access.head('a')]) {
    const error = await caught(call())
    expect(error).toMatchObject({
      kind: 'config',
      code: 'WrongRegion',
      message: 'Bucket lake is in region eu-central-1, not in us-west-2.',
      hint: 'Set region to eu-central-1.',
    })
  }
})

test('a bucket, an object and an owner that are not there', async () => {
  const aws = await embeddedAws()
  const elsewhere = openEmbedded(aws, { config: { bucket: 'no-such-bucket' } })
  expect(await caught(listAll(elsewhere))).toMatchObject({ kind: 'not-found', code: 'NoSuchBucket' })
  expect(await caught(elsewhere.headBucket())).toMatchObject({ kind: 'not-found', code: 'NoSuchBucket' })
  expect(await caught(openEmbedded(aws).head('no such key'))).toMatchObject({
    kind: 'not-found',
    code: 'NoSuchKey',
    place: { object: 's3://lake/no such key' },
  })
  const other = openEmbedded(aws, { config: { expectedBucketOwner: '999999999999' } })
  expect(await caught(listAll(other))).toMatchObject({ kind: 'permission' })
  expect(await caught(other.acl())).toMatchObject({ kind: 'permission' })
})

test('a clock that is off is corrected once, for all requests', async () => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'a', body: 'x' })
  aws.clockOffsetMs = 3_600_000
  const access = openEmbedded(aws)
  expect(await listAll(access)).toHaveLength(1)
  await listAll(access)
  expect(await access.location()).toBe(region)
  expect((await openEmbedded(aws).acl()).grants).toHaveLength(1)
  expect(await openEmbedded(aws).identity()).toMatchObject({ account: aws.account })
  expect(Math.round(access.stats().clockOffsetMs / 60_000)).toBe(60)
  const refused = aws.log.entries().filter((entry) => entry.status === 403 && entry.service === 's3')
  expect(refused).toHaveLength(2)
})

test('a clock that stays off is told, and by how much', async () => {
  const aws = await embeddedAws()
  const skews = [-40, 40, -40, 40].map((minutes): Fault => ({ kind: 'clock-skew', ms: minutes * 60_000 }))
  skews.forEach((fault, skip) => {
    aws.faults.add({ fault, skip, times: 1 })
  })
  const error = await caught(listAll(openEmbedded(aws)))
  expect(error).toMatchObject({ kind: 'auth', code: 'RequestTimeTooSkewed' })
  expect(error.message).toMatch(/clock of this machine is \d+ minutes (ahead|behind)/)
})

test('a refused HEAD, which has no reason: the clock, if that is off, else the right', async () => {
  const aws = await embeddedAws()
  await aws.s3.putObject({ bucket, key: 'a', body: 'x' })
  const skews = [40, -40, 40].map((minutes): Fault => ({ kind: 'clock-skew', ms: minutes * 60_000 }))
  skews.forEach((fault, skip) => {
    aws.faults.add({ when: { operation: 'HeadObject' }, fault, skip, times: 1 })
  })
  const error = await caught(openEmbedded(aws).head('a'))
  expect(error).toMatchObject({ kind: 'auth', code: 'RequestTimeTooSkewed' })
  expect(error.message).toMatch(/clock of this machine is 40 minutes behind/)
  expect(error.hint).toContain('15 minutes')
  aws.clockOffsetMs = 3_600_000
  const stranger = aws.identities.createUser({ name: 'stranger', policies: [] })
  const denied = await caught(openEmbedded(aws, { auth: keyAuth(stranger) }).head('a'))
  expect(denied).toMatchObject({ kind: 'permission', code: 'AccessDenied' })
})

test('nothing listens: the error names the host and the remedies', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const aws = await embeddedAws()
  const config = { endpoint: `http://127.0.0.1:${port}` }
  const access = openEmbedded(aws, { config })
  const error = await caught(listAll(access))
  expect(error).toMatchObject({ kind: 'network', code: 'ECONNREFUSED' })
  expect(error.message).toBe('127.0.0.1 refused the connection; gave up after 3 attempts.')
  expect(error.hint).toContain('endpoint')
  expect(await caught(access.acl())).toMatchObject({ kind: 'network', code: 'ECONNREFUSED' })
})

test('an endpoint without TLS behind https, and a host that does not exist', async () => {
  const aws = await embeddedAws()
  const plain = openEmbedded(aws, { config: { endpoint: aws.endpoint.replace('http:', 'https:') } })
  expect(await caught(listAll(plain))).toMatchObject({ kind: 'config' })
  const nowhere = openEmbedded(aws, { config: { endpoint: 'https://penstock.invalid' } })
  const error = await caught(listAll(nowhere))
  expect(error.kind).toBe('network')
  expect(error.message).toContain("The host name penstock.invalid can't be resolved")
})

test('a proxy of the environment is used, but not for this machine', async () => {
  const connects: string[] = []
  const proxy = createHttpServer()
  proxy.on('connect', (request, socket) => {
    connects.push(request.url ?? '')
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const former = process.env.HTTPS_PROXY
  process.env.HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  onTestFinished(() => {
    if (former === undefined) delete process.env.HTTPS_PROXY
    else process.env.HTTPS_PROXY = former
    proxy.close()
  })
  const aws = await embeddedAws()
  expect(await listAll(openEmbedded(aws))).toEqual([])
  const error = await caught(
    listAll(openEmbedded(aws, { config: { endpoint: 'https://store.example' }, retry: { attempts: 1 } })),
  )
  expect(connects).toEqual(['store.example:443'])
  expect(error.message).toMatch(/proxy/i)
  expect(error.hint).toContain('HTTPS_PROXY')
})

test('no error holds a secret, a token, a signature or a header, however deep one looks', async () => {
  const aws = await embeddedAws()
  const role = aws.identities.createRole({
    name: 'reader',
    trustPolicy: { Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' } },
  })
  const session = aws.identities.openSession({ role: role.arn, sessionName: 's1', durationSeconds: 900 })
  const { sessionToken = '', secretAccessKey } = session
  const wrong = { ...session, secretAccessKey: `${secretAccessKey}x` }
  const faults: Fault[] = [
    { kind: 'reset' },
    { kind: 'internal-error' },
    { kind: 'error', status: 400, code: 'Odd', message: 'Authorization: AWS4-HMAC-SHA256 Signature=abc' },
  ]
  const errors: ConnectorError[] = []
  for (const keys of [session, wrong]) {
    const access = openEmbedded(aws, {
      auth: keyAuth(keys as never),
      retry: { attempts: 1 },
      config: { stsEndpoint: aws.endpoint },
    })
    for (const fault of [undefined, ...faults]) {
      aws.faults.clear()
      if (fault) aws.faults.add({ fault })
      for (const call of [() => listAll(access), () => access.acl(), () => access.head('a')])
        errors.push(await caught(call()))
      const identity = await access.identity().catch((error: ConnectorError) => error)
      if (ConnectorError.isInstance(identity)) errors.push(identity)
    }
  }
  expect(errors.length).toBeGreaterThan(24)
  for (const error of errors) {
    const text = `${inspect(error, { depth: 50, showHidden: true })}${JSON.stringify(error)}${error.stack}`
    expect(text).not.toContain(secretAccessKey)
    expect(text).not.toContain(sessionToken)
    expect(text).not.toMatch(/Signature=|AWS4-HMAC|Credential=|authorization: /)
  }
})

test('scrubbing takes out signatures, tokens and strings to sign', () => {
  expect(scrub('x Signature=ab12, Credential=AKIA/2020 y')).toBe(
    'x Signature=[secret], Credential=[secret] y',
  )
  expect(scrub('?X-Amz-Signature=ab12&X-Amz-Security-Token=tok&a=b')).toBe(
    '?X-Amz-Signature=[secret]&X-Amz-Security-Token=[secret]&a=b',
  )
  expect(scrub("does not match. The Canonical String for this request should have been 'GET\n/\n'")).toBe(
    'does not match. The [request]',
  )
})

test('a cause keeps name, message and code of the whole chain, and nothing else', () => {
  const inner = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED', request: { headers: 1 } })
  const cause = safeCause(new TypeError('fetch failed', { cause: inner }))
  expect(cause).toMatchObject({ name: 'TypeError', message: 'fetch failed' })
  expect(cause?.cause).toMatchObject({ code: 'ECONNREFUSED' })
  expect(cause?.cause).not.toHaveProperty('request')
})

test('an error of no known sort is internal, a cancellation is one', () => {
  expect(translateAwsError(new TypeError('odd'), context)).toMatchObject({ kind: 'internal' })
  expect(translateAwsError(new DOMException('x', 'AbortError'), context)).toMatchObject({ kind: 'cancelled' })
  const own = new ConnectorError('data', 'x')
  expect(translateAwsError(own, context)).toBe(own)
})
