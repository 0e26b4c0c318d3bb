import type { PolicyDocument } from '@penstock/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { destinationS3, type S3DestinationInput } from '../src/index.ts'
import { type Bench, bucket, failure, openBench } from './bench.ts'

const actions = [
  's3:AbortMultipartUpload',
  's3:DeleteObject',
  's3:GetBucketLocation',
  's3:GetObject',
  's3:ListBucket',
  's3:ListBucketMultipartUploads',
  's3:ListMultipartUploadParts',
  's3:PutObject',
] as const

let bench: Bench & AsyncDisposable
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench[Symbol.asyncDispose]())
beforeEach(() => bench.aws.log.clear())
afterEach(() => {
  bench.aws.faults.clear()
  for (const key of bench.aws.s3.listKeys(bucket)) bench.aws.s3.deleteObject(bucket, key)
})

const policyFor = (fields: Partial<S3DestinationInput>, options = {}) => {
  const { config, authMethod, authFields } = bench.connection(fields)
  return destinationS3.policy?.({ config, authMethod, authFields }, options) as {
    policy: PolicyDocument
    trust?: PolicyDocument
  }
}

let users = 0
const userWith = (policy: PolicyDocument): Pick<S3DestinationInput, 'auth'> => {
  const { accessKeyId, secretAccessKey } = bench.aws.identities.createUser({
    name: `writer-${++users}`,
    policies: [policy],
  })
  return { auth: { method: 'access-key', accessKeyId, secretAccessKey } }
}

const statementsOf = (policy: PolicyDocument) => [policy.Statement].flat()
const without = (policy: PolicyDocument, action: string): PolicyDocument => ({
  ...policy,
  Statement: statementsOf(policy).flatMap((statement) => {
    const left = [statement.Action ?? []].flat().filter((name) => name !== action)
    return left.length === 0 ? [] : [{ ...statement, Action: left }]
  }),
})

/** Everything that the destination can do, once: a check, runs of both modes, a run that dies, a sweep. */
const exercise = async (fields: Partial<S3DestinationInput>) => {
  const steps = await bench.check(fields)
  expect(steps.filter((step) => step.status !== 'passed')).toEqual([])
  for (const hold of [undefined, { file: -1, total: 0 }])
    for (const mode of ['append', 'overwrite', 'overwrite'] as const)
      await bench.write({
        run: { mode },
        options: { manifest: true, fileName: hold ? '{run_id}' : 'daily_{run_id}' },
        streams: [{ files: ['1\n', '2\n'] }],
        fields,
        ...(hold ? { hold } : {}),
      })
  await bench.plan({ run: { mode: 'overwrite' }, fields })
  const remove = bench.aws.faults.add({
    when: { operation: ['UploadPart', 'AbortMultipartUpload'] },
    fault: { kind: 'reset' },
  })
  await failure(bench.write({ hold: { file: -1, total: 0 }, fields: { ...fields, maxAttempts: 1 } }))
  remove()
  expect(await bench.sweep(true, fields)).toHaveLength(1)
  expect(await bench.sweep(false, fields)).toHaveLength(1)
  expect(bench.aws.s3.listUploads(bucket)).toEqual([])
}

describe('under exactly its own printed policy', () => {
  it.each<[string, Partial<S3DestinationInput>, object]>([
    ['the whole bucket', {}, {}],
    ['a confined connection', { prefix: 'partner/out' }, {}],
    ['addresses', { prefix: 'partner' }, { sourceIps: ['127.0.0.0/8', '::1/128'] }],
  ])('everything works, with actions of the policy alone: %s', async (_, fields, options) => {
    const { policy } = policyFor(fields, options)
    const allowed = statementsOf(policy).flatMap((statement) => statement.Action ?? [])
    expect(allowed.toSorted()).toEqual([...actions])
    await exercise({ ...fields, ...userWith(policy) })
    const evaluated = bench.aws.log.entries().flatMap((entry) => entry.actions)
    const called = new Set(evaluated.map(({ action }) => action))
    expect([...called].filter((action) => action.startsWith('s3:')).sort()).toEqual([...actions])
    expect(evaluated.filter(({ allowed }) => !allowed)).toEqual([])
  })

  it('tags, an ACL and a key of KMS need more, which the policy then has', async () => {
    const kmsKeyId = 'arn:aws:kms:us-east-1:111122223333:key/0d3a4c5e-6f70-4a1b-9c2d-3e4f5a6b7c8d'
    const fields = {
      tags: { team: 'sales' },
      acl: 'bucket-owner-full-control',
      encryption: 'sse-kms',
      kmsKeyId,
    } as const
    const { policy } = policyFor(fields)
    const more = statementsOf(policy).flatMap((statement) => statement.Action ?? [])
    expect(more.filter((action) => !(actions as readonly string[]).includes(action)).toSorted()).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      's3:PutObjectAcl',
      's3:PutObjectTagging',
    ])
    const user = userWith(policy)
    await bench.write({ fields: { ...fields, ...user } })
    const denied = await failure(
      bench.write({ fields: { ...fields, ...userWith(without(policy, 's3:PutObjectTagging')) } }),
    )
    expect(denied).toMatchObject({ kind: 'permission' })
    expect(`${denied.message} ${denied.hint}`).toContain('s3:PutObjectTagging')
    const idAlone = { ...fields, kmsKeyId: 'alias/exports' }
    expect(JSON.stringify(policyFor(idAlone).policy)).toContain('arn:aws:kms:us-east-1:*:key/*')
  })

  it('a confined connection can write nothing else', async () => {
    const user = userWith(policyFor({ prefix: 'partner' }).policy)
    expect(await failure(bench.write({ fields: { prefix: 'partners', ...user } }))).toMatchObject({
      kind: 'permission',
    })
  })
})

describe('with one action taken from the policy', () => {
  it('check says what is lost without the listing of uploads, and everything else works', async () => {
    const optional = 's3:ListBucketMultipartUploads'
    const fields = userWith(without(policyFor({}).policy, optional))
    const steps = (await bench.check(fields)).filter((step) => step.status !== 'passed')
    expect(steps).toMatchObject([{ id: 'list-uploads', status: 'skipped' }])
    expect(steps[0]?.detail).toContain(optional)
    await bench.write({ fields, hold: { file: -1, total: 0 } })
    expect(await bench.sweep(false, fields)).toEqual([])
  })

  const needed = actions.filter((action) => action !== 's3:ListBucketMultipartUploads')
  it.each(needed.map((action) => [action]))('check names it: %s', async (action) => {
    for (const fields of [{}, { prefix: 'partner' }]) {
      const steps = await bench.check({ ...fields, ...userWith(without(policyFor(fields).policy, action)) })
      const failed = steps.filter((step) => step.status === 'failed')
      expect(failed).toHaveLength(1)
      const { error } = failed[0] ?? {}
      expect(error).toMatchObject({ kind: 'permission' })
      expect(`${error?.message} ${error?.hint}`).toContain(action)
      expect(`${error?.message} ${error?.hint}`).toContain('arn:aws:s3:::lake')
    }
  })
})

it('for an assumed role there is a trust policy with the external id', () => {
  const auth = {
    method: 'assumed-role',
    roleArn: 'arn:aws:iam::111122223333:role/writer',
    externalId: 'penstock-2f1d',
  } as const
  expect(statementsOf(policyFor({ auth }).trust ?? { Statement: [] })[0]).toMatchObject({
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:ExternalId': 'penstock-2f1d' } },
  })
  expect(policyFor({}).trust).toBeUndefined()
})
