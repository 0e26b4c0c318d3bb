import type { S3Entry } from '@penstock/aws'
import type { LocalFile } from '../local/walk.ts'

/** A key of the two sides of a sync, below folder and prefix. */
export interface Pair {
  readonly key: string
  readonly local?: LocalFile
  readonly remote?: S3Entry
}

/**
 * Joins the files of a folder and the objects below a prefix by key. Both come in the order of UTF-8 bytes, so that
 * memory does not grow with their number.
 */
export async function* joinByKey(
  locals: AsyncIterator<LocalFile>,
  remotes: AsyncIterator<S3Entry>,
  prefix: string,
): AsyncGenerator<Pair> {
  const keyOf = ({ key }: S3Entry): string => key.slice(prefix.length)
  let local = await locals.next()
  let remote = await remotes.next()
  while (!local.done || !remote.done) {
    const order = local.done
      ? 1
      : remote.done
        ? -1
        : Buffer.compare(Buffer.from(local.value.key), Buffer.from(keyOf(remote.value)))
    if (order < 0 && !local.done) {
      yield { key: local.value.key, local: local.value }
      local = await locals.next()
    } else if (order > 0 && !remote.done) {
      yield { key: keyOf(remote.value), remote: remote.value }
      remote = await remotes.next()
    } else if (!local.done && !remote.done) {
      yield { key: local.value.key, local: local.value, remote: remote.value }
      local = await locals.next()
      remote = await remotes.next()
    }
  }
}

/**
 * Whether what is at the target is to be taken for the source by their times, the sizes being the same: the target is
 * as new, or newer. A download gives the file the object's time. An object's time may be the start of its upload; the
 * file was complete by then, as one that changes meanwhile is refused. S3 keeps whole seconds: a file that is written
 * in the second of its upload is uploaded once more.
 */
export const targetIsAsNew = (source: { modified: number }, target: { modified: number }): boolean =>
  target.modified >= source.modified
