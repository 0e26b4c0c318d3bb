import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Aws, startAws } from '../aws.ts'
import type { PolicyDocument, PolicyStatement } from '../types.ts'

interface Keys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

const document = (...Statement: PolicyStatement[]): PolicyDocument => ({ Version: '2012-10-17', Statement })
const readAll = document({ Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket'], Resource: '*' })
const trusting = (Condition?: PolicyStatement['Condition']): PolicyDocument =>
  document({
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal: { AWS: 'arn:aws:iam::111122223333:user/ana' },
    ...(Condition && { Condition }),
  })

let aws: Aws
let ana: Keys
let offset = 0
let closers: { destroy(): void }[] = []

beforeEach(async () => {
  offset = 0
  aws = await startAws({ clock: () => Date.now() + offset, trustSourceIpHeader: true })
  await aws.s3.createBucket({ name: 'lake' })
  await aws.s3.putObject({ bucket: 'lake', key: 'in/a.csv', body: 'a' })
  await aws.s3.putObject({ bucket: 'lake', key: 'private/b.csv', body: 'b' })
  ana = aws.identities.createUser({ name: 'ana' })
})

afterEach(async () => {
  for (const client of closers) client.destroy()
  closers = []
  await aws.close()
})

const settings = (credentials: Keys) => ({
  endpoint: aws.endpoint,
  region: 'us-east-1',
  credentials,
  maxAttempts: 1,
})

function s3As(credentials: Keys, sourceIp?: string): S3Client {
  const client = new S3Client({ ...settings(credentials), forcePathStyle: true })
  if (sourceIp !== undefined) {
    client.middlewareStack.add(
      (next) => (args) => {
        const { request } = args
        if (hasHeaders(request)) request.headers['x-penstock-source-ip'] = sourceIp
        return next(args)
      },
      { step: 'build' },
    )
  }
  closers.push(client)
  return client
}

function stsAs(credentials: Keys): STSClient {
  const client = new STSClient(settings(credentials))
  closers.push(client)
  return client
}

const hasHeaders = (request: unknown): request is { headers: Record<string, string> } =>
  typeof request === 'object' && request !== null && 'headers' in request

async function assume(as: Keys, input: Partial<AssumeRoleCommandInput> = {}): Promise<Keys> {
  const RoleArn = 'arn:aws:iam::111122223333:role/reader'
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'job', ...input })
  const { Credentials } = await stsAs(as).send(command)
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  }
}

const get = (client: S3Client, key = 'in/a.csv') =>
  client.send(new GetObjectCommand({ Bucket: 'lake', Key: key }))
const failing = (name: string, status: number, message: string | RegExp = /./) =>
  expect.objectContaining({
    name,
    message: expect.stringMatching(message),
    $metadata: expect.objectContaining({ httpStatusCode: status }),
  })

test('an assumed role reads what its policy allows, and says who it is', async () => {
  aws.identities.createRole({ name: 'reader', trustPolicy: trusting(), policies: [readAll] })
  const session = await assume(ana)
  expect(await (await get(s3As(session))).Body?.transformToString()).toBe('a')
  const identity = await stsAs(session).send(new GetCallerIdentityCommand({}))
  expect(identity.Arn).toBe('arn:aws:sts::111122223333:assumed-role/reader/job')
  await expect(get(s3As(ana))).rejects.toEqual(failing('AccessDenied', 403, /user\/ana is not authorized/))
})

test('a role with an external id opens to that id alone', async () => {
  const trustPolicy = trusting({ StringEquals: { 'sts:ExternalId': 'penstock:7f3a' } })
  aws.identities.createRole({ name: 'reader', trustPolicy, policies: [readAll] })
  const refusal = failing(
    'AccessDenied',
    403,
    /is not authorized to perform: sts:AssumeRole on resource: arn:.*\/reader$/,
  )
  await expect(assume(ana)).rejects.toEqual(refusal)
  await expect(assume(ana, { ExternalId: 'penstock:0000' })).rejects.toEqual(refusal)
  await get(s3As(await assume(ana, { ExternalId: 'penstock:7f3a' })))
})

test('a session policy narrows the session', async () => {
  aws.identities.createRole({ name: 'reader', trustPolicy: trusting(), policies: [readAll] })
  const Policy = JSON.stringify(
    document({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/in/*' }),
  )
  const client = s3As(await assume(ana, { Policy }))
  await get(client)
  await expect(get(client, 'private/b.csv')).rejects.toEqual(
    failing('AccessDenied', 403, /because no session policy allows the s3:GetObject action/),
  )
})

test('an allow-list of source addresses holds for S3', async () => {
  const policy = document(
    { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    {
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { NotIpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '2001:db8::/32'] } },
    },
  )
  aws.identities.putUserPolicy('ana', policy)
  await get(s3As(ana, '203.0.113.20'))
  await get(s3As(ana, '2001:db8::20'))
  for (const address of ['198.51.100.1', '2001:db9::1', undefined]) {
    await expect(get(s3As(ana, address))).rejects.toEqual(
      failing('AccessDenied', 403, /with an explicit deny/),
    )
  }
})

test('a home folder by user name and prefix shows the rest neither in lists nor in reads', async () => {
  aws.identities.putUserPolicy(
    'ana',
    document(
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: 'arn:aws:s3:::lake',
        Condition: { StringLike: { 's3:prefix': `home/\${aws:username}/*` } },
      },
      { Effect: 'Allow', Action: 's3:*Object', Resource: `arn:aws:s3:::lake/home/\${aws:username}/*` },
    ),
  )
  const client = s3As(ana)
  const list = (Prefix?: string) =>
    client.send(new ListObjectsV2Command({ Bucket: 'lake', ...(Prefix && { Prefix }) }))
  await client.send(new PutObjectCommand({ Bucket: 'lake', Key: 'home/ana/x', Body: 'x' }))
  expect((await list('home/ana/')).KeyCount).toBe(1)
  for (const prefix of [undefined, 'home/', 'home/bob/']) {
    await expect(list(prefix)).rejects.toEqual(failing('AccessDenied', 403, /s3:ListBucket/))
  }
  await expect(get(client)).rejects.toEqual(failing('AccessDenied', 403))
})

test('DeleteObjects removes the keys that are allowed and reports the others', async () => {
  aws.identities.putUserPolicy(
    'ana',
    document({ Effect: 'Allow', Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::lake/in/*' }),
  )
  const Delete = { Objects: [{ Key: 'in/a.csv' }, { Key: 'private/b.csv' }] }
  const answer = await s3As(ana).send(new DeleteObjectsCommand({ Bucket: 'lake', Delete }))
  expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['in/a.csv'])
  expect(answer.Errors).toMatchObject([{ Key: 'private/b.csv', Code: 'AccessDenied' }])
  expect(await aws.s3.listKeys('lake')).toEqual(['private/b.csv'])
})

test('a bucket policy decides for other accounts and for callers without a signature', async () => {
  const eve = aws.identities.createUser({ name: 'eve', account: '444455556666', policies: [readAll] })
  await expect(get(s3As(eve))).rejects.toEqual(failing('AccessDenied', 403))
  await aws.s3.setBucketPolicy(
    'lake',
    document(
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: 'arn:aws:s3:::lake/*',
        Principal: { AWS: '444455556666' },
      },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/in/*', Principal: '*' },
    ),
  )
  await get(s3As(eve), 'private/b.csv')
  expect((await fetch(`${aws.endpoint}/lake/in/a.csv`)).status).toBe(200)
  expect((await fetch(`${aws.endpoint}/lake/private/b.csv`)).status).toBe(403)
})

test('an expired session is ExpiredToken: 400 from S3, 403 from STS', async () => {
  aws.identities.createRole({ name: 'reader', trustPolicy: trusting(), policies: [readAll] })
  const session = await assume(ana)
  await get(s3As(session))
  expect(aws.identities.expireSessions()).toBe(1)
  await expect(get(s3As(session))).rejects.toEqual(
    failing('ExpiredToken', 400, /The provided token has expired/),
  )
  await expect(stsAs(session).send(new GetCallerIdentityCommand({}))).rejects.toEqual(
    failing('ExpiredToken', 403),
  )
})

test('a session ends by the clock of the server', async () => {
  const role = aws.identities.createRole({ name: 'reader', trustPolicy: trusting(), policies: [readAll] })
  const {
    accessKeyId,
    secretAccessKey,
    sessionToken = '',
  } = aws.identities.openSession({
    role,
    sessionName: 'job',
    durationSeconds: 60,
  })
  const session = { accessKeyId, secretAccessKey, sessionToken }
  offset = 59_000
  await get(s3As(session))
  offset = 61_000
  await expect(get(s3As(session))).rejects.toEqual(failing('ExpiredToken', 400))
})

test('a clock that is off by more than 15 minutes is RequestTimeTooSkewed', async () => {
  for (const minutes of [-16, 16]) {
    offset = minutes * 60_000
    await expect(get(s3As(aws.root))).rejects.toEqual(failing('RequestTimeTooSkewed', 403))
  }
  offset = 14 * 60_000
  await get(s3As(aws.root))
})

test('revoked and rotated keys stop at once', async () => {
  aws.identities.putUserPolicy('ana', readAll)
  const client = s3As(ana)
  await get(client)
  const rotated = aws.identities.rotateAccessKeys('ana')
  await expect(get(client)).rejects.toEqual(failing('InvalidAccessKeyId', 403))
  await expect(stsAs(ana).send(new GetCallerIdentityCommand({}))).rejects.toEqual(
    failing('InvalidClientTokenId', 403),
  )
  await get(s3As(rotated))
})
