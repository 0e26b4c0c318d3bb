import { existsSync } from 'node:fs'
import { isArchived, type S3Access, type S3Entry } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import type { S3ActionContext } from '../config.ts'
import { type LocalFile, walk } from '../local/walk.ts'
import { joinByKey, type Pair, targetIsAsNew } from './compare.ts'

export interface SyncPlanOptions {
  readonly access: S3Access
  readonly folder: string
  readonly prefix: string
  readonly direction: 'up' | 'down'
  readonly filter: (key: string) => boolean
  readonly compare: 'time' | 'checksum' | 'size'
  readonly remove: boolean
}

/** What is to be done about a key. */
export interface SyncStep extends Pair {
  readonly action: 'upload' | 'download' | 'delete'
  readonly why: 'new' | 'size' | 'time' | 'checksum' | 'gone'
}

/** Steps that make the target equal to the source, in the order of keys. Nothing is changed. */
export async function* planSync(
  context: S3ActionContext,
  options: SyncPlanOptions,
): AsyncGenerator<SyncStep> {
  const { access, folder, prefix, direction, filter, remove } = options
  const skipped = (path: string, why: string): void => context.notice(`Left out: ${path} is ${why}.`)
  const action = direction === 'up' ? 'upload' : 'download'
  let former: string | undefined
  // A dry run down into a new folder makes none.
  const locals = direction === 'down' && !existsSync(folder) ? none() : walk(folder, skipped)
  for await (const pair of joinByKey(locals, objects(context, access, prefix), prefix)) {
    const { key, local, remote } = pair
    if (!filter(key)) continue
    if (key === former)
      throw new ConnectorError('conflict', `Two files stand for the key ${key}.`, {
        code: 'AmbiguousName',
        hint: 'One of them has a percent sign in its name that reads as an encoded character: rename it.',
      })
    former = key
    const [source, target] = direction === 'up' ? [local, remote] : [remote, local]
    if (!source) {
      if (remove) yield { ...pair, action: 'delete', why: 'gone' }
      continue
    }
    const why = target ? await difference(context, options, pair) : 'new'
    if (why) yield { ...pair, action, why }
  }
}

const difference = async (
  context: S3ActionContext,
  { access, direction, compare }: SyncPlanOptions,
  { local, remote }: Pair,
): Promise<SyncStep['why'] | undefined> => {
  if (!local || !remote) return 'new'
  if (local.size !== remote.size) return 'size'
  if (compare === 'size') return undefined
  const asNew = direction === 'up' ? targetIsAsNew(local, remote) : targetIsAsNew(remote, local)
  if (compare === 'time' && asNew) return undefined
  // Reading a file costs less than moving it: a time alone moves nothing that is the same.
  const same = await access.file(remote).matches(local.path, { signal: context.signal })
  if (same === undefined) return asNew ? undefined : 'time'
  return same ? undefined : compare
}

async function* none(): AsyncGenerator<LocalFile> {}

/** Objects below the prefix. What marks a folder (`a/`, 0 bytes) is none, and what is archived can't be read. */
async function* objects(context: S3ActionContext, access: S3Access, prefix: string): AsyncGenerator<S3Entry> {
  for await (const { entries } of access.list({ prefix, signal: context.signal }))
    for (const entry of entries) {
      if (entry.key.endsWith('/') && entry.size === 0) continue
      if (isArchived(entry)) context.notice(`Left out: ${entry.key} is archived (${entry.storageClass}).`)
      else yield entry
    }
}
