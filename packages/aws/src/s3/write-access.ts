import type { Readable } from 'node:stream'
import type { FileEntry, GrowingFile, TransferOptions } from '@penstock/core'
import type { S3Access, S3Head } from './access.ts'

/** How an object is encrypted at rest. */
export type S3Encryption =
  | { readonly kind: 'sse-s3' }
  | {
      readonly kind: 'sse-kms' | 'sse-kms-dual-layer'
      /** Id, ARN or alias of the key; without it the AWS managed key of S3. */
      readonly keyId?: string | undefined
      /** One data key for many objects, which saves requests to KMS. Not with two layers. */
      readonly bucketKey?: boolean | undefined
    }

/** What S3 keeps with an object besides its bytes. */
export interface ObjectOptions {
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly contentDisposition?: string | undefined
  readonly contentLanguage?: string | undefined
  readonly cacheControl?: string | undefined
  /** User metadata, without `x-amz-meta-`; printable ASCII, at most 2 kB together. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Up to 10. Need s3:PutObjectTagging. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** `STANDARD_IA`, `GLACIER` ... */
  readonly storageClass?: string | undefined
  /** Canned ACL, such as `bucket-owner-full-control`. Needs s3:PutObjectAcl. */
  readonly acl?: string | undefined
  readonly encryption?: S3Encryption | undefined
  /** Any further header of PutObject. Those that the connection makes itself are refused. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Conditions of a write. What does not meet them is a `conflict` error, and the object stays as it was. */
export interface WriteConditions {
  /** `*`: only when there is no object of this key. */
  readonly ifNoneMatch?: '*' | undefined
  /** Only when the object has this ETag (without quotes). */
  readonly ifMatch?: string | undefined
}

export interface PutOptions extends ObjectOptions, WriteConditions, TransferOptions {}

/** Bytes [start, end) of a local file; all of it by default. */
export interface LocalFileSource {
  readonly path: string
  readonly start?: number | undefined
  readonly end?: number | undefined
}

/** What is uploaded: bytes, a local file, or a stream of unknown length. */
export type UploadSource = Uint8Array | LocalFileSource | AsyncIterable<Uint8Array>

/** A local file that somebody still appends to: its bytes are sent as they come. */
export interface GrowingFileSource extends Pick<GrowingFile, 'path' | 'grown'> {}

/** An object that was written. */
export interface S3Written {
  readonly key: string
  /** ETag without quotes. */
  readonly etag: string
  readonly versionId?: string
  /** Bytes. */
  readonly size: number
  /** CRC-64/NVME of all bytes in base64, computed here and verified by S3; absent with `checksums: when-required`. */
  readonly crc64nvme?: string
}

export interface UploadOptions extends PutOptions {
  /** Called when an upload in parts was begun: who keeps the id can resume it. */
  readonly onStarted?: (uploadId: string) => void | Promise<void>
  /**
   * An upload of the same file that was cut off, with `keepParts` or by the end of a process: parts that are there
   * with the right checksum are not sent again. One that is gone, or of another file, is begun anew.
   */
  readonly resume?: string | undefined
  /** Leaves the parts in S3 when the upload fails, so that it can be resumed. Default: it is aborted. */
  readonly keepParts?: boolean | undefined
}

/** An upload in parts. Nothing is to be seen in the bucket before `complete`. */
export interface S3Upload {
  readonly key: string
  readonly uploadId: string
  /** Sends all bytes of the object, once. A growing file is sent behind whoever writes it. */
  send(
    source: UploadSource | GrowingFileSource,
    options?: TransferOptions,
  ): Promise<{ size: number; parts: number }>
  /**
   * Makes the object. An answer that got lost is looked up: done is done. After a `conflict` error the upload is
   * still there.
   */
  complete(conditions?: WriteConditions & { signal?: AbortSignal | undefined }): Promise<S3Written>
  /** Removes the parts; also after an abort of the connection's signal. */
  abort(): Promise<void>
}

export interface S3OpenUpload {
  readonly key: string
  readonly uploadId: string
  /** Epoch ms. */
  readonly initiated: number
}

export interface S3UploadPart {
  readonly number: number
  /** Without quotes. */
  readonly etag: string
  /** Bytes. */
  readonly size: number
  readonly crc64nvme?: string
}

export interface S3DeleteResult {
  readonly deleted: number
  readonly failed: readonly { readonly key: string; readonly code: string; readonly message: string }[]
}

export interface S3DeleteOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the keys of a batch that are gone. */
  readonly onDeleted?: ((keys: readonly string[]) => void) | undefined
}

export interface S3CopyOptions extends ObjectOptions, WriteConditions {
  readonly signal?: AbortSignal | undefined
  /**
   * What S3 keeps with the source besides its bytes. Asked for where S3 does not take it over by itself: by a copy in
   * parts, and where the options replace some of it.
   */
  readonly head?: (() => Promise<S3Head>) | undefined
  /** Tags of the source: asked for by a copy in parts of an object that has some. */
  readonly sourceTags?: (() => Promise<Readonly<Record<string, string>>>) | undefined
  /** Size in bytes above which a copy goes in parts. Default 5 GiB, which is what one CopyObject takes. */
  readonly partsAbove?: number | undefined
  /** Called with the count of further bytes that were copied. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

export interface S3CreatedBucket {
  readonly location: string
  /** False when it was there before, as one's own. */
  readonly created: boolean
}

export interface PresignOptions {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  /** 1 to 604,800 seconds. */
  readonly expiresInSeconds: number
  readonly query?: Readonly<Record<string, string>>
  /** Headers that have to be sent as they are, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A request to the service as it stands, for what has no function of its own. */
export interface RawRequest {
  readonly method: string
  /** Encoded, from the root of the service: `/bucket/key`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: {
    readonly length: number
    readonly open: () => Uint8Array | AsyncIterable<Uint8Array>
    /** SHA-256 in hex, which the signature then covers. */
    readonly sha256?: string
  }
  readonly signal?: AbortSignal
}

/** Whatever the service answered. The body has to be read or destroyed. */
export interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable
}

/** {@link S3Access} that also writes. Made by `openS3Writer`. */
export interface S3WriteAccess extends S3Access {
  /** One PutObject, of up to 5 GiB. */
  put(key: string, source: Uint8Array | LocalFileSource, options?: PutOptions): Promise<S3Written>
  /**
   * One PutObject where the bytes are few, else parts in parallel. A local file that changes meanwhile is a `conflict`
   * error. After a failure there is neither an object nor a part, unless `keepParts` is set.
   */
  upload(key: string, source: UploadSource, options?: UploadOptions): Promise<S3Written>
  /** Begins an upload in parts that is completed later. Three requests at least, so it is for what has to wait. */
  startUpload(key: string, options?: ObjectOptions & { signal?: AbortSignal }): Promise<S3Upload>
  /** Uploads that were begun and neither completed nor aborted. */
  listUploads(options?: { prefix?: string; signal?: AbortSignal }): AsyncIterable<readonly S3OpenUpload[]>
  listParts(
    key: string,
    uploadId: string,
    options?: { signal?: AbortSignal },
  ): AsyncIterable<readonly S3UploadPart[]>
  /** Removes the parts of an upload; nothing happens when it is gone. */
  abortUpload(key: string, uploadId: string, options?: { signal?: AbortSignal }): Promise<void>
  /** Nothing happens when there is no such object, unless `ifMatch` says which one it has to be. */
  deleteObject(
    key: string,
    options?: { signal?: AbortSignal; versionId?: string | undefined; ifMatch?: string | undefined },
  ): Promise<void>
  /** Deletes in batches of 1,000, some at a time. Throws when a batch as a whole fails. */
  deleteObjects(
    keys: Iterable<string> | AsyncIterable<string>,
    options?: S3DeleteOptions,
  ): Promise<S3DeleteResult>
  /**
   * Copies the listed version of an object, of this bucket or of another one in the region, without its bytes coming
   * here; above 5 GiB in parts. Metadata come along, unless the options have some. Throws `conflict` when the source
   * is another version by now.
   */
  copyObject(source: FileEntry, key: string, options?: S3CopyOptions): Promise<S3Written>
  /** Makes the bucket in the region of the connection. Throws `conflict` when somebody else has the name. */
  createBucket(options?: { signal?: AbortSignal }): Promise<S3CreatedBucket>
  /** URL with which anybody can do this one thing until it expires, or the credentials do. */
  presign(key: string, options: PresignOptions): Promise<{ url: string; expires: Date }>
  /** Sends a request to the service of the region, signed; gives whatever it answers. Not tried again. */
  request(request: RawRequest): Promise<RawResponse>
}
