import { type ByteRange, ConnectorError, type TransferOptions, toConnectorError } from '@penstock/core'
import type { S3Client } from '../s3/client.ts'
import type { GrowingFileSource, S3Upload, S3Written, UploadSource } from '../s3/write-access.ts'
import { memoryPayload, type Payload } from './bytes.ts'
import { completeUpload } from './complete.ts'
import { growingSource } from './growing-source.ts'
import { type LocalSource, openSource } from './local-source.ts'
import { abortUpload, type OpenUpload, type SentPart, sendPart } from './multipart.ts'
import { orAborted } from './or-aborted.ts'
import { maxParts, parallelParts, planParts, streamPartSize } from './plan-parts.ts'
import { partsOfStream } from './stream-parts.ts'

/** Memory that the parts of a stream take together; two are held all the same when they are larger. */
const streamMemoryBytes = 128 << 20

export const isStream = (source: UploadSource | GrowingFileSource): source is AsyncIterable<Uint8Array> =>
  Symbol.asyncIterator in source

/** An upload in parts, from the moment it was begun. */
export interface UploadSession extends S3Upload {
  /** Sends a local file; parts that `known` has with the same checksum are not sent again. */
  sendFile(
    file: LocalSource,
    options: TransferOptions,
    known?: ReadonlyMap<number, SentPart>,
  ): Promise<{ size: number; parts: number }>
}

/** A part to be sent; undefined at the end. Asked for one after another. */
type NextPart = () => Promise<{ readonly number: number; readonly payload: Payload } | undefined>

export const uploadSession = (
  client: S3Client,
  upload: OpenUpload,
  /** Aborts with the connection; the clean-up goes on without it. */
  connection: AbortSignal,
): UploadSession => {
  const sent: SentPart[] = []
  let used = false

  /** Runs so many lanes; the first failure stops the others. */
  const inLanes = async (
    lanes: number,
    options: TransferOptions,
    lane: (signal: AbortSignal) => Promise<void>,
  ): Promise<{ size: number; parts: number }> => {
    if (used)
      throw new ConnectorError('internal', `The bytes of ${upload.key} were sent already.`, {
        code: 'UploadUsed',
      })
    used = true
    const stop = new AbortController()
    const signals = [connection, stop.signal]
    if (options.signal) signals.push(options.signal)
    const signal = AbortSignal.any(signals)
    await Promise.all(
      Array.from({ length: lanes }, () => lane(signal).catch((error: unknown) => stop.abort(error))),
    )
    // The first failure; those of the other lanes come of it.
    if (stop.signal.aborted) throw toConnectorError(stop.signal.reason)
    sent.sort((a, b) => a.number - b.number)
    return { size: sent.reduce((sum, part) => sum + part.size, 0), parts: sent.length }
  }

  const sendFile: UploadSession['sendFile'] = (file, options, known = new Map()) => {
    const ranges = planParts(file.end - file.start)
    let next = 0
    return inLanes(Math.min(parallelParts, ranges.length), options, async (signal) => {
      for (let index = next++; index < ranges.length; index = next++) {
        const range = ranges[index] as ByteRange
        const absolute = { start: file.start + range.start, end: file.start + range.end }
        const payload = await file.payload(absolute, client.verify)
        const former = known.get(index + 1)
        if (former && isSame(former, payload)) {
          options.onBytes?.(payload.length)
          payload.release?.()
          sent.push(former)
          continue
        }
        const part = await sendPart(client, upload, index + 1, payload, {
          ...options,
          signal,
          beforeTry: file.assertUnchanged,
        })
        payload.release?.()
        sent.push(part)
      }
    })
  }

  /** Sends parts of which nobody knows how many they will be; `memoryBytes` limits how many are under way. */
  const sendParts = (
    parts: AsyncGenerator<Payload, void, undefined>,
    memoryBytes: number,
    options: TransferOptions,
  ): Promise<{ size: number; parts: number }> => {
    let index = 0
    let turn: Promise<unknown> = Promise.resolve()
    let busy = 0
    const next: NextPart = () => {
      const mine = turn.then(async () => {
        const { done, value: payload } = await parts.next()
        if (done) return undefined
        if (index === maxParts) throw tooLong(upload.key)
        index++
        return { number: index, payload }
      })
      turn = mine.catch(() => undefined)
      return mine
    }
    return inLanes(parallelParts, options, async (signal) => {
      // Later parts are larger: lanes end, so that those that go on stay within the memory.
      while (busy === 0 || (busy + 1) * streamPartSize(index) <= memoryBytes) {
        busy++
        const part = await orAborted(next(), signal)
        if (part) {
          sent.push(await sendPart(client, upload, part.number, part.payload, { ...options, signal }))
          part.payload.release?.()
        }
        busy--
        if (!part) return
      }
    }).finally(() => {
      // Not waited for: a pipe that is silent would hold up the end.
      void parts.return(undefined).catch(() => {})
    })
  }

  const sendStream = (stream: AsyncIterable<Uint8Array>, options: TransferOptions) =>
    sendParts(inMemory(partsOfStream(stream, streamPartSize), client.verify), streamMemoryBytes, options)

  const sendGrowing = async (source: GrowingFileSource, options: TransferOptions) => {
    const file = growingSource(source, client)
    const ended = new AbortController()
    const signal = AbortSignal.any([client.signals(options.signal), ended.signal])
    try {
      // Its large parts are not held in memory.
      const result = await sendParts(file.parts(streamPartSize, signal), Number.POSITIVE_INFINITY, options)
      await file.assertUnchanged()
      return result
    } finally {
      ended.abort()
      await file.close()
    }
  }

  const send: S3Upload['send'] = async (source, options = {}) => {
    if (isStream(source)) return sendStream(source, options)
    if ('grown' in source) return sendGrowing(source, options)
    if (source instanceof Uint8Array) return sendStream(once(source), options)
    const file = await openSource(source, client)
    try {
      const result = await sendFile(file, options)
      await file.assertUnchanged()
      return result
    } finally {
      await file.close()
    }
  }

  return Object.freeze({
    key: upload.key,
    uploadId: upload.uploadId,
    send,
    sendFile,
    complete: ({ signal, ...conditions } = {}): Promise<S3Written> =>
      completeUpload(client, upload, sent, { ...conditions, signal: client.signals(signal) }),
    // Cleaning up is what an abort asks for: it does not listen to it.
    abort: () => abortUpload(client, upload, AbortSignal.timeout(cleanUpMs)),
  } satisfies UploadSession)
}

/** Time for the clean-up after a failure or an abort. */
const cleanUpMs = 10_000

async function* inMemory(
  parts: AsyncIterable<readonly Uint8Array[]>,
  verify: boolean,
): AsyncGenerator<Payload, void, undefined> {
  for await (const chunks of parts) yield memoryPayload(chunks, verify)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const isSame = (part: SentPart, { length, digest }: Payload): boolean =>
  part.size === length &&
  (digest.crc === undefined
    ? Buffer.from(digest.headers['content-md5'] ?? '', 'base64').toString('hex') === part.etag
    : part.crc === digest.crc)

const tooLong = (key: string): ConnectorError =>
  new ConnectorError('config', `The stream is longer than ${key} can be.`, {
    code: 'EntityTooLarge',
    hint: 'Split it: an object has at most 10,000 parts.',
  })
