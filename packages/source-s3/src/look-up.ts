import type { S3Access, S3Entry, S3File } from '@penstock/aws'
import { ConnectorError, type FileEntry } from '@penstock/core'
import { quoted } from './keys.ts'

const isKind = (error: unknown, kind: ConnectorError['kind']): error is ConnectorError =>
  ConnectorError.isInstance(error) && error.kind === kind

/**
 * One object as it is now; undefined when there is none. Who may list a part of the bucket alone (`s3:prefix`) gets 403
 * for a missing object, as for a forbidden one: the listing tells the two apart.
 */
export const lookUp = async (
  access: S3Access,
  key: string,
  signal: AbortSignal,
): Promise<S3Entry | undefined> => {
  try {
    return (await access.head(key, { signal })).entry
  } catch (error) {
    if (isKind(error, 'not-found') && error.code !== 'NoSuchBucket') return undefined
    if (isKind(error, 'permission') && (await isGone(access, key, signal))) return undefined
    throw error
  }
}

/** True when the listing shows that there is no such object; false also where listing is not allowed. */
const isGone = async (access: S3Access, key: string, signal: AbortSignal | undefined): Promise<boolean> => {
  try {
    for await (const { entries } of access.list({ prefix: key, pageSize: 1, signal }))
      return entries[0]?.key !== key
    return true
  } catch (error) {
    if (isKind(error, 'permission')) return false
    throw error
  }
}

/** The object's bytes; where a 403 only hides that it was deleted after it was listed, that is said. */
export const openObject = (access: S3Access, entry: FileEntry): S3File => {
  const file = access.file(entry)
  const explained = async (error: unknown, signal: AbortSignal | undefined): Promise<unknown> =>
    isKind(error, 'permission') && (await isGone(access, entry.key, signal)) ? deleted(entry, error) : error
  return Object.freeze({
    ...file,
    async *read(range, options) {
      try {
        yield* file.read(range, options)
      } catch (error) {
        throw await explained(error, options?.signal)
      }
    },
    async download(path, options) {
      try {
        await file.download(path, options)
      } catch (error) {
        throw await explained(error, options?.signal)
      }
    },
  } satisfies S3File)
}

const deleted = ({ key }: FileEntry, cause: unknown): ConnectorError =>
  new ConnectorError('conflict', `The object ${quoted(key)} was deleted after it was listed.`, {
    code: 'ObjectChanged',
    hint: 'Run again.',
    place: { object: key },
    cause,
  })
