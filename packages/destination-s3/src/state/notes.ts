import type { ObjectOptions, S3WriteAccess, S3Written, WriteConditions } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import type { z } from 'zod'

/** A note, at the version that was read. */
export interface Note<Content> {
  readonly content: Content
  readonly etag: string
}

/** True for an object that is not there. */
export const isMissing = (error: unknown): boolean =>
  ConnectorError.isInstance(error) && error.kind === 'not-found' && error.code === 'NoSuchKey'

/** True when an upload in parts was aborted by somebody, or completed. */
export const isUploadGone = (error: unknown): boolean =>
  ConnectorError.isInstance(error) && error.code === 'NoSuchUpload'

/** True when a condition of a write did not hold: somebody else was faster. */
export const isConflict = (error: unknown): boolean =>
  ConnectorError.isInstance(error) && error.kind === 'conflict'

/** Reads a small JSON object; undefined when it is not there. One that was changed by hand is a `data` error. */
export const readNote = async <Schema extends z.ZodType>(
  access: S3WriteAccess,
  key: string,
  schema: Schema,
  signal?: AbortSignal,
): Promise<Note<z.output<Schema>> | undefined> => {
  let etag = ''
  try {
    // One GET, and no HEAD before it: of what is refused, only a GET tells why.
    const bytes = await access.fetch(key, {
      ...(signal === undefined ? {} : { signal }),
      onEntry: ({ version }) => {
        etag = version
      },
    })
    return { content: parseNote(Buffer.from(bytes).toString(), key, schema), etag }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const parseNote = <Schema extends z.ZodType>(text: string, key: string, schema: Schema): z.output<Schema> => {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    content = undefined
  }
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  throw new ConnectorError('data', `The destination's own note ${JSON.stringify(key)} can't be understood.`, {
    code: 'InvalidState',
    hint: 'It was changed by somebody else, or written by a later version: restore it, or remove its folder to begin anew.',
    place: { object: key },
  })
}

/** Writes a small JSON object, under a condition. */
export const writeNote = (
  access: S3WriteAccess,
  key: string,
  content: unknown,
  options: ObjectOptions & WriteConditions & { readonly signal?: AbortSignal },
): Promise<S3Written> => access.put(key, Buffer.from(`${JSON.stringify(content)}\n`), options)

/** Keys below a prefix. */
export async function* keysBelow(
  access: S3WriteAccess,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  for await (const { entries } of access.list({ prefix, signal })) for (const { key } of entries) yield key
}

/** Removes objects; one that can't be removed is a `permission` error that names it. */
export const removeKeys = async (
  access: S3WriteAccess,
  keys: Iterable<string> | AsyncIterable<string>,
  signal?: AbortSignal,
): Promise<void> => {
  const { failed } = await access.deleteObjects(keys, { signal })
  const [first] = failed
  if (!first) return
  throw new ConnectorError(
    first.code === 'AccessDenied' ? 'permission' : 'internal',
    `${failed.length} objects can't be removed; the first is ${JSON.stringify(first.key)}: ${first.message}`,
    {
      code: first.code,
      hint: 'Allow s3:DeleteObject on it (penstock policy prints it); a lock or a legal hold forbids it, too.',
      place: { object: first.key },
    },
  )
}
