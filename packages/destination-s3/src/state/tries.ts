import type { S3OpenUpload, S3WriteAccess } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import { eachOf, requestsAtOnce } from '../each.ts'
import { isWrittenBy } from '../objects.ts'
import {
  type Begin,
  beginSchema,
  keysSchema,
  type NoteKeys,
  type UploadNote,
  uploadSchema,
} from './documents.ts'
import { isMissing, keysBelow, readNote } from './notes.ts'

/** A try of a run that wrote notes and did not get to remove them. */
export interface OpenTry {
  /** Its folder of notes. */
  readonly folder: string
  readonly notes: readonly string[]
  readonly begin: Begin | undefined
}

/** Tries that have notes, by run. */
export async function* openTries(
  access: S3WriteAccess,
  keys: NoteKeys,
  signal: AbortSignal,
): AsyncGenerator<OpenTry> {
  const folders = new Map<string, string[]>()
  for await (const key of keysBelow(access, keys.pending, signal)) {
    const folder = key.slice(0, key.indexOf('/', keys.pending.length) + 1)
    folders.set(folder, [...(folders.get(folder) ?? []), key])
  }
  for (const [folder, notes] of folders) {
    const begin = await readNote(access, `${folder}begin.json`, beginSchema, signal)
    yield { folder, notes, begin: begin?.content }
  }
}

const isNamed = (note: string, name: string): boolean =>
  note.slice(note.lastIndexOf('/') + 1).startsWith(name)

/** Uploads in parts that a try had begun: those that it noted, and those that only their key tells. */
export const uploadsOf = async (
  access: S3WriteAccess,
  { notes, begin }: OpenTry,
  signal: AbortSignal,
): Promise<readonly (UploadNote & { readonly initiated?: number })[]> => {
  const noted = new Map<string, UploadNote>()
  await eachOf(
    notes.filter((note) => isNamed(note, 'upload-')),
    requestsAtOnce,
    async (note) => {
      const upload = await readNote(access, note, uploadSchema, signal)
      if (upload) noted.set(upload.content.uploadId, upload.content)
    },
  )
  const found = begin ? await unnotedUploads(access, begin, noted, signal) : []
  return [...noted.values(), ...found]
}

/** How far the clock of the machine may be ahead of that of S3, in milliseconds. */
const clockToleranceMs = 15 * 60_000

/**
 * Uploads of a run's keys that nobody noted. Between CreateMultipartUpload and the note of its id a process can die, and
 * an answer can get lost. Such an upload has no parts yet, by which it is told from one that somebody else sends.
 * Without s3:ListBucketMultipartUploads, which older policies lack, they stay, empty.
 */
export const unnotedUploads = async (
  access: S3WriteAccess,
  begin: Pick<Begin, 'started' | 'folders' | 'patterns'>,
  noted: { has(uploadId: string): boolean },
  signal: AbortSignal,
): Promise<readonly S3OpenUpload[]> => {
  const patterns = begin.patterns.map((pattern) => new RegExp(pattern, 'u'))
  const since = Date.parse(begin.started) - clockToleranceMs
  const found: S3OpenUpload[] = []
  try {
    for (const prefix of begin.folders)
      for await (const uploads of access.listUploads({ prefix, signal }))
        for (const upload of uploads) {
          const { key, uploadId, initiated } = upload
          if (initiated < since || noted.has(uploadId)) continue
          if (!patterns.some((pattern) => pattern.test(key))) continue
          if ((await partsOf(access, key, uploadId, signal))?.count === 0) found.push(upload)
        }
  } catch (error) {
    if (!mayNotList(error)) throw error
  }
  return found
}

const mayNotList = (error: unknown): boolean =>
  ConnectorError.isInstance(error) && (error.kind === 'permission' || error.code === 'NotImplemented')

/** Parts of an upload, and their bytes; undefined when it is gone. */
export const partsOf = async (
  access: S3WriteAccess,
  key: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<{ readonly count: number; readonly size: number } | undefined> => {
  let count = 0
  let size = 0
  try {
    for await (const parts of access.listParts(key, uploadId, { signal })) {
      count += parts.length
      for (const part of parts) size += part.size
    }
    return { count, size }
  } catch (error) {
    if (ConnectorError.isInstance(error) && error.code === 'NoSuchUpload') return undefined
    throw error
  }
}

/** Objects that a try has made visible, and that nobody wrote since. */
export const visibleFilesOf = async (
  access: S3WriteAccess,
  { notes, begin }: OpenTry,
  exportId: string,
  signal: AbortSignal,
): Promise<readonly { readonly key: string; readonly size: number; readonly modified: number }[]> => {
  const files: { key: string; size: number; modified: number }[] = []
  if (!begin) return files
  const author = { exportId, commitId: begin.commitId }
  for (const note of notes.filter((name) => isNamed(name, 'keys-'))) {
    const keys = (await readNote(access, note, keysSchema, signal))?.content.keys ?? []
    await eachOf(keys, requestsAtOnce, async (key) => {
      const head = await headOf(access, key, signal)
      if (head && isWrittenBy(head, author))
        files.push({ key, size: head.entry.size, modified: head.entry.modified })
    })
  }
  return files
}

/** An object, or undefined where there is none. */
export const headOf = (access: S3WriteAccess, key: string, signal: AbortSignal) =>
  access.head(key, { signal }).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
