import { openS3, openS3Writer, type S3Access, type S3WriteAccess } from '@penstock/aws'
import type { S3ActionContext } from './config.ts'

interface Opened {
  readonly readers: Map<string, S3Access>
  readonly writers: Map<string, S3WriteAccess>
}

/** Accesses of one use of a connection: its steps share sockets, the retry budget and the role's session. */
const opened = new WeakMap<object, Opened>()

const openedOf = (context: S3ActionContext): Opened => {
  // The context of a call may be a copy with other streams; its clean-up is what the use has only once.
  const key = context.defer
  const known = opened.get(key) ?? { readers: new Map(), writers: new Map() }
  opened.set(key, known)
  return known
}

const optionsOf = (context: S3ActionContext, bucket: string, region: string | undefined) => {
  const { config, auth, signal, clock, concurrency } = context
  return {
    config: { ...config, bucket, region: region ?? config.region },
    auth,
    signal,
    clock,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(config.maxAttempts === undefined ? {} : { retry: { attempts: config.maxAttempts } }),
  }
}

/** Access to a bucket that can send nothing but Get, Head and List requests. */
export const readerOf = (context: S3ActionContext, bucket: string): S3Access => {
  const { readers } = openedOf(context)
  const known = readers.get(bucket)
  if (known) return known
  const access = openS3({ ...optionsOf(context, bucket, undefined), access: 'read-only' })
  context.defer(() => access.close())
  readers.set(bucket, access)
  return access
}

/** Access to a bucket, in the connection's region unless another one is given. */
export const writerOf = (context: S3ActionContext, bucket: string, region?: string): S3WriteAccess => {
  const { writers } = openedOf(context)
  const name = `${region ?? ''}/${bucket}`
  const known = writers.get(name)
  if (known) return known
  const access = openS3Writer(optionsOf(context, bucket, region))
  context.defer(() => access.close())
  writers.set(name, access)
  return access
}
