import type { ObjectOptions, S3WriteAccess } from '@penstock/aws'
import { accessOf } from '../access.ts'
import type { S3Context } from '../config.ts'
import { stateRoot } from '../names.ts'
import { authorMetadata, noteOptions } from '../objects.ts'
import { type NoteKeys, noteKeys } from './documents.ts'

/** The notes of one export, and how to get at them. */
export interface Store {
  readonly access: S3WriteAccess
  readonly keys: NoteKeys
  readonly exportId: string
  /** Of the notes and of the manifest. */
  readonly object: ObjectOptions
  readonly clock: () => Date
  readonly notice: (message: string) => void
  metadata(author: { readonly commitId: string; readonly attempt: string }): Record<string, string>
}

export const storeOf = (
  context: S3Context,
  exportId: string,
  access: S3WriteAccess = accessOf(context),
): Store =>
  Object.freeze<Store>({
    access,
    keys: noteKeys(stateRoot(context.config), exportId),
    exportId,
    object: noteOptions(context.config),
    clock: context.clock,
    notice: context.notice,
    metadata: ({ commitId, attempt }) => authorMetadata({ exportId, commitId, attempt }),
  })
