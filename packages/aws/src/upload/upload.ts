import { ConnectorError, toConnectorError } from '@penstock/core'
import type { S3Client } from '../s3/client.ts'
import type { ObjectOptions, S3Written, UploadOptions, UploadSource } from '../s3/write-access.ts'
import { memoryPayload } from './bytes.ts'
import { knownParts } from './known-parts.ts'
import { type LocalSource, openSource } from './local-source.ts'
import { createUpload, type SentPart } from './multipart.ts'
import { orAborted } from './or-aborted.ts'
import { singlePutBytes, streamPartSize } from './plan-parts.ts'
import { putPayload } from './put-object.ts'
import { afterRace, isRace, raceAttempts } from './race.ts'
import { isStream, type UploadSession, uploadSession } from './session.ts'
import { readSmall } from './small-source.ts'

/** Begins an upload in parts. */
export const startUpload = async (
  client: S3Client,
  key: string,
  options: ObjectOptions & { readonly signal?: AbortSignal | undefined },
): Promise<UploadSession> => {
  const signal = client.signals(options.signal)
  return uploadSession(client, await createUpload(client, key, options, signal), client.signal)
}

/** Uploads in one request or in parts, whichever the size asks for. */
export const uploadObject = async (
  client: S3Client,
  key: string,
  source: UploadSource,
  options: UploadOptions = {},
): Promise<S3Written> => {
  if (isStream(source)) return uploadStream(client, key, source, options)
  if (source instanceof Uint8Array) {
    if (source.length <= singlePutBytes)
      return putPayload(client, key, memoryPayload([source], client.verify), options)
    return inPartsAgain(client, key, options, (session, counted) => session.send(source, counted))
  }
  const small = readSmall(source)
  if (small) {
    const payload = memoryPayload([small.bytes], client.verify)
    return putPayload(client, key, payload, { ...options, beforeTry: small.assertUnchanged })
  }
  const file = await openSource(source, client)
  try {
    return await uploadFile(client, key, file, options)
  } finally {
    await file.close()
  }
}

const uploadFile = async (
  client: S3Client,
  key: string,
  file: LocalSource,
  options: UploadOptions,
): Promise<S3Written> => {
  const { start, end } = file
  if (end - start <= singlePutBytes) {
    const payload = await file.payload({ start, end }, client.verify)
    return putPayload(client, key, payload, { ...options, beforeTry: file.assertUnchanged })
  }
  return inPartsAgain(client, key, options, async (session, counted, known) => {
    await session.sendFile(file, counted, known)
    await file.assertUnchanged()
  })
}

/** A stream is uploaded in one request when it ends before it fills a part. */
const uploadStream = async (
  client: S3Client,
  key: string,
  stream: AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<S3Written> => {
  const chunks = stream[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let gathered = 0
  const signal = client.signals(options.signal)
  while (gathered < streamPartSize(0)) {
    const { done, value } = await orAborted(chunks.next(), signal).catch((error: unknown) => {
      throw toConnectorError(error)
    })
    if (done) return putPayload(client, key, memoryPayload(first, client.verify), options)
    first.push(value)
    gathered += value.length
  }
  const all = { [Symbol.asyncIterator]: () => resumed(first, chunks) }
  return inParts(client, key, options, (session) => session.send(all, options))
}

/** What was taken already, then the rest. */
async function* resumed(
  first: Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* first.splice(0)
    for (;;) {
      const { done, value } = await rest.next()
      if (done) return
      yield value
    }
  } finally {
    await rest.return?.()
  }
}

/**
 * Uploads what can be sent more than once. Where another request gets in the way of the completion, the upload is worth
 * nothing any more: a new one is begun.
 */
const inPartsAgain = async (
  client: S3Client,
  key: string,
  options: UploadOptions,
  send: (
    session: UploadSession,
    options: UploadOptions,
    known?: ReadonlyMap<number, SentPart>,
  ) => Promise<unknown>,
): Promise<S3Written> => {
  let given = options
  for (let race = 1; ; race++) {
    let sent = 0
    const counted: UploadOptions = {
      ...given,
      onBytes: (bytes) => {
        sent += bytes
        options.onBytes?.(bytes)
      },
    }
    try {
      return await inParts(client, key, given, (session, known) => send(session, counted, known))
    } catch (error) {
      if (!isRace(error) || race === raceAttempts) throw error
      options.onBytes?.(-sent)
      const { resume: _, ...rest } = options
      given = rest
      await afterRace(race, client.signals(options.signal))
    }
  }
}

const inParts = async (
  client: S3Client,
  key: string,
  options: UploadOptions,
  send: (session: UploadSession, known?: ReadonlyMap<number, SentPart>) => Promise<unknown>,
): Promise<S3Written> => {
  const signal = client.signals(options.signal)
  const { resume } = options
  const known = resume === undefined ? undefined : await knownParts(client, key, resume, options)
  const session =
    resume !== undefined && known
      ? uploadSession(client, { key, uploadId: resume, headers: known.headers }, client.signal)
      : await startUpload(client, key, options)
  try {
    await options.onStarted?.(session.uploadId)
    await send(session, known?.parts)
    const { ifMatch, ifNoneMatch } = options
    return await session.complete({ ifMatch, ifNoneMatch, signal })
  } catch (error) {
    if (options.keepParts && isResumable(error)) throw error
    await session.abort().catch((failure: unknown) => {
      throw leftBehind(error, failure, session.uploadId)
    })
    throw error
  }
}

/** The parts are worth nothing after an error that comes again, or when the source is another one by now. */
const isResumable = (error: unknown): boolean =>
  ConnectorError.isInstance(error) &&
  ['network', 'throttled', 'auth', 'cancelled', 'resource'].includes(error.kind)

const leftBehind = (error: unknown, failure: unknown, uploadId: string): unknown => {
  if (!ConnectorError.isInstance(error)) return error
  const why = ConnectorError.isInstance(failure) ? failure.message : String(failure)
  return new ConnectorError(error.kind, error.message, {
    hint: `${error.hint ?? ''} The parts of upload ${uploadId} are still there, as they could not be removed: ${why}`.trim(),
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.place === undefined ? {} : { place: error.place }),
    cause: error.cause,
  })
}
