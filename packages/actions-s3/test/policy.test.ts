import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PolicyDocument } from '@penstock/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  actionsS3,
  copy,
  createBucket,
  deleteObjects,
  downloadFile,
  head,
  listFiles,
  listFolders,
  move,
  presign,
  type S3ActionContext,
  s3Actions,
  sync,
  uploadFile,
} from '../src/index.ts'
import { bucket, bytesOf, type Lake, MiB, openLake, region } from './lake.ts'

let lake: Lake
beforeEach(async () => {
  lake = await openLake()
  await lake.aws.s3.putObject({ bucket, key: 'd/a', body: 'x', tags: { t: '1' } })
  await lake.put('d/b')
})

const policyFor = (actions: string[] | undefined, fields = {}): PolicyDocument => {
  const connection = s3Actions({ region, bucket, auth: { method: 'default-chain' }, ...fields })
  return actionsS3.policy?.(connection, actions ? { actions } : {}).policy as PolicyDocument
}

const path = (name: string) => join(lake.folder, name)

const folderOf = (name: string): string => {
  mkdirSync(path(name))
  writeFileSync(path(`${name}/f`), 'x')
  return path(name)
}

/** All that an action does, in its variants. */
const exercises: Record<string, (context: S3ActionContext) => Promise<unknown>> = {
  'create-bucket': (context) => createBucket(context, { bucket }),
  'download-file': (context) => downloadFile(context, { path: 'd/b', to: path('a') }),
  'upload-file': async (context) => {
    writeFileSync(path('large'), bytesOf(17 * MiB))
    await uploadFile(context, { source: path('large'), tags: { a: '1' }, ifNoneMatch: '*' })
    // An upload that fails, and one whose answer gets lost.
    lake.aws.faults.add({
      when: { operation: 'CompleteMultipartUpload' },
      times: 1,
      fault: { kind: 'error', status: 400, code: 'InvalidRequest', message: 'no' },
    })
    await uploadFile(context, { source: path('large'), to: 'second' }).catch(() => {})
    lake.aws.faults.clear()
    expect(lake.aws.s3.listUploads(bucket)).toEqual([])
    lake.aws.faults.add({
      when: { operation: 'PutObject' },
      times: 1,
      fault: { kind: 'reset', handled: true },
    })
    writeFileSync(path('small'), 'x')
    await uploadFile(context, { source: path('small'), ifNoneMatch: '*' })
  },
  'list-files': (context) => listFiles(context, { prefix: 'd/' }),
  'list-folders': (context) => listFolders(context, {}),
  delete: async (context) => {
    await deleteObjects(context, { path: 'd/a' })
    await deleteObjects(context, { path: 'd/', recursive: true })
    await deleteObjects(context, { path: 'd/', uploads: true })
  },
  copy: async (context) => {
    await copy(context, { from: 'd/a', to: 'e' })
    await copy(context, { from: 'd/', to: 'e/', recursive: true })
  },
  move: (context) => move(context, { from: 'd/', to: 'e/', recursive: true }),
  presign: (context) => presign(context, { path: 'd/a' }),
  head: (context) => head(context, { path: 'd/b' }),
  sync: async (context) => {
    await sync(context, { from: folderOf('up'), to: 's3://lake/d', delete: true })
    await sync(context, { from: 's3://lake/d', to: path('down'), compare: 'checksum' })
  },
}

let users = 0
const under = async (policy: PolicyDocument, run: (context: S3ActionContext) => Promise<unknown>) => {
  const user = lake.aws.identities.createUser({ name: `worker-${++users}`, policies: [policy] })
  const { accessKeyId, secretAccessKey } = user
  await lake.use(run, { fields: { auth: { method: 'access-key', accessKeyId, secretAccessKey } } })
}

describe('each action under exactly its own policy', () => {
  test.each(Object.entries(exercises))('%s works, and asks for nothing else', async (name, exercise) => {
    const policy = policyFor([name])
    await under(policy, exercise)
    const asked = lake.aws.log.entries().flatMap((entry) => entry.actions)
    expect(asked.filter(({ allowed }) => !allowed)).toEqual([])
    const granted = [policy.Statement].flat().flatMap((statement) => statement.Action ?? [])
    expect(granted).toEqual(expect.arrayContaining([...new Set(asked.map(({ action }) => action))]))
  })

  test('there is an exercise for every action but the one that may call anything', () => {
    expect([...Object.keys(exercises), 'api-call'].sort()).toEqual(Object.keys(actionsS3.actions).sort())
  })
})

test('a subset allows what it needs together, and not what others need', async () => {
  const policy = policyFor(['list-files', 'download-file'])
  const granted = [policy.Statement].flat().flatMap((statement) => statement.Action ?? [])
  expect(granted.sort()).toEqual(['s3:GetObject', 's3:ListBucket'])
  await under(policy, async (context) => {
    await listFiles(context, {})
    await expect(deleteObjects(context, { path: 'd/a' })).rejects.toMatchObject({
      kind: 'permission',
      message: expect.stringContaining('s3:DeleteObject on arn:aws:s3:::lake/d/a'),
    })
  })
})

test('a connection without a bucket is about every bucket; an unknown action is named', () => {
  expect(JSON.stringify(policyFor(['head'], { bucket: undefined }))).toContain('arn:aws:s3:::*/*')
  expect(() => policyFor(['hed'])).toThrow(/no action "hed"/)
  expect(() => policyFor(['api-call'])).toThrow(/depends on what it is called for/)
})

test('the trust policy of a role comes along', () => {
  const connection = s3Actions({
    region,
    bucket,
    auth: {
      method: 'assumed-role',
      roleArn: 'arn:aws:iam::111122223333:role/worker',
      externalId: 'penstock-1',
    },
  })
  expect(JSON.stringify(actionsS3.policy?.(connection, {}).trust)).toContain('penstock-1')
})

test('check does the real calls, with and without a bucket', async () => {
  const steps = async (fields = {}) => {
    const found: string[] = []
    await lake.use(
      async (context) => {
        for await (const step of actionsS3.check(context) as AsyncIterable<{ id: string; status: string }>)
          found.push(`${step.id} ${step.status}`)
      },
      { fields },
    )
    return found
  }
  expect(await steps()).toEqual([
    'credentials passed',
    'bucket passed',
    'acl passed',
    'list passed',
    'read passed',
  ])
  expect(await steps({ bucket: undefined })).toEqual(['credentials passed', 'bucket skipped'])
  expect(await steps({ bucket: 'none-such' })).toEqual(['credentials passed', 'bucket failed'])
})
