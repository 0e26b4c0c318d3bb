import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PolicyDocument } from '@penstock/testkit'
import { startAws } from '@penstock/testkit'
import { defineFixture } from '@penstock/testkit/conformance'
import { destinationS3 } from '../src/index.ts'

const isForeign = (key: string) => key.startsWith('exports/foreign')

/** Values as texts, numbers with the digits that are there. */
const textValue = (_: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  typeof value === 'number' ? (source ?? String(value)) : typeof value === 'boolean' ? String(value) : value

export default defineFixture(destinationS3, async () => {
  const aws = await startAws()
  aws.s3.createBucket({ name: 'lake' })
  await aws.s3.putObject({ bucket: 'lake', key: 'exports/foreign.csv', body: 'not ours' })
  const auth = { method: 'access-key' as const, ...aws.root }
  const configAt = (endpoint: string) => ({
    region: 'us-east-1',
    bucket: 'lake',
    prefix: 'exports',
    endpoint,
    auth,
    maxAttempts: 3,
  })
  const working = configAt(aws.endpoint)
  const folder = await mkdtemp(join(tmpdir(), 'penstock-large-'))
  const onDisk = await startAws({
    data: folder,
    rootAccessKeyId: auth.accessKeyId,
    rootSecretAccessKey: auth.secretAccessKey,
  })
  onDisk.s3.createBucket({ name: 'lake' })
  /** Rows of the NDJSON files whose folder a stream has; a name that had to be made safe is the only other one. */
  const read = async (stream: string) => {
    const rows: Record<string, unknown>[] = []
    for (const key of aws.s3.listKeys('lake')) {
      const [, folder = ''] = key.split('/')
      const named = ['orders', 'customers'].includes(stream)
        ? folder === stream
        : !['orders', 'customers'].includes(folder)
      if (!key.endsWith('.jsonl') || isForeign(key) || !named) continue
      const lines = (await aws.s3.getObject('lake', key)).toString('utf8').split('\n')
      for (const line of lines)
        if (line !== '') rows.push(JSON.parse(line, textValue) as Record<string, unknown>)
    }
    return rows
  }

  return {
    close: async () => {
      await onDisk.close()
      await aws.close()
      await rm(folder, { recursive: true })
    },
    large: configAt(onDisk.endpoint),
    endpoint: aws.endpoint,
    config: configAt,
    aws,
    exportOptions: { fileType: 'json', keyTemplate: '{stream_name}/{date_time}_{uuid}.{extension}' },
    wrong: [
      { field: 'bucket', config: { ...working, bucket: 'no-such-bucket' }, kind: 'not-found' },
      {
        field: 'secretAccessKey',
        config: { ...working, auth: { ...auth, secretAccessKey: 'wrong-secret-access-key' } },
        kind: 'auth',
      },
      { field: 'keyTemplate', config: { ...working, keyTemplate: '{nope}/{part}' }, kind: 'config' },
    ],
    formerConfigs: [{ region: 'eu-central-1', bucket: 'lake', auth: { method: 'default-chain' } }],
    state: async () => aws.s3.listKeys('lake'),
    read,
    clear: async () => {
      for (const key of aws.s3.listKeys('lake')) if (!isForeign(key)) aws.s3.deleteObject('lake', key)
    },
    foreign: async () => (await aws.s3.getObject('lake', 'exports/foreign.csv')).toString(),
    skip: {
      'write/crash-whole':
        'S3 has no change of many objects at once: whole files appear one after the other; the next run takes the rest away.',
    },
    underPolicy: async ({ policy }) => {
      const user = aws.identities.createUser({ name: 'conforming', policies: [policy as PolicyDocument] })
      const { accessKeyId, secretAccessKey } = user
      return { ...working, auth: { method: 'access-key', accessKeyId, secretAccessKey } }
    },
  }
})
