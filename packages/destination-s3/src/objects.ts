import type { ObjectOptions, S3Encryption, S3Head } from '@penstock/aws'
import type { S3DestinationConfig } from './config.ts'

/** Who wrote an object: kept as its metadata, so that nobody else's object is ever taken for one's own. */
export interface Author {
  readonly exportId: string
  readonly commitId: string
  /** One try of the run: another process that writes for the same run has another one. */
  readonly attempt: string
}

const authorNames = {
  exportId: 'penstock-export',
  commitId: 'penstock-run',
  attempt: 'penstock-try',
} as const

/** Metadata are ASCII. */
const ascii = (text: string): string => encodeURIComponent(text.toWellFormed())

export const authorMetadata = (author: Author): Record<string, string> => ({
  [authorNames.exportId]: ascii(author.exportId),
  [authorNames.commitId]: ascii(author.commitId),
  [authorNames.attempt]: ascii(author.attempt),
})

/** True when an object was written by this author, as far as `author` says who that is. */
export const isWrittenBy = ({ metadata }: Pick<S3Head, 'metadata'>, author: Partial<Author>): boolean =>
  Object.entries(author).every(
    ([name, value]) => metadata[authorNames[name as keyof Author]] === ascii(value),
  )

const encryptionOf = (config: S3DestinationConfig): S3Encryption | undefined => {
  const { encryption: kind, kmsKeyId: keyId, bucketKey } = config
  if (kind === undefined) return undefined
  return kind === 'sse-s3' ? { kind } : { kind, keyId, bucketKey }
}

/** Of what the destination writes for itself and for readers of the manifest: readable at once, whatever the files are. */
export const noteOptions = (config: S3DestinationConfig): ObjectOptions => ({
  contentType: 'application/json',
  acl: config.acl,
  encryption: encryptionOf(config),
})

const contentTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  jsonl: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  gz: 'application/gzip',
  zst: 'application/zstd',
  gpg: 'application/pgp-encrypted',
}

/** Of the files themselves. */
export const fileOptions = (
  config: S3DestinationConfig,
  author: Author,
  extension: string,
): ObjectOptions => ({
  contentType: config.contentType ?? contentTypes[extension.slice(extension.lastIndexOf('.') + 1)],
  contentEncoding: config.contentEncoding,
  cacheControl: config.cacheControl,
  storageClass: config.storageClass,
  acl: config.acl,
  tags: config.tags,
  encryption: encryptionOf(config),
  metadata: { ...config.metadata, ...authorMetadata(author) },
})
