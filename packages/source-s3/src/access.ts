import { openS3, type S3Access } from '@penstock/aws'
import type { S3Context } from './config.ts'

/** One access per use of a connection: its tables share sockets, the retry budget and the role's session. */
const opened = new WeakMap<S3Context, S3Access>()

/** The read-only access of a context; closed when this use of the connection ends. */
export const accessOf = (context: S3Context): S3Access => {
  const existing = opened.get(context)
  if (existing) return existing
  const access = openAccess(context)
  opened.set(context, access)
  return access
}

/** An access of its own, with few retries: a check tells what is wrong, it does not wait for it to heal. */
export const accessForCheck = (context: S3Context): S3Access => openAccess(context, { attempts: 2 })

const openAccess = (context: S3Context, retry?: { attempts: number }): S3Access => {
  const { config, auth, signal, clock, concurrency, notice } = context
  const access = openS3({
    config,
    auth,
    access: 'read-only',
    signal,
    clock,
    notice,
    ...(concurrency === undefined ? {} : { concurrency }),
    retry: retry ?? (config.maxAttempts === undefined ? {} : { attempts: config.maxAttempts }),
  })
  context.defer(() => access.close())
  return access
}
