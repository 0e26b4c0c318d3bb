import { ConnectorError } from '@penstock/core'
import type { S3SourceConfig } from './config.ts'
import { createFilter, type EntryFilter } from './filter.ts'
import { compileGlob, type Glob } from './glob.ts'
import { lastSegment, plainKey, quoted, requireInside } from './keys.ts'
import type { Selection } from './selection.ts'

/** What has to be listed for a folder or a glob. */
export interface Search {
  readonly kind: 'folder' | 'glob'
  /** Only keys that begin with it are listed. */
  readonly prefix: string
  /** Set where one level is enough: deeper keys are not even listed. */
  readonly delimiter: '/' | undefined
  /** Partitions and relative names are counted from here. */
  readonly folder: string
  /** Name of the one table, where the selection gives it by itself. */
  readonly defaultName: string | undefined
  readonly filter: EntryFilter
  /** The selection in words, for messages. */
  readonly subject: string
}

/** Explicit objects. */
export interface Objects {
  readonly kind: 'objects'
  readonly keys: readonly string[]
  readonly filter: EntryFilter
}

/** Reads a selection: what to look up or to list, and how to narrow it. Throws `config` errors; sends nothing. */
export const planSearch = (selection: Selection, config: S3SourceConfig): Search | Objects => {
  const { bucket } = config
  if (selection.object !== undefined) {
    const keys = [...new Set([selection.object].flat().map((key) => plainKey(key, bucket)))]
    for (const key of keys) {
      if (key === '')
        throw new ConnectorError('config', 'The object has no key.', {
          hint: 'Name it: --object folder/file.csv.',
        })
      requireInside(key, config)
    }
    return { kind: 'objects', keys, filter: createFilter(selection, undefined) }
  }
  if (selection.folder !== undefined) return folderSearch(selection, selection.folder, config)
  return globSearch(selection, compileGlob(plainKey(selection.glob ?? '', bucket)), config)
}

const folderSearch = (selection: Selection, text: string, config: S3SourceConfig): Search => {
  const folder = folderPrefix(text, config)
  requireInside(folder, config)
  return {
    kind: 'folder',
    prefix: folder,
    delimiter: selection.recursive ? undefined : '/',
    folder,
    defaultName: lastSegment(folder) || config.bucket,
    filter: createFilter(selection, undefined),
    subject: folder === '' ? `bucket ${config.bucket}` : `folder ${quoted(folder)}`,
  }
}

/** `orders` and `orders/` are the same folder; `/` and nothing are the top of what the connection may see. */
const folderPrefix = (text: string, config: S3SourceConfig): string => {
  const plain = plainKey(text, config.bucket)
  if (plain === '' || plain === '/') return config.prefix ?? ''
  return plain.endsWith('/') ? plain : `${plain}/`
}

const globSearch = (selection: Selection, glob: Glob, config: S3SourceConfig): Search => {
  const { prefix: confinement = '' } = config
  // `**/*.csv` on a confined connection means: all of them that it may see.
  const wider = confinement.length > glob.prefix.length && confinement.startsWith(glob.prefix)
  if (!wider) requireInside(glob.prefix, config)
  const prefix = wider ? confinement : glob.prefix
  const folder = wider ? confinement : glob.folder
  return {
    kind: 'glob',
    prefix,
    delimiter: glob.oneLevel && !wider ? '/' : undefined,
    folder,
    defaultName: lastSegment(folder) || undefined,
    filter: createFilter(selection, glob),
    subject: `glob ${quoted(glob.source)}`,
  }
}
