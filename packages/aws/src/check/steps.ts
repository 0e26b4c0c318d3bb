import { type CheckStep, ConnectorError, type FileEntry, toConnectorError } from '@penstock/core'
import type { AwsAuthentication } from '../auth/authentication.ts'
import type { S3Access } from '../s3/access.ts'
import { isArchived } from '../s3/archived.ts'

interface Outcome {
  readonly status?: 'skipped'
  readonly detail?: string
}

/** Runs one step. A failure is part of the step; what ends the command (a cancellation) is thrown. */
export const checkStep = async (
  id: string,
  title: string,
  run: () => Promise<Outcome>,
): Promise<CheckStep> => {
  try {
    const { status = 'passed', detail } = await run()
    return { id, title, status, ...(detail === undefined ? {} : { detail }) }
  } catch (error) {
    const failure = toConnectorError(error)
    if (failure.kind === 'cancelled') throw failure
    return { id, title, status: 'failed', error: failure }
  }
}

export const skippedStep = (id: string, title: string, detail: string): CheckStep => ({
  id,
  title,
  status: 'skipped',
  detail,
})

/** Credentials resolve; for an assumed role those that assume it, and then the role itself. */
export async function* checkCredentials(
  access: Pick<S3Access, 'credentials' | 'identity'>,
  auth: AwsAuthentication,
  environment: Parameters<AwsAuthentication['provider']>[0],
): AsyncGenerator<CheckStep> {
  if (auth.method === 'anonymous') {
    yield skippedStep('credentials', 'Resolve credentials', 'anonymous access has none')
    return
  }
  const { sourceProvider } = auth
  if (sourceProvider) {
    const source = await checkStep('credentials', 'Resolve credentials', async () => {
      const { accessKeyId } = await sourceProvider(environment)()
      return { detail: `access key id ${shortKeyId(accessKeyId)}` }
    })
    yield source
    if (source.status === 'failed') return
    yield await checkStep('role', 'Assume the role', async () => {
      await access.credentials()
      return identityDetail(access, auth.roleArn ?? '')
    })
    return
  }
  yield await checkStep('credentials', 'Resolve credentials', async () => {
    const credentials = await access.credentials()
    return identityDetail(access, `access key id ${shortKeyId(credentials?.accessKeyId ?? '')}`)
  })
}

/** Enough of a key id to recognise it. */
const shortKeyId = (id: string): string => (id.length <= 8 ? id : `${id.slice(0, 4)}...${id.slice(-4)}`)

const identityDetail = async (access: Pick<S3Access, 'identity'>, otherwise: string): Promise<Outcome> => ({
  detail: (await access.identity())?.arn ?? otherwise,
})

export const bucketTitle = 'Reach the bucket in its region'

/** The bucket is there and in the configured region; its owner may be read. */
export async function* checkBucket(
  access: S3Access,
  options: { readonly anonymous?: boolean } = {},
): AsyncGenerator<CheckStep> {
  if (options.anonymous) {
    // Public buckets let everybody list and read, hardly ever ask about the bucket itself.
    yield skippedStep('bucket', bucketTitle, 'anonymous access may not ask about the bucket itself')
    return
  }
  const region = await checkStep('bucket', bucketTitle, async () => {
    const found = await access.location().catch(unsupported)
    if (found === undefined) return { detail: 'the store tells no region' }
    // Stores without regions answer as us-east-1 does, and take any; one with regions refuses the next request.
    if (access.endpoint !== undefined && found === 'us-east-1' && found !== access.region) {
      await access.headBucket().catch(ifWrongRegion)
      return { detail: `${access.bucket}; the store names no region` }
    }
    if (found !== access.region)
      throw new ConnectorError(
        'config',
        `Bucket ${access.bucket} is in region ${found}, not in ${access.region}.`,
        { code: 'WrongRegion', hint: `Set region to ${found}.` },
      )
    return { detail: `${access.bucket} in ${found}` }
  })
  yield region
  if (region.error && region.error.kind !== 'permission') return
  yield await checkStep('acl', 'Read the access control list', async () => {
    const acl = await access.acl().catch(unsupported)
    if (!acl) return { status: 'skipped', detail: 'the store has no access control lists' }
    return acl.owner.id === undefined ? {} : { detail: `owner ${acl.owner.displayName ?? acl.owner.id}` }
  })
}

/** The listing is checked later: here only the region counts. */
const ifWrongRegion = (error: unknown): void => {
  if (ConnectorError.isInstance(error) && error.code === 'WrongRegion') throw error
}

/** S3-compatible stores lack some of the calls about buckets. */
const unsupported = (error: unknown): undefined => {
  if (ConnectorError.isInstance(error) && error.code === 'NotImplemented') return undefined
  throw error
}

export interface CheckObjectsOptions {
  /** Prefix that the connection is confined to. */
  readonly prefix?: string | undefined
}

/** Objects can be listed, and the first one with bytes can be read (one byte of it). */
export async function* checkObjects(
  access: S3Access,
  options: CheckObjectsOptions = {},
): AsyncGenerator<CheckStep> {
  let sample: FileEntry | undefined
  const where = options.prefix ? `below ${options.prefix}` : 'in the bucket'
  const list = await checkStep('list', 'List objects', async () => {
    for await (const { entries } of access.list({ prefix: options.prefix, pageSize: 100 })) {
      sample = entries.find((entry) => entry.size > 0 && !isArchived(entry))
      return { detail: entries.length === 0 ? `no objects ${where}` : `objects found ${where}` }
    }
    return { detail: `no objects ${where}` }
  })
  yield list
  if (list.status === 'failed') return
  if (!sample) {
    yield skippedStep('read', 'Read an object', 'there is none to read')
    return
  }
  const entry = sample
  yield await checkStep('read', 'Read an object', async () => {
    for await (const _ of access.file(entry).read({ start: 0, end: 1 })) break
    return { detail: `first byte of ${entry.key}` }
  })
}
