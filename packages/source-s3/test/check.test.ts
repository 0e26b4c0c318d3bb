import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Lake, openLake } from './lake.ts'

let lake: Lake & AsyncDisposable

beforeAll(async () => {
  lake = await openLake()
  await lake.put('a/1.csv')
})
afterAll(() => lake[Symbol.asyncDispose]())
afterEach(() => {
  lake.aws.faults.clear()
  lake.aws.clockOffsetMs = 0
})

const statuses = async (fields?: Parameters<Lake['check']>[0]) =>
  Object.fromEntries((await lake.check(fields)).map(({ id, status }) => [id, status]))

describe('check', () => {
  it('tells what it tried, and as whom', async () => {
    const steps = await lake.check()
    expect(steps.map(({ id, status, detail }) => [id, status, detail])).toEqual([
      ['credentials', 'passed', 'arn:aws:iam::111122223333:root'],
      ['bucket', 'passed', 'lake in us-east-1'],
      ['acl', 'passed', expect.stringContaining('owner')],
      ['list', 'passed', 'objects found in the bucket'],
      ['read', 'passed', 'first byte of a/1.csv'],
    ])
  })

  it('reads one byte', async () => {
    lake.aws.log.clear()
    await lake.check()
    const reads = lake.aws.log.entries().filter((entry) => entry.operation === 'GetObject')
    expect(reads.map((entry) => entry.bytesSent)).toEqual([1])
  })

  it('skips reading where there is nothing to read', async () => {
    lake.aws.s3.createBucket({ name: 'void' })
    const steps = await lake.check({ bucket: 'void' })
    expect(steps.at(-1)).toMatchObject({ id: 'read', status: 'skipped', detail: expect.any(String) })
  })

  it('works without credentials on a public bucket', async () => {
    lake.aws.s3.createBucket({ name: 'public', publicRead: true })
    await lake.aws.s3.putObject({ bucket: 'public', key: 'a.csv', body: 'a\n' })
    expect(await statuses({ bucket: 'public', auth: { method: 'anonymous' } })).toEqual({
      credentials: 'skipped',
      bucket: 'skipped',
      list: 'passed',
      read: 'passed',
    })
  })

  it('needs no STS at a store of another kind', async () => {
    lake.aws.log.clear()
    const [credentials] = await lake.check({ stsEndpoint: undefined })
    expect(credentials).toMatchObject({ status: 'passed', detail: expect.stringContaining('access key id') })
    expect(lake.aws.log.entries().filter((entry) => entry.service === 'sts')).toEqual([])
  })
})

describe('check names the cause', () => {
  const keys = () => ({ method: 'access-key', ...lake.aws.root }) as const

  it.each([
    [
      'a wrong secret',
      () => ({ auth: { ...keys(), secretAccessKey: 'wrong' } }),
      'credentials',
      'auth',
      /secret/i,
    ],
    [
      'an unknown key',
      () => ({ auth: { ...keys(), accessKeyId: 'AKIAUNKNOWN000000000' } }),
      'credentials',
      'auth',
      /access key/i,
    ],
    ['a missing bucket', () => ({ bucket: 'elsewhere' }), 'bucket', 'not-found', /elsewhere/],
    ['the wrong region', () => ({ region: 'eu-west-1' }), 'bucket', 'config', /us-east-1/],
    [
      'nobody there',
      () => ({ endpoint: 'http://127.0.0.1:9', stsEndpoint: undefined }),
      'bucket',
      'network',
      /127\.0\.0\.1/,
    ],
  ] as const)('%s', async (_, fields, step, kind, words) => {
    const steps = await lake.check(fields())
    const failed = steps.filter(({ status }) => status === 'failed')
    expect(failed.map(({ id }) => id)).toEqual([step])
    const { error } = failed[0] ?? {}
    expect(error?.kind).toBe(kind)
    expect(`${error?.message} ${error?.hint}`).toMatch(words)
    const later = steps.slice(steps.findIndex(({ status }) => status === 'failed') + 1)
    expect(later.every(({ status, detail }) => status === 'skipped' && detail)).toBe(true)
  })

  it('another owner of the bucket', async () => {
    const failed = (await lake.check({ expectedBucketOwner: '999999999999' })).filter(({ error }) => error)
    expect(failed.every(({ error }) => error?.kind === 'permission')).toBe(true)
    expect(failed[0]?.id).toBe('bucket')
  })

  it('an address that the policy does not allow', async () => {
    const policy = {
      Statement: {
        Effect: 'Allow' as const,
        Action: 's3:*',
        Resource: '*',
        Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } },
      },
    }
    const { arn: _, ...user } = lake.aws.identities.createUser({ name: 'elsewhere', policies: [policy] })
    const steps = await lake.check({ auth: { method: 'access-key', ...user } })
    const failed = steps.filter(({ status }) => status === 'failed')
    expect(failed.map(({ id }) => id)).toEqual(['bucket', 'acl', 'list'])
    expect(`${failed[0]?.error?.message} ${failed[0]?.error?.hint}`).toMatch(/address|IP/)
  })

  it('is no matter of a clock that is off by hours', async () => {
    lake.aws.clockOffsetMs = 3 * 3_600_000
    expect(Object.values(await statuses())).toEqual(['passed', 'passed', 'passed', 'passed', 'passed'])
  })

  it('an expired token', async () => {
    lake.aws.faults.add({ fault: { kind: 'expired-token' } })
    const failed = (await lake.check()).filter(({ status }) => status === 'failed')
    expect(failed[0]?.error).toMatchObject({ kind: 'auth' })
  })
})
