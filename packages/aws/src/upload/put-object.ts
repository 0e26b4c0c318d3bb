import { ConnectorError } from '@penstock/core'
import { crcToBase64 } from '../checksum/crc.ts'
import type { S3Client } from '../s3/client.ts'
import { plainETag, versionOf } from '../s3/head.ts'
import type { LocalFileSource, PutOptions, S3Written } from '../s3/write-access.ts'
import { countedBody, memoryPayload, type Payload } from './bytes.ts'
import { conditionHeaders, objectHeaders, repeatedHeaders } from './headers.ts'
import { openSource } from './local-source.ts'
import { maxPartBytes } from './plan-parts.ts'
import { afterRace, isRace, raceAttempts } from './race.ts'
import { findWritten } from './written.ts'

const tooLarge = (size: number): ConnectorError =>
  new ConnectorError('config', `${size} bytes are more than one PutObject takes (5 GiB).`, {
    code: 'EntityTooLarge',
    hint: 'Use upload, which sends parts.',
  })

/** One PutObject of bytes or of a local file. */
export const putObject = async (
  client: S3Client,
  key: string,
  source: Uint8Array | LocalFileSource,
  options: PutOptions = {},
): Promise<S3Written> => {
  if (source instanceof Uint8Array)
    return putPayload(client, key, memoryPayload([source], client.verify), options)
  const file = await openSource(source, client)
  try {
    const range = { start: file.start, end: file.end }
    if (range.end - range.start > maxPartBytes) throw tooLarge(range.end - range.start)
    const payload = await file.payload(range, client.verify)
    return await putPayload(client, key, payload, { ...options, beforeTry: file.assertUnchanged })
  } finally {
    await file.close()
  }
}

export const putPayload = async (
  client: S3Client,
  key: string,
  payload: Payload,
  options: PutOptions & { readonly beforeTry?: () => Promise<void> },
): Promise<S3Written> => {
  const signal = client.signals(options.signal)
  const context = client.context('PutObject', 's3:PutObject', key)
  const own = objectHeaders(options)
  const headers = { ...own, ...payload.digest.headers, ...conditionHeaders(options) }
  const { body, takeBack } = countedBody(payload, options.onBytes)
  const { crc } = payload.digest
  const checksum = crc === undefined ? {} : { crc64nvme: crcToBase64('crc64nvme', crc) }
  let lostAnswer = false

  const once = async (): Promise<S3Written> => {
    await options.beforeTry?.()
    return client.attempt({ method: 'PUT', headers, body, signal }, context, async (response) => {
      await response.body.dump()
      return {
        key,
        etag: plainETag(response.headers.etag),
        ...versionOf(response.headers['x-amz-version-id']),
        size: payload.length,
        ...checksum,
      }
    })
  }

  const attempt = async (): Promise<S3Written> => {
    for (let race = 1; ; race++) {
      try {
        return await once()
      } catch (error) {
        if (!isRace(error) || race === raceAttempts) throw error
        await afterRace(race, signal)
      }
    }
  }

  try {
    return await client.retrying(context, { signal, onRetry: options.onRetry }, async () => {
      try {
        return await attempt()
      } catch (error) {
        // A condition that fails after an answer was lost may fail because of what was written then.
        if (lostAnswer && ConnectorError.isInstance(error) && error.kind === 'conflict') {
          const written = await findWritten(client, key, {
            size: payload.length,
            crc,
            md5: payload.digest.headers['content-md5'],
            headers: repeatedHeaders(own),
            signal,
          })
          if (written) return written
        }
        lostAnswer ||= ConnectorError.isInstance(error) && error.kind === 'network'
        throw error
      }
    })
  } catch (error) {
    takeBack()
    throw error
  }
}
