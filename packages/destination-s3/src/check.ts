import { randomUUID } from 'node:crypto'
import { checkBucket, checkCredentials, checkStep, type S3WriteAccess, skippedStep } from '@penstock/aws'
import type { CheckStep } from '@penstock/core'
import { accessForCheck } from './access.ts'
import type { S3Context } from './config.ts'
import { settingsValues, stateRoot, templateTexts } from './names.ts'
import { type Author, fileOptions } from './objects.ts'
import { readRecipientKey } from './openpgp.ts'
import { requireConditions } from './state/lease.ts'
import { compileKeyTemplate } from './template/key-template.ts'

/** The probes of one check, in order; each needs what came before it. */
interface Probe {
  readonly id: string
  readonly title: string
  /** Ids of the steps that it needs. */
  readonly after: readonly string[]
  readonly run: () => Promise<{ readonly detail?: string }>
  /** What is lost where it is not allowed: the destination works all the same. */
  readonly without?: string
}

/**
 * The check of a destination, by real calls in this order: credentials and role, bucket and region, list, write, read and
 * delete an object, begin and abort an upload in parts; then what of the settings can be wrong by itself. A step whose
 * basis failed is skipped; the others are tried all the same, so that one check names every missing permission.
 */
export async function* checkDestination(context: S3Context): AsyncGenerator<CheckStep> {
  const access = accessForCheck(context)
  const reached = yield* checkConnection(context, access)
  const failed = new Set<string>()
  for (const { id, title, after, run, without } of probesOf(context, access)) {
    const missing = reached ? after.find((other) => failed.has(other)) : 'bucket'
    let step =
      missing === undefined
        ? await checkStep(id, title, run)
        : skippedStep(id, title, `after the failure of: ${missing}`)
    if (without !== undefined && step.error?.kind === 'permission') step = skippedStep(id, title, without)
    if (step.status !== 'passed') failed.add(id)
    yield step
  }
  yield* checkSettings(context)
}

/** True when the bucket can be reached. */
async function* checkConnection(
  { config, auth, signal, clock }: S3Context,
  access: S3WriteAccess,
): AsyncGenerator<CheckStep, boolean> {
  const { region, stsEndpoint, allowInsecure } = config
  for await (const step of checkCredentials(access, auth, {
    region,
    stsEndpoint,
    allowInsecure,
    signal,
    clock,
  })) {
    yield step
    if (step.status === 'failed') return false
  }
  for await (const step of checkBucket(access, { anonymous: auth.method === 'anonymous' })) {
    yield step
    // Who may not ask for the region may write all the same. A destination has no use for the owner.
    return step.status !== 'failed' || step.error?.kind === 'permission'
  }
  return true
}

const probesOf = (context: S3Context, access: S3WriteAccess): readonly Probe[] => {
  const { config } = context
  const author: Author = { exportId: 'check', commitId: 'check', attempt: randomUUID() }
  const object = fileOptions(config, author, 'csv')
  const root = `${stateRoot(config)}check-${author.attempt}`
  const where = config.prefix === undefined ? 'the bucket' : config.prefix
  let etag = ''
  let uploadId: string | undefined
  return [
    {
      id: 'list',
      title: 'List objects',
      after: [],
      run: async () => {
        for await (const _ of access.list({ prefix: config.prefix, pageSize: 1 })) break
        return { detail: where }
      },
    },
    {
      id: 'write',
      title: 'Write an object',
      after: [],
      run: async () => {
        etag = (await access.put(root, Buffer.from('probe\n'), object)).etag
        return { detail: root }
      },
    },
    {
      id: 'conditions',
      title: 'Write under a condition',
      after: ['write'],
      run: async () => {
        await requireConditions(() =>
          access.put(root, Buffer.from('again\n'), { ...object, ifNoneMatch: '*' }),
        )
        await access.put(root, Buffer.from('probe\n'), { ...object, ifMatch: etag })
        return {}
      },
    },
    {
      id: 'read',
      title: 'Read it',
      after: ['write'],
      run: async () => {
        await access.head(root)
        return {}
      },
    },
    {
      id: 'delete',
      title: 'Delete it',
      after: ['write'],
      run: async () => {
        await access.deleteObject(root)
        return {}
      },
    },
    {
      id: 'upload',
      title: 'Begin an upload in parts',
      after: ['write'],
      run: async () => {
        const upload = await access.startUpload(`${root}-parts`, object)
        uploadId = upload.uploadId
        return {}
      },
    },
    {
      id: 'list-parts',
      title: 'List its parts',
      after: ['upload'],
      run: async () => {
        await Array.fromAsync(access.listParts(`${root}-parts`, uploadId ?? ''))
        return {}
      },
    },
    {
      id: 'list-uploads',
      title: 'List uploads',
      after: ['upload'],
      without:
        's3:ListBucketMultipartUploads is not allowed: an upload that a process began just before it died stays, empty, until a lifecycle rule removes it',
      run: async () => {
        for await (const _ of access.listUploads({ prefix: root })) break
        return {}
      },
    },
    {
      id: 'abort',
      title: 'Abort it',
      after: ['upload'],
      run: async () => {
        await access.abortUpload(`${root}-parts`, uploadId ?? '')
        return {}
      },
    },
  ]
}

/** What can be wrong without any request. */
async function* checkSettings({ config, clock }: S3Context): AsyncGenerator<CheckStep> {
  yield await checkStep('key-template', 'Read the key template', async () => {
    const template = compileKeyTemplate(templateTexts(config))
    const values = {
      ...settingsValues(config, undefined, 'csv'),
      commitId: 'run',
      exportId: 'export',
      exportName: 'export',
      loadTime: clock(),
      stream: { id: 'stream', name: 'stream' },
      part: 1,
      partition: '',
    }
    // A cursor belongs to an export.
    template.requireValues(values, { cursor: false })
    const example = template.key(
      { ...values, cursor: clock() },
      { encrypted: config.publicKey !== undefined },
    )
    return { detail: `such as ${config.prefix ?? ''}${example}` }
  })
  if (config.publicKey === undefined) return
  const { publicKey } = config
  yield await checkStep('public-key', 'Read the OpenPGP public key', async () => {
    const { fingerprint, userId } = await readRecipientKey(publicKey, clock())
    return { detail: `${fingerprint.slice(-16)}${userId ? ` of ${userId}` : ''}` }
  })
}
