import { createReadStream } from 'node:fs'
import type { ObjectOptions, S3Upload, S3WriteAccess, S3Written, WriteConditions } from '@penstock/aws'
import type { ExportFile } from '@penstock/core'
import type { RecipientKey } from '../openpgp.ts'

/** A file whose bytes are on their way, and that nobody sees yet. */
export interface StagedFile {
  /** Its place among all files of the run. */
  readonly order: number
  readonly stream: string
  readonly key: string
  readonly rows: number
  /** Bytes as stored. */
  readonly size: number
  /** Makes the object. */
  publish(conditions: WriteConditions & { readonly signal: AbortSignal }): Promise<S3Written>
}

/** Bytes of files that wait in memory rather than in an upload: a request each instead of four. */
export interface HoldLimits {
  readonly file: number
  readonly total: number
}

/** What waits is sent in the end, and lengthens the time in which a part of the files is visible: it has to be little. */
const defaultHold: HoldLimits = { file: 8 << 20, total: 16 << 20 }

export interface StagingOptions {
  readonly access: S3WriteAccess
  readonly object: ObjectOptions
  readonly recipient: RecipientKey | undefined
  readonly signal: AbortSignal
  /** Notes an upload before its first part is sent: whoever noted it removes it after a failure. */
  readonly note: (upload: { readonly key: string; readonly uploadId: string }) => Promise<void>
  readonly hold?: HoldLimits | undefined
}

export interface StageRequest {
  readonly order: number
  readonly stream: string
  readonly key: string
  readonly file: ExportFile
  readonly onBytes: (bytes: number) => void
}

/** Sends the bytes of files. Small ones wait in memory, up to a limit. */
export const createStaging = (options: StagingOptions) => {
  const { access, object, recipient, signal, note, hold = defaultHold } = options
  let heldBytes = 0

  const held = ({ order, stream, key, file, onBytes }: StageRequest, bytes: Uint8Array): StagedFile => ({
    order,
    stream,
    key,
    rows: file.rows,
    size: bytes.length,
    publish: (conditions) => access.put(key, bytes, { ...object, ...conditions, onBytes }),
  })

  const uploaded = async (
    { order, stream, key, file }: StageRequest,
    send: (upload: S3Upload) => ReturnType<S3Upload['send']>,
  ): Promise<StagedFile> => {
    const upload = await access.startUpload(key, { ...object, signal })
    await note(upload)
    const { size } = await send(upload)
    return { order, stream, key, rows: file.rows, size, publish: (conditions) => upload.complete(conditions) }
  }

  /** Takes room for a file that waits. */
  const reserve = (bytes: number): boolean => {
    if (bytes > hold.file || heldBytes + bytes > hold.total) return false
    heldBytes += bytes
    return true
  }

  const send = async (request: StageRequest): Promise<StagedFile> => {
    const { file, onBytes } = request
    const encrypted = recipient && (() => recipient.encrypt(readBytes(file.path, signal)))
    // Encryption adds a few hundred bytes to what is held.
    if (reserve(file.size)) {
      const chunks = await Array.fromAsync(encrypted?.() ?? readBytes(file.path, signal))
      return held(request, Buffer.concat(chunks))
    }
    const source = encrypted?.() ?? { path: file.path }
    return uploaded(request, (upload) => upload.send(source, { signal, onBytes }))
  }

  return Object.freeze({ stage: send })
}

/** In pieces that keep a disk busy. */
const readBytes = (path: string, signal: AbortSignal): AsyncIterable<Uint8Array> =>
  createReadStream(path, { highWaterMark: 1 << 20, signal })
