import { ConnectorError } from '@penstock/core'
import type { S3SourceConfig } from './config.ts'

/** `a/b/` of `a/b/c.csv`; empty at the top. */
export const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1)

/** Last segment that is not empty: `b` of `a/b/`, `a//b` or `a/b`. */
export const lastSegment = (key: string): string => key.split('/').findLast((segment) => segment !== '') ?? ''

/** A key as people see it in a message: quoted, with what can't be printed escaped. */
export const quoted = (key: string): string => JSON.stringify(key)

/** What a user writes for a key or a prefix: `s3://bucket/` in front is taken off. */
export const plainKey = (text: string, bucket: string): string => {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text)
  if (!match) return text
  const [, named, rest = ''] = match
  if (named === bucket) return rest
  throw new ConnectorError(
    'config',
    `${quoted(text)} is in bucket ${named}, and the connection is for ${bucket}.`,
    {
      code: 'OtherBucket',
      hint: `Use a connection for bucket ${named}.`,
    },
  )
}

/** Throws a `config` error for what lies outside the prefix that the connection is confined to. */
export const requireInside = (prefix: string, config: Pick<S3SourceConfig, 'prefix'>): void => {
  if (config.prefix === undefined || prefix.startsWith(config.prefix)) return
  throw new ConnectorError(
    'config',
    `${quoted(prefix)} lies outside of ${quoted(config.prefix)}, which the connection is confined to.`,
    {
      code: 'OutsidePrefix',
      hint: 'Name whole keys, from the top of the bucket, or change prefix of the connection.',
    },
  )
}

/**
 * What is no data: folder markers, which consoles make so that an empty folder shows, Spark's `_SUCCESS`, and what an
 * export of Penstock writes beside its files: its notes and its manifests.
 */
export const isMarker = (entry: { readonly key: string; readonly size: number }): boolean =>
  entry.size === 0
    ? entry.key.endsWith('/') || entry.key.endsWith('/_SUCCESS') || entry.key === '_SUCCESS'
    : isExportNote(entry.key)

/** `.penstock/...` and `manifest-DESTINATION-20260418-093000-5f3a9c.json`. */
export const isExportNote = (key: string): boolean =>
  /(^|\/)\.penstock\//.test(key) || /(^|\/)manifest-[^/]+-\d{8}-\d{6}-[0-9a-f]{6}\.json$/.test(key)
