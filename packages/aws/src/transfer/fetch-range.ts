import { ConnectorError, type FileEntry, type TransferOptions } from '@penstock/core'
import type { S3Client } from '../s3/client.ts'
import { plainETag } from '../s3/head.ts'
import type { S3Response } from '../s3/transport.ts'
import { consume, consumeBlocks } from './consume.ts'

/** A range up to this size waits for the store longer than for its bytes. */
const smallBytes = 256 * 1024

export interface RangeOptions extends TransferOptions {
  readonly signal: AbortSignal
  /** Ask for the checksum: only an answer without a range has one. */
  readonly checksum?: boolean
  /** Headers of the first answer. */
  readonly onHeaders?: (headers: Readonly<Record<string, string>>) => void
  /** Takes each chunk, in order and once. */
  readonly sink: (chunk: Uint8Array) => void | Promise<void>
  /** The sink keeps no chunk: its memory may be used again when it returns, or when its promise resolves. */
  readonly keepsNone?: boolean
}

const changed = (entry: FileEntry, how: string, cause?: unknown): ConnectorError =>
  new ConnectorError('conflict', `Object ${entry.key} changed while it was read: ${how}.`, {
    code: 'ObjectChanged',
    hint: 'Run again: the object is read as it is then.',
    place: { object: `s3://${entry.container}/${entry.key}` },
    ...(cause === undefined ? {} : { cause }),
  })

const truncated = (entry: FileEntry, missing: number): ConnectorError =>
  new ConnectorError('network', `The connection ended ${missing} bytes too early.`, {
    code: 'TruncatedBody',
    place: { object: `s3://${entry.container}/${entry.key}` },
  })

/** A conflict by another name: what was listed is gone. */
const asConflict = (entry: FileEntry, error: unknown): unknown => {
  if (!ConnectorError.isInstance(error)) return error
  // Where no version was listed nothing changed: it was never there.
  if (error.code === 'NoSuchKey' && entry.version !== '') return changed(entry, 'it was deleted', error.cause)
  if (error.code === 'ObjectChanged') return changed(entry, 'it was overwritten', error.cause)
  return error
}

const isConflict = (error: unknown): error is ConnectorError =>
  ConnectorError.isInstance(error) && error.kind === 'conflict'

/** Headers that make sure that the bytes are those of the listed version, or none are sent. */
export const versionHeaders = (entry: FileEntry): Record<string, string> =>
  entry.version === '' ? {} : { 'if-match': `"${entry.version}"` }

/**
 * Reads the bytes [start, end) of the listed version, in order. What breaks off goes on at the byte that it had
 * come to. Throws `conflict` when the object is another one by now.
 */
export const fetchRange = async (
  client: S3Client,
  entry: FileEntry,
  range: { readonly start: number; readonly end: number },
  options: RangeOptions,
): Promise<void> => {
  const { signal, onRetry, sink, onBytes } = options
  const context = client.context('GetObject', 's3:GetObject', entry.key)
  let position = range.start
  let onHeaders = options.onHeaders
  let conflict: ConnectorError | undefined

  const attempt = async (run: { progress(): void }): Promise<void> => {
    // It broke off behind the last byte.
    if (position === range.end) return
    const whole = position === 0 && range.end === entry.size
    const headers: Record<string, string> = {
      ...versionHeaders(entry),
      ...(whole ? {} : { range: `bytes=${position}-${range.end - 1}` }),
      ...(whole && options.checksum ? { 'x-amz-checksum-mode': 'ENABLED' } : {}),
    }
    // The ETag alone is enough while the object is the current one, and needs no s3:GetObjectVersion.
    const query = conflict && entry.versionId !== undefined ? { versionId: entry.versionId } : {}
    const drained = options.keepsNone ?? false
    const small = range.end - range.start <= smallBytes
    return client.attempt(
      { method: 'GET', headers, query, drained, small, signal },
      context,
      async (response) => {
        checkAnswer(response, entry, position, range.end, whole)
        onHeaders?.(response.headers)
        onHeaders = undefined
        const take = (chunk: Uint8Array): void | Promise<void> => {
          position += chunk.length
          client.counters.bytes += chunk.length
          run.progress()
          onBytes?.(chunk.length)
          return sink(chunk)
        }
        if (response.drain) await response.drain(take)
        else await (drained ? consumeBlocks(response.body, take) : consume(response.body, take))
        if (position < range.end) throw truncated(entry, range.end - position)
      },
    )
  }

  await client.retrying(context, { signal, onRetry }, async (run) => {
    try {
      await attempt(run)
    } catch (error) {
      const reason = asConflict(entry, error)
      // A former version of a versioned bucket is still there, for those who may read it.
      if (!isConflict(reason)) throw conflict && isPermission(reason) ? conflict : reason
      if (conflict || entry.versionId === undefined) throw conflict ?? reason
      conflict = reason
      await attempt(run).catch((second: unknown) => {
        throw isPermission(second) ? reason : second
      })
    }
  })
}

const isPermission = (error: unknown): boolean =>
  ConnectorError.isInstance(error) && error.kind === 'permission'

const checkAnswer = (
  { status, headers }: S3Response,
  entry: FileEntry,
  position: number,
  end: number,
  whole: boolean,
): void => {
  const etag = plainETag(headers.etag)
  if (etag !== '' && entry.version !== '' && etag !== entry.version)
    throw changed(entry, 'it was overwritten')
  if (whole) {
    const length = headers['content-length']
    if (length !== undefined && Number(length) !== entry.size)
      throw changed(entry, `it has ${length} bytes, not ${entry.size}`)
    return
  }
  const [, start, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
  if (status !== 206 || start === undefined)
    throw new ConnectorError('data', 'The store sent all of an object where a range was asked for.', {
      code: 'RangeIgnored',
      hint: 'Check endpoint: the store, or a proxy before it, does not know ranges.',
      place: { object: `s3://${entry.container}/${entry.key}` },
    })
  if (total !== '*' && Number(total) !== entry.size)
    throw changed(entry, `it has ${total} bytes, not ${entry.size}`)
  if (Number(start) !== position || Number(last) !== end - 1)
    throw new ConnectorError('network', 'The store sent another range than was asked for.', {
      code: 'WrongRange',
      place: { object: `s3://${entry.container}/${entry.key}` },
    })
}
