import type { S3Permission } from '@penstock/aws'

type Level = S3Permission['level']
type Needed = Readonly<Partial<Record<Level, readonly string[]>>>

/** GetObject: an upload whose answer got lost is looked up. */
const upload = [
  's3:PutObject',
  's3:PutObjectTagging',
  's3:GetObject',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
]

/** What each action calls, and on what. `api-call` may call anything: what it is used for has to be allowed by hand. */
export const needed: Readonly<Record<string, Needed>> = {
  'create-bucket': { bucket: ['s3:CreateBucket'] },
  'download-file': { objects: ['s3:GetObject'] },
  'upload-file': { objects: upload },
  'list-files': { listing: ['s3:ListBucket'] },
  'list-folders': { listing: ['s3:ListBucket'] },
  'api-call': {},
  delete: {
    listing: ['s3:ListBucket'],
    bucket: ['s3:ListBucketMultipartUploads'],
    objects: ['s3:DeleteObject', 's3:AbortMultipartUpload'],
  },
  copy: { listing: ['s3:ListBucket'], objects: [...upload, 's3:GetObjectTagging'] },
  move: {
    listing: ['s3:ListBucket'],
    objects: [...upload, 's3:GetObjectTagging', 's3:DeleteObject'],
  },
  presign: { objects: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'] },
  head: { objects: ['s3:GetObject'] },
  sync: { listing: ['s3:ListBucket'], objects: [...upload, 's3:DeleteObject'] },
}

const statementNames: Readonly<Record<Level, string>> = {
  bucket: 'UseBucket',
  listing: 'ListObjects',
  objects: 'UseObjects',
}

/** The permissions that some actions need together, one statement a level. */
export const permissionsOf = (names: readonly string[]): readonly S3Permission[] =>
  (['bucket', 'listing', 'objects'] as const).flatMap((level) => {
    const actions = [...new Set(names.flatMap((name) => needed[name]?.[level] ?? []))].sort()
    return actions.length === 0 ? [] : [{ sid: statementNames[level], level, actions }]
  })
