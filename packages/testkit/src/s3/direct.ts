import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { isBucketName } from './bucket-names.ts'
import type { S3Service } from './service.ts'
import { checkTags } from './settings.ts'
import type { BucketSettings, CannedAcl, ObjectVersion } from './store/model.ts'
import { nextVersionId, wholeSeconds } from './versions.ts'

/** An object to put into the store without a request. */
export interface NewObject {
  bucket: string
  key: string
  body: Buffer | Uint8Array | string | Readable
  contentType?: string
  metadata?: Record<string, string>
  /** Further headers to answer: `content-encoding`, `cache-control` ... */
  headers?: Record<string, string>
  tags?: Record<string, string>
  storageClass?: string
  acl?: CannedAcl
  /** When it was last modified; the server's clock when absent. Cut to whole seconds. */
  lastModified?: Date
}

export interface PutResult {
  /** Without quotes. */
  etag: string
  versionId: string
  /** Bytes. */
  size: number
}

/** Time and account that direct changes are made with. */
export interface Author {
  /** Epoch ms. */
  now: number
  account: string
  /** Of buckets that are made without naming one. */
  region: string
}

/** Stores an object as PutObject would, without signature, permission or HTTP. */
export async function directPut(
  service: S3Service,
  author: Omit<Author, 'region'>,
  object: NewObject,
): Promise<PutResult> {
  const { store, hashers } = service
  const bucket = store.buckets.get(object.bucket)
  if (!bucket) throw new Error(`There is no bucket ${object.bucket}`)
  if (object.key === '' || Buffer.byteLength(object.key) > 1024) throw new Error('A key has 1 to 1024 bytes')
  const writer = store.writer()
  const md5 = createHash('md5')
  const hasher = await hashers('CRC64NVME')
  let size = 0
  try {
    for await (const chunk of chunksOf(object.body)) {
      size += chunk.length
      md5.update(chunk)
      hasher.update(chunk)
      await writer.write(chunk)
    }
  } catch (error) {
    await writer.abort()
    throw error
  }
  const version: ObjectVersion = {
    versionId: nextVersionId(bucket),
    deleteMarker: false,
    lastModified: wholeSeconds(object.lastModified?.getTime() ?? author.now),
    etag: md5.digest('hex'),
    size,
    segments: size === 0 ? [] : [{ blob: await writer.finish(), start: 0, length: size }],
    checksum: { algorithm: 'CRC64NVME', value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' },
    owner: author.account,
    headers: { 'content-type': object.contentType ?? 'binary/octet-stream', ...object.headers },
    metadata: object.metadata ?? {},
    storageClass: object.storageClass ?? 'STANDARD',
    encryption: { algorithm: 'AES256' },
    tags: checkTags(Object.entries(object.tags ?? {})),
    acl: object.acl ?? 'private',
  }
  store.commit({ type: 'version', bucket: object.bucket, key: object.key, version })
  return { etag: version.etag, versionId: version.versionId, size }
}

async function* chunksOf(body: NewObject['body']): AsyncGenerator<Buffer> {
  if (body instanceof Readable) {
    for await (const chunk of body) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  } else {
    const bytes =
      typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length)
    if (bytes.length > 0) yield bytes
  }
}

export interface NewBucket {
  name: string
  region?: string
  account?: string
  acl?: CannedAcl
  /** Everybody may list the bucket and read its objects, without credentials. */
  publicRead?: boolean
  versioning?: 'Enabled' | 'Suspended'
}

/** Makes a bucket without a request. */
export function directCreateBucket({ store }: S3Service, author: Author, bucket: NewBucket): void {
  // S3 Tables keeps the files of its tables in buckets of such names, which only AWS itself can make.
  const name = bucket.name.replace(/--table-s3$/, '')
  if (!isBucketName(name)) throw new Error(`${bucket.name} is no name for a bucket`)
  if (store.buckets.has(bucket.name)) throw new Error(`There is a bucket ${bucket.name} already`)
  const arn = `arn:aws:s3:::${bucket.name}`
  const document = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow' as const, Principal: '*' as const, Action: 's3:ListBucket', Resource: arn },
      { Effect: 'Allow' as const, Principal: '*' as const, Action: 's3:GetObject', Resource: `${arn}/*` },
    ],
  }
  const settings: BucketSettings = {
    name: bucket.name,
    region: bucket.region ?? author.region,
    account: bucket.account ?? author.account,
    createdAt: wholeSeconds(author.now),
    acl: bucket.acl ?? 'private',
    ...(bucket.versioning && { versioning: bucket.versioning }),
    ...(bucket.publicRead && { policy: { text: JSON.stringify(document), document } }),
  }
  store.commit({ type: 'bucket', settings })
}
