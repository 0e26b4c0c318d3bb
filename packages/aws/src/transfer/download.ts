import { rmSync } from 'node:fs'
import { type FileHandle, rm } from 'node:fs/promises'
import { type ByteRange, ConnectorError, type FileEntry } from '@penstock/core'
import { type ExpectedChecksum, expectedChecksum } from '../checksum/expected.ts'
import type { DownloadOptions } from '../s3/access.ts'
import { fetchRange } from './fetch-range.ts'
import { type FilePlace, putInPlace } from './file-writing.ts'
import { type Journal, openJournal } from './journal.ts'
import { fileError, openForWriting } from './local-file.ts'
import { type PartOptions, type TransferContext, verifiedPart } from './part.ts'
import { checkedSink } from './range-sink.ts'
import { parallelRanges, planRanges } from './ranges.ts'
import { fetchChecksum, mismatch } from './verify.ts'
import { wholeCheck } from './whole-check.ts'

/** Objects up to this size are held in memory and written at once. */
const memoryBytes = 256 * 1024

/**
 * Writes the listed version of an object to a file: in parallel ranges, verified against its checksum or ETag.
 * Wrong bytes are fetched once more, then it is a `data` error. After a failure there is no file, unless `resume` is
 * set and some ranges are there: then a second call goes on with them.
 */
export const downloadObject = async (
  context: TransferContext,
  entry: FileEntry,
  path: string,
  options: DownloadOptions,
): Promise<void> => {
  const connection = context.client.signals(options.signal)
  if (entry.size <= memoryBytes) {
    const range = { start: 0, end: entry.size }
    const { client } = context
    const part =
      entry.size === 0
        ? undefined
        : await verifiedPart(context, entry, range, { ...options, signal: connection }, client.verify)
    await context.writers.small({ path, bytes: joined(part?.chunks ?? []), place: options.place })
    return
  }
  const stop = new AbortController()
  const signal = AbortSignal.any([connection, stop.signal])
  const ranges = planRanges(entry.size)
  const journal = options.resume && ranges.length > 1 ? openJournal(path, entry, ranges.length) : undefined
  const file = await openForWriting(path, journal && journal.done.size > 0 ? 'r+' : 'w')
  let complete = false
  let worthless = journal === undefined
  try {
    await verifiedTransfer(context, entry, { file, path, ranges, journal }, { ...options, signal }, stop)
    complete = true
  } catch (error) {
    worthless ||= ConnectorError.isInstance(error) && ['data', 'conflict', 'not-found'].includes(error.kind)
    throw error
  } finally {
    await file.close().catch((error: unknown) => {
      // Some file systems report a full disk only now.
      if (complete) throw fileError(error, path)
    })
    if (complete || worthless) journal?.remove()
    if (!complete && worthless) await rm(path, { force: true })
  }
  if (options.place) moveTo(options.place, path)
}

const moveTo = (place: FilePlace, path: string): void => {
  try {
    putInPlace(path, place)
  } catch (error) {
    rmSync(path, { force: true })
    throw fileError(error, place.path)
  }
}

/** Chunks in a buffer of their own. */
const joined = (chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

interface Target {
  readonly file: FileHandle
  readonly path: string
  readonly ranges: readonly ByteRange[]
  readonly journal: Journal | undefined
}

const verifiedTransfer = async (
  context: TransferContext,
  entry: FileEntry,
  target: Target,
  options: PartOptions,
  stop: AbortController,
): Promise<void> => {
  for (let again = false; ; again = true) {
    const wrong = await transfer(context, entry, target, options, stop)
    if (!wrong) return
    options.onBytes?.(-entry.size)
    if (again) throw mismatch(entry, wrong)
    target.journal?.restart()
  }
}

/** One pass over the object. Gives the checksum that the bytes do not have, or undefined when all is well. */
const transfer = async (
  context: TransferContext,
  entry: FileEntry,
  target: Target,
  options: PartOptions,
  stop: AbortController,
): Promise<ExpectedChecksum | undefined> => {
  const { client } = context
  const { ranges, journal } = target
  const single = ranges.length === 1
  const answered = Promise.withResolvers<ExpectedChecksum | undefined>()
  if (!client.verify) answered.resolve(undefined)
  else if (!single) answered.resolve(fetchChecksum(client, entry, options.signal))
  const { hashing } = context
  const check = wholeCheck({ hashing, entry, path: target.path, ranges, expected: answered.promise })
  answered.promise.catch((error: unknown) => stop.abort(error))
  let next = 0

  const lane = async (): Promise<void> => {
    for (let index = next++; index < ranges.length; index = next++) {
      const range = ranges[index] as ByteRange
      const part = check.range(index)
      if (journal?.done.has(index)) {
        part.done(journal.done.get(index))
        options.onBytes?.(range.end - range.start)
        continue
      }
      const sink = checkedSink(
        context.writers,
        { descriptor: target.file.fd, path: target.path },
        range,
        part,
      )
      try {
        await fetchRange(client, entry, range, {
          ...options,
          checksum: client.verify,
          ...(single
            ? { onHeaders: (headers) => answered.resolve(expectedChecksum(headers, entry.version)) }
            : {}),
          sink: sink.write,
          keepsNone: true,
        })
      } catch (error) {
        sink.cancel()
        throw error
      }
      const crc = await sink.end()
      part.done(crc)
      journal?.record(index, crc)
    }
  }

  try {
    const lanes = Math.min(parallelRanges, context.concurrency, ranges.length)
    const settled = await Promise.allSettled(
      Array.from({ length: lanes }, () =>
        lane().catch((error: unknown) => {
          stop.abort(error)
          throw error
        }),
      ),
    )
    const failed = settled.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    return await check.finish()
  } catch (error) {
    check.cancel()
    throw error
  }
}
