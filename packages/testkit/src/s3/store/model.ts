import type { PolicyDocument } from '../../types.ts'
import type { SortedKeys } from './sorted-keys.ts'

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'

export interface Checksum {
  algorithm: ChecksumAlgorithm
  /** Base64; a composite one ends in `-N`, N being the number of parts. */
  value: string
  type: 'FULL_OBJECT' | 'COMPOSITE'
}

export const cannedAcls = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
  'log-delivery-write',
] as const

export type CannedAcl = (typeof cannedAcls)[number]

/** A run of bytes in a blob. Bodies are lists of them, so that copies and completed uploads move no bytes. */
export interface Segment {
  blob: string
  start: number
  /** Bytes. */
  length: number
}

export interface Encryption {
  /** `AES256`, `aws:kms`, `aws:kms:dsse`; or `SSE-C`, where the client holds the key. */
  algorithm: string
  kmsKeyId?: string
  kmsContext?: string
  bucketKey?: boolean
  /** SSE-C: MD5 of the client's key, Base64. */
  customerKeyMd5?: string
}

/** What a PUT or CreateMultipartUpload says about an object, apart from its bytes. */
export interface ObjectSettings {
  /** `content-type`, `cache-control` ... as they will be answered. */
  headers: Record<string, string>
  /** User metadata, names in lower case without `x-amz-meta-`. */
  metadata: Record<string, string>
  storageClass: string
  encryption: Encryption
  tags: [key: string, value: string][]
  acl: CannedAcl
  websiteRedirect?: string
}

export interface PartSummary {
  number: number
  size: number
  checksum?: Checksum
}

export interface ObjectVersion extends ObjectSettings {
  /** `null` in a bucket without versioning. */
  versionId: string
  deleteMarker: boolean
  /** Epoch ms; whole seconds, as S3 keeps it. */
  lastModified: number
  /** Without quotes. */
  etag: string
  size: number
  segments: Segment[]
  checksum?: Checksum
  /** Only of multipart objects. */
  parts?: PartSummary[]
  /** Account that wrote it. */
  owner: string
}

export interface BucketSettings {
  name: string
  region: string
  account: string
  /** Epoch ms. */
  createdAt: number
  acl: CannedAcl
  /** The text as it was put, and its parsed form. */
  policy?: { text: string; document: PolicyDocument }
  versioning?: 'Enabled' | 'Suspended'
  tags?: [key: string, value: string][]
}

export interface Part {
  number: number
  etag: string
  size: number
  /** Epoch ms. */
  lastModified: number
  segments: Segment[]
  checksum: Checksum
}

export interface Upload {
  id: string
  key: string
  /** Epoch ms. */
  initiated: number
  /** ARN and account of who began it. */
  initiator: string
  owner: string
  settings: ObjectSettings
  checksumAlgorithm?: ChecksumAlgorithm
  checksumType?: Checksum['type']
}

/** What a repeated CompleteMultipartUpload answers. */
export interface CompletedUpload {
  id: string
  key: string
  etag: string
  versionId: string
}

export interface OpenUpload extends Upload {
  parts: Map<number, Part>
}

/** A bucket and all that is in it. */
export interface Bucket {
  settings: BucketSettings
  /** Versions of each key, the newest first. */
  objects: Map<string, ObjectVersion[]>
  /** The same by keys as byte strings, in S3's order; the lists are those of `objects`. */
  keys: SortedKeys<ObjectVersion[]>
  uploads: Map<string, OpenUpload>
  completed: Map<string, CompletedUpload>
}

/** One change of the state; a list of them is what the journal keeps and what becomes visible at once. */
export type Change =
  | { type: 'bucket'; settings: BucketSettings }
  | { type: 'bucket-removed'; bucket: string }
  /** Becomes the newest version; takes the place of one with the same id. */
  | { type: 'version'; bucket: string; key: string; version: ObjectVersion }
  /** Same place in the history: new tags, new ACL. */
  | { type: 'version-updated'; bucket: string; key: string; version: ObjectVersion }
  | { type: 'version-removed'; bucket: string; key: string; versionId: string }
  | { type: 'upload'; bucket: string; upload: Upload }
  | { type: 'part'; bucket: string; uploadId: string; part: Part }
  | { type: 'upload-removed'; bucket: string; uploadId: string }
  | { type: 'upload-completed'; bucket: string; completed: CompletedUpload }
