import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PolicyDocument } from '@penstock/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sourceS3 } from '../src/index.ts'
import { selectTables } from '../src/select.ts'
import { selection } from '../src/selection.ts'
import type { S3ConnectionInput } from '../src/source.ts'
import { listLevel } from '../src/tables.ts'
import { type Lake, openLake } from './lake.ts'

const actions = ['s3:GetBucketAcl', 's3:GetBucketLocation', 's3:GetObject', 's3:ListBucket'] as const

const policiesFor = (fields: Record<string, unknown>, options = {}) => {
  const { config, authMethod, authFields } = lake.connection(fields)
  return sourceS3.policy?.({ config, authMethod, authFields }, options) as {
    policy: PolicyDocument
    trust?: PolicyDocument
  }
}

/** Connection fields of a new user with just this policy. */
let users = 0
const userWith = (policy: PolicyDocument): Pick<S3ConnectionInput, 'auth'> => {
  const { accessKeyId, secretAccessKey } = lake.aws.identities.createUser({
    name: `reader-${++users}`,
    policies: [policy],
  })
  return { auth: { method: 'access-key', accessKeyId, secretAccessKey } }
}

const without = (policy: PolicyDocument, action: string): PolicyDocument => ({
  ...policy,
  Statement: [policy.Statement].flat().flatMap((statement) => {
    const left = [statement.Action ?? []].flat().filter((name) => name !== action)
    return left.length === 0 ? [] : [{ ...statement, Action: left }]
  }),
})

let lake: Lake & AsyncDisposable
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-source-s3-'))
  lake = await openLake()
  await lake.put('shop/orders/dt=1/a.csv', 'shop/orders/dt=2/b.csv', 'shop/events.ndjson', 'private/x.csv')
})
afterAll(async () => {
  await lake[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => lake.aws.log.clear())

/** Everything that the source can do, once. */
const exercise = async (fields: Partial<S3ConnectionInput>) => {
  const steps = await lake.check(fields)
  expect(steps.filter((step) => step.status !== 'passed')).toEqual([])
  await lake.use(async (context) => {
    const { signal } = context
    const summaries = await Array.fromAsync(listLevel(context, { prefix: 'shop/' }))
    expect(summaries.map(({ name }) => name)).toEqual(['events', 'orders'])
    for (const input of [
      { object: 'shop/events.ndjson' },
      { folder: 'shop/orders' },
      { folder: 'shop/orders/dt=1', recursive: false },
      { glob: 'shop/orders/dt=(*)/*.csv', table: 'day_{1}' },
    ])
      for (const table of await selectTables(context, selection.parse(input)))
        for await (const page of table.list({ signal }))
          for (const entry of page) {
            const path = join(folder, 'download')
            const file = table.open(entry)
            await file.download?.(path)
            expect((await stat(path)).size).toBe(entry.size)
            expect(
              (await Array.fromAsync(file.read({ start: 1, end: 3 }))).flatMap((chunk) => [...chunk]),
            ).toHaveLength(2)
            expect(await table.refresh?.(entry, { signal })).toMatchObject({ key: entry.key })
          }
  }, fields)
}

describe('under exactly its own printed policy', () => {
  it.each([
    ['the whole bucket', {}, {}],
    ['a confined connection', { prefix: 'shop' }, {}],
    ['addresses and TLS', { prefix: 'shop' }, { sourceIps: ['127.0.0.0/8', '::1/128'] }],
  ])('everything works, with actions of the policy alone: %s', async (_, fields, options) => {
    const { policy } = policiesFor(fields, options)
    const allowed = [policy.Statement].flat().flatMap((statement) => statement.Action ?? [])
    expect(allowed.toSorted()).toEqual([...actions])
    await exercise({ ...fields, ...userWith(policy) })
    const entries = lake.aws.log.entries().filter((entry) => entry.service === 's3')
    expect(entries.length).toBeGreaterThan(15)
    const called = new Set(entries.flatMap((entry) => entry.actions.map(({ action }) => action)))
    expect([...called].sort()).toEqual([...actions])
    const denied = entries.flatMap((entry) => entry.actions).filter((action) => !action.allowed)
    expect(denied).toEqual([])
  })

  it('sends nothing but Get, Head and List', async () => {
    await exercise({})
    for (const entry of lake.aws.log.entries().filter(({ service }) => service === 's3')) {
      expect(entry.operation).toMatch(/^(Get|Head|List)/)
      expect(entry.method).toMatch(/^(GET|HEAD)$/)
    }
  })

  it('a confined connection can read nothing else', async () => {
    const reader = userWith(policiesFor({ prefix: 'shop' }).policy)
    await lake.use(async (context) => {
      for (const input of [{ object: 'private/x.csv' }, { folder: 'private' }, { folder: '/' }])
        await expect(selectTables(context, selection.parse(input))).rejects.toMatchObject({
          kind: 'permission',
        })
    }, reader)
  })

  it.each([[{}], [{ prefix: 'shop' }]])(
    'a missing object is told from a forbidden one: %j',
    async (fields) => {
      const reader = userWith(policiesFor(fields).policy)
      await lake.use(
        async (context) => {
          const { signal } = context
          await expect(
            selectTables(context, selection.parse({ object: 'shop/event.ndjson' })),
          ).rejects.toMatchObject({
            kind: 'not-found',
            hint: 'Did you mean "shop/events.ndjson"?',
          })
          await lake.put('shop/gone/a.csv')
          const [table] = await selectTables(context, selection.parse({ folder: 'shop/gone' }))
          const [[entry] = []] = await Array.fromAsync(table?.list({ signal }) ?? [])
          lake.aws.s3.deleteObject('lake', 'shop/gone/a.csv')
          if (!table || !entry) throw new Error('There is one')
          const gone = { kind: 'conflict', code: 'ObjectChanged' }
          const file = table.open(entry)
          await expect(file.download?.(join(folder, 'gone'))).rejects.toMatchObject(gone)
          await expect(Array.fromAsync(file.read())).rejects.toMatchObject(gone)
          expect(await table.refresh?.(entry, { signal })).toBeUndefined()
        },
        { ...fields, ...reader },
      )
    },
  )

  it('refuses plain http where the policy asks for TLS', async () => {
    const reader = userWith(policiesFor({}, { secureTransport: true }).policy)
    const steps = await lake.check(reader)
    expect(steps.find((step) => step.status === 'failed')?.error).toMatchObject({ kind: 'permission' })
  })
})

describe('with one action taken from the policy', () => {
  it.each(actions.map((action) => [action]))('check names it: %s', async (action) => {
    for (const fields of [{}, { prefix: 'shop' }]) {
      const reader = userWith(without(policiesFor(fields).policy, action))
      const failed = (await lake.check({ ...fields, ...reader })).filter((step) => step.status === 'failed')
      expect(failed).toHaveLength(1)
      const { error } = failed[0] ?? {}
      expect(error).toMatchObject({ kind: 'permission' })
      expect(`${error?.message} ${error?.hint}`).toContain(action)
      expect(`${error?.message} ${error?.hint}`).toContain('arn:aws:s3:::lake')
    }
  })
})

describe('for an assumed role', () => {
  const externalId = 'penstock-2f1d'
  const roleArn = 'arn:aws:iam::111122223333:role/reader'
  const auth = { method: 'assumed-role', roleArn, externalId } as const

  it('the printed trust policy lets the caller in, with the external id alone', async () => {
    const { identities } = lake.aws
    const caller = identities.createUser({
      name: 'caller',
      policies: [
        {
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: roleArn },
        },
      ],
    })
    const { policy, trust } = policiesFor({ auth })
    const statement = [trust?.Statement ?? []].flat()[0]
    expect(statement).toMatchObject({
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': externalId } },
    })
    if (!statement) throw new Error('There is a trust policy')
    // Whose account it is, only the user knows: the document says where to put it.
    const trustPolicy = { Statement: { ...statement, Principal: { AWS: caller.arn } } }
    expect(identities.createRole({ name: 'reader', trustPolicy, policies: [policy] }).arn).toBe(roleArn)
    const source = { accessKeyId: caller.accessKeyId, secretAccessKey: caller.secretAccessKey }
    await exercise({ auth: { ...auth, source } })
    const steps = await lake.check({ auth: { ...auth, externalId: 'guessed', source } })
    expect(steps.map(({ id, status }) => [id, status])).toEqual([
      ['credentials', 'passed'],
      ['role', 'failed'],
      ['bucket', 'skipped'],
      ['list', 'skipped'],
      ['read', 'skipped'],
    ])
    expect(`${steps[1]?.error?.message} ${steps[1]?.error?.hint}`).toMatch(/external ?id/i)
  })

  it('other methods have no trust policy', () => {
    expect(policiesFor({}).trust).toBeUndefined()
  })
})
