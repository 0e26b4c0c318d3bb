import type { ByteRange, FileEntry, RemoteFile, TransferOptions } from '@penstock/core'
import type { AwsAuthentication, AwsCredentials } from '../auth/authentication.ts'
import type { S3ConnectionConfig } from '../connection/fields.ts'
import type { RetryOptions } from '../http/retry.ts'
import type { FilePlace } from '../transfer/file-writing.ts'

/** An object as a listing tells it. */
export interface S3Entry extends FileEntry {
  /** `GLACIER`, `DEEP_ARCHIVE` ...; absent for STANDARD. Archived objects can't be read before they are restored. */
  readonly storageClass?: string
}

export interface S3ListOptions {
  /** Only keys that begin with it. Default: all. */
  readonly prefix?: string | undefined
  /** Keys that have it behind the prefix are rolled up into `prefixes`. */
  readonly delimiter?: string | undefined
  /** Only keys after this one, in UTF-8 byte order. */
  readonly startAfter?: string | undefined
  /** Keys of a page, 1 to 1,000 (default). */
  readonly pageSize?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** One answer of ListObjectsV2, at most 1,000 entries and prefixes together. */
export interface S3Page {
  readonly entries: readonly S3Entry[]
  readonly prefixes: readonly string[]
}

export interface S3Head {
  readonly entry: S3Entry
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly contentDisposition?: string
  readonly contentLanguage?: string
  readonly cacheControl?: string
  /** When caches shall ask again, as it was given. */
  readonly expires?: string
  /** `AES256`, `aws:kms`, `aws:kms:dsse`; the key with the latter two. */
  readonly encryption?: string
  readonly kmsKeyId?: string
  /** Checksum that S3 keeps, as `CRC64NVME:base64`; asked for with `checksum`. */
  readonly checksum?: string
  /** Number of tags. */
  readonly tags?: number
  /** True for an archived object of which a readable copy exists for the time being. */
  readonly restored?: boolean
  /** Object metadata set by the user, names in lower case without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface HeadOptions {
  readonly signal?: AbortSignal
  readonly versionId?: string
  /** Ask for the checksum: needs kms:Decrypt where objects are encrypted with a key of KMS. */
  readonly checksum?: boolean
}

export interface S3Owner {
  readonly id?: string
  readonly displayName?: string
}

export interface S3Acl {
  readonly owner: S3Owner
  readonly grants: readonly { readonly grantee: string; readonly permission: string }[]
}

export interface AwsIdentity {
  readonly account: string
  readonly arn: string
  readonly userId: string
}

/** Counts since the connection was opened. */
export interface S3Stats {
  /** Requests that were sent, retries included. */
  readonly requests: number
  readonly retries: number
  /** Bytes of object bodies that arrived. */
  readonly bytes: number
  /** Answers that asked to slow down. */
  readonly throttled: number
  /** Server's clock minus local clock, once a request was refused for it; else 0. */
  readonly clockOffsetMs: number
}

/** A request that was sent, for tests and traces. It holds no header. */
export interface S3RequestEvent {
  readonly operation: string
  readonly method: string
  readonly key?: string
  /** Absent when no answer came. */
  readonly status?: number
}

export interface OpenS3Options {
  readonly config: S3ConnectionConfig
  readonly auth: AwsAuthentication
  /** `read-only`: anything but Get, Head and List is refused before it is sent. */
  readonly access: 'read-only' | 'read-write'
  readonly signal: AbortSignal
  readonly clock: () => Date
  /** Requests in flight at most. Default 32, and 96 more that read up to 256 KiB of an object. */
  readonly concurrency?: number
  readonly onRequest?: (event: S3RequestEvent) => void
  /** Told once for each thing that the user should know and that stops nothing. */
  readonly notice?: ((message: string) => void) | undefined
  readonly retry?: RetryOptions
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes at most; 1 GiB when absent. */
  readonly maxBytes?: number
  /** Called with the version whose bytes are given. */
  readonly onEntry?: (entry: S3Entry) => void
}

/** One bucket, opened. All functions throw ConnectorErrors. */
export interface S3Access {
  readonly bucket: string
  readonly region: string
  /** Endpoint of an S3-compatible store; undefined for AWS. */
  readonly endpoint: string | undefined
  /** Pages in key order (UTF-8 bytes). Folder markers (`a/`, 0 bytes) are entries like others. */
  list(options?: S3ListOptions): AsyncIterable<S3Page>
  /** Throws `not-found` when there is no such object. */
  head(key: string, options?: HeadOptions): Promise<S3Head>
  /** Tags of an object, by name. */
  tags(
    key: string,
    options?: { readonly signal?: AbortSignal; readonly versionId?: string },
  ): Promise<Readonly<Record<string, string>>>
  file(entry: FileEntry): S3File
  /**
   * All bytes of an object whose size nobody knows, in one request. Throws `not-found` when there is no such object,
   * `resource` when it is larger than allowed.
   */
  fetch(key: string, options?: FetchOptions): Promise<Uint8Array>
  /** Region that the bucket is in. */
  location(options?: { signal?: AbortSignal }): Promise<string>
  acl(options?: { signal?: AbortSignal }): Promise<S3Acl>
  /** Throws when the bucket isn't there, isn't in this region, or may not be listed. */
  headBucket(options?: { signal?: AbortSignal }): Promise<{ readonly region?: string }>
  /** Who the credentials are, by STS; undefined for anonymous access and at an endpoint without `stsEndpoint`. */
  identity(options?: { signal?: AbortSignal }): Promise<AwsIdentity | undefined>
  /** Resolves the credentials now: fails as the first request would. Undefined for anonymous access. */
  credentials(): Promise<AwsCredentials | undefined>
  stats(): S3Stats
  /** Closes all sockets; requests in flight fail. */
  close(): Promise<void>
}

export interface DownloadOptions extends TransferOptions {
  /**
   * Goes on with what a former call has left at this path, and leaves what it has when it is cut off: the file and
   * its journal. For objects of several ranges (above 8 MiB).
   */
  readonly resume?: boolean
  /** Once it is whole it goes there in one step, over what is there. */
  readonly place?: FilePlace
}

/** {@link RemoteFile} of an object: `download` is always there. */
export interface S3File extends RemoteFile {
  read(range?: ByteRange, options?: TransferOptions): AsyncIterable<Uint8Array>
  download(path: string, options?: DownloadOptions): Promise<void>
  /**
   * Whether a local file has the bytes of the object, by its checksum or ETag; undefined where S3 keeps none of the
   * whole. Costs a HeadObject and reading the file.
   */
  matches(path: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<boolean | undefined>
}
