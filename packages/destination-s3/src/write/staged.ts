import { createReadStream } from 'node:fs'
import type { ObjectOptions, S3Upload, S3WriteAccess, S3Written, WriteConditions } from '@penstock/aws'
import type { FileGrowth, GrowingFile } from '@penstock/core'
import type { RecipientKey } from '../openpgp.ts'
import { readGrowing } from './growing.ts'

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
  readonly file: GrowingFile
  /** What {@link Staging.look} has told of it. */
  readonly growth: FileGrowth
  readonly onBytes: (bytes: number) => void
}

export interface Staging {
  /** Waits until a file is complete, or too large to wait in memory. */
  look(file: GrowingFile): Promise<FileGrowth>
  stage(request: StageRequest): Promise<StagedFile>
}

/** Sends the bytes of files. Small ones wait in memory, up to a limit; large ones are sent while they are written. */
export const createStaging = (options: StagingOptions): Staging => {
  const { access, object, recipient, signal, note, hold = defaultHold } = options
  let heldBytes = 0

  const held = async (request: StageRequest, bytes: Uint8Array): Promise<StagedFile> => {
    const { order, stream, key, file, onBytes } = request
    const { rows } = await file.finished
    return {
      order,
      stream,
      key,
      rows,
      size: bytes.length,
      publish: (conditions) => access.put(key, bytes, { ...object, ...conditions, onBytes }),
    }
  }

  const uploaded = async (
    { order, stream, key, file }: StageRequest,
    send: (upload: S3Upload) => ReturnType<S3Upload['send']>,
  ): Promise<StagedFile> => {
    const upload = await access.startUpload(key, { ...object, signal })
    await note(upload)
    const { size } = await send(upload)
    const { rows } = await file.finished
    return { order, stream, key, rows, size, publish: (conditions) => upload.complete(conditions) }
  }

  /** Takes room for a file that waits. */
  const reserve = (bytes: number): boolean => {
    if (bytes > hold.file || heldBytes + bytes > hold.total) return false
    heldBytes += bytes
    return true
  }

  const stage = async (request: StageRequest): Promise<StagedFile> => {
    const { file, growth, onBytes } = request
    const { path } = file
    // What is complete keeps a disk busy; what grows is looked at in turns.
    const read = () =>
      growth.complete ? createReadStream(path, { highWaterMark: 1 << 20, signal }) : readGrowing(file, signal)
    const encrypted = recipient && (() => recipient.encrypt(read()))
    // Encryption adds a few hundred bytes to what is held.
    if (growth.complete && reserve(growth.bytes))
      return held(request, Buffer.concat(await Array.fromAsync(encrypted?.() ?? read())))
    const source = encrypted?.() ?? (growth.complete ? { path } : { path, grown: file.grown })
    return uploaded(request, (upload) => upload.send(source, { signal, onBytes }))
  }

  return Object.freeze({ look: (file: GrowingFile) => file.grown(hold.file, signal), stage })
}
