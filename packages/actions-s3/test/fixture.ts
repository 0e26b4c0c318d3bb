import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PolicyDocument, startAws } from '@penstock/testkit'
import { type ActionRun, defineFixture } from '@penstock/testkit/conformance'
import { actionsS3 } from '../src/index.ts'

const region = 'eu-central-1'
const bucket = 'lake'

/** Times are those of the run, and what runs in parallel ends in any order. */
const withoutTimes = (output: unknown): unknown =>
  JSON.parse(
    JSON.stringify(output, (name, value: unknown) => {
      if (name === 'modified') return undefined
      return name === 'items' ? (value as unknown[]).map((item) => JSON.stringify(item)).sort() : value
    }),
  )

/** One field of an output. */
const only = (name: string) => (output: unknown) => (output as Readonly<Record<string, unknown>>)[name]

export default defineFixture(actionsS3, async () => {
  const aws = await startAws()
  aws.s3.createBucket({ name: bucket, region })
  const folder = mkdtempSync(join(tmpdir(), 'penstock-actions-'))
  const path = (name: string) => join(folder, name)
  const configAt = (endpoint: string) => ({
    region,
    bucket,
    endpoint,
    stsEndpoint: endpoint,
    auth: { method: 'access-key' as const, ...aws.root },
    maxAttempts: 3,
  })
  const working = configAt(aws.endpoint)
  let users = 0

  const reset = async () => {
    for (const name of aws.s3.bucketNames())
      for (const key of aws.s3.listKeys(name)) aws.s3.deleteObject(name, key)
    for (const key of ['d/a', 'd/b', 'e']) await aws.s3.putObject({ bucket, key, body: `body of ${key}` })
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(path('up'), { recursive: true })
    writeFileSync(path('up/f'), 'from here')
  }

  const runs: readonly ActionRun[] = [
    {
      action: 'create-bucket',
      input: { bucket },
      stable: only('bucket'),
      wrong: [
        { field: 'bucket', input: { bucket: 'My-Bucket' }, kind: 'config' },
        { field: 'bucket', input: { bucket: 'foreign' }, kind: 'conflict' },
      ],
    },
    {
      action: 'download-file',
      input: () => ({ path: 'd/b', to: path('down') }),
      stable: withoutTimes,
      wrong: [{ field: 'path', input: () => ({ path: 'nope', to: path('down') }), kind: 'not-found' }],
    },
    {
      action: 'upload-file',
      input: () => ({ source: path('up/f'), to: 'new' }),
      wrong: [
        { field: 'source', input: () => ({ source: path('nope'), to: 'new' }), kind: 'not-found' },
        { field: 'to', input: () => ({ source: path('up/f'), to: 's3://no-such/x' }), kind: 'not-found' },
        {
          field: 'ifNoneMatch',
          input: () => ({ source: path('up/f'), to: 'e', ifNoneMatch: '*' }),
          kind: 'conflict',
        },
      ],
    },
    { action: 'upload-file', input: { source: '-', to: 'piped' }, stdin: 'from a pipe' },
    { action: 'list-files', input: { prefix: 'd/' }, stable: withoutTimes },
    { action: 'list-folders', input: {} },
    {
      action: 'api-call',
      input: { url: `/${bucket}?list-type=2&prefix=e` },
      stable: only('status'),
    },
    {
      action: 'delete',
      stable: withoutTimes,
      input: { path: 'd/', recursive: true },
      dryRun: { path: 'd/', recursive: true, dryRun: true },
      wrong: [{ field: 'everything', input: { path: `s3://${bucket}/`, recursive: true }, kind: 'config' }],
    },
    {
      action: 'copy',
      stable: withoutTimes,
      input: { from: 'd/', to: 'f/', recursive: true },
      dryRun: { from: 'd/', to: 'f/', recursive: true, dryRun: true },
      wrong: [
        { field: 'from', input: { from: 'nope', to: 'x' }, kind: 'not-found' },
        { field: 'to', input: { from: 'd/', to: 'd/x/', recursive: true }, kind: 'config' },
      ],
    },
    {
      action: 'move',
      stable: withoutTimes,
      input: { from: 'd/a', to: 'g' },
      dryRun: { from: 'd/a', to: 'g', dryRun: true },
      wrong: [{ field: 'to', input: { from: 'd/a', to: 'd/a' }, kind: 'config' }],
    },
    {
      action: 'presign',
      input: { path: 'd/a' },
      stable: only('method'),
      wrong: [{ field: 'expiresIn', input: { path: 'd/a', expiresIn: '8d' }, kind: 'config' }],
    },
    {
      action: 'head',
      input: { path: 'd/b' },
      stable: withoutTimes,
      wrong: [{ field: 'path', input: { path: 'nope' }, kind: 'not-found' }],
    },
    {
      action: 'sync',
      stable: withoutTimes,
      input: () => ({ from: path('up'), to: `s3://${bucket}/d/`, delete: true }),
      dryRun: () => ({ from: path('up'), to: `s3://${bucket}/d/`, delete: true, dryRun: true }),
    },
  ]

  await reset()
  aws.s3.createBucket({ name: 'foreign', account: '999999999999' })
  return {
    close: async () => {
      rmSync(folder, { recursive: true, force: true })
      await aws.close()
    },
    endpoint: aws.endpoint,
    config: configAt,
    aws,
    runs,
    reset,
    state: async () => ({
      buckets: aws.s3.bucketNames(),
      objects: await Promise.all(
        aws.s3.listKeys(bucket).map(async (key) => [key, await aws.s3.getObject(bucket, key)]),
      ),
      files: readdirSync(path('up')),
    }),
    wrong: [
      { field: 'bucket', config: { ...working, bucket: 'no-such-bucket' }, kind: 'not-found' },
      { field: 'region', config: { ...working, region: 'South 2' }, kind: 'config' },
      {
        field: 'secretAccessKey',
        config: { ...working, auth: { ...working.auth, secretAccessKey: 'wrong-secret-access-key' } },
        kind: 'auth',
      },
    ],
    formerConfigs: [{ region: 'eu-central-1', bucket: 'lake', auth: { method: 'default-chain' } }],
    underPolicy: async ({ policy }) => {
      const user = aws.identities.createUser({ name: `user${++users}`, policies: [policy as PolicyDocument] })
      const { accessKeyId, secretAccessKey } = user
      return { ...working, auth: { method: 'access-key', accessKeyId, secretAccessKey } }
    },
    skip: {
      'policy/api-call': 'What it needs depends on what is called: the policy has to be written by hand.',
    },
  }
})
