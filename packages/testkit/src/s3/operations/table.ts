import type { IncomingHttpHeaders } from 'node:http'
import { S3Error } from '../errors.ts'
import type { Query } from '../query.ts'
import type { Handler, ServiceHandler } from '../service.ts'
import {
  deleteBucketPolicy,
  deleteBucketTagging,
  getBucketAcl,
  getBucketPolicy,
  getBucketTagging,
  getBucketVersioning,
  putBucketAcl,
  putBucketPolicy,
  putBucketTagging,
  putBucketVersioning,
} from './bucket-settings.ts'
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets.ts'
import { completeMultipartUpload } from './complete-multipart.ts'
import { copyObject } from './copy-object.ts'
import { deleteObject, deleteObjects } from './delete-object.ts'
import { listObjects, listObjectsV2 } from './list-objects.ts'
import { listMultipartUploads, listParts } from './list-uploads.ts'
import { listObjectVersions } from './list-versions.ts'
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from './multipart.ts'
import {
  deleteObjectTagging,
  getObjectAcl,
  getObjectAttributes,
  getObjectTagging,
  putObjectAcl,
  putObjectTagging,
} from './object-settings.ts'
import { readObject } from './read-object.ts'
import { putObject } from './write-object.ts'

/** An operation of the S3 API by its name there. */
export type Operation =
  | { name: string; needsBucket: false; handle: ServiceHandler }
  | { name: string; needsBucket: true; handle: Handler }

/** What decides which operation a request is. */
export interface Route {
  method: string
  bucketName: string
  key: string
  query: Query
  headers: IncomingHttpHeaders
}

interface Entry {
  name: string
  method: string
  level: 'service' | 'bucket' | 'object'
  /** Parameter that has to be there. */
  parameter?: string
  when?: (route: Route) => boolean
  /** Handles a request on an existing bucket. */
  handle?: Handler
  /** Handles a request that may be made without one. */
  handleService?: ServiceHandler
}

type Handled = { handle: Handler } | { handleService: ServiceHandler }

const entry = (
  name: string,
  method: string,
  level: Entry['level'],
  handled: Handled,
  { parameter, when }: Pick<Entry, 'parameter' | 'when'> = {},
): Entry => ({ name, method, level, ...handled, ...(parameter && { parameter }), ...(when && { when }) })

const onBucket = (name: string, method: string, parameter: string, handle: Handler): Entry =>
  entry(name, method, 'bucket', { handle }, parameter === '' ? {} : { parameter })

const onObject = (name: string, method: string, parameter: string, handle: Handler): Entry =>
  entry(name, method, 'object', { handle }, parameter === '' ? {} : { parameter })

const isCopy = ({ headers }: Route): boolean => headers['x-amz-copy-source'] !== undefined

/** The first entry that fits is the operation; so the more special ones stand first. */
const entries: Entry[] = [
  entry('ListBuckets', 'GET', 'service', { handleService: listBuckets }),

  entry('CreateBucket', 'PUT', 'bucket', { handleService: createBucket }),
  onBucket('HeadBucket', 'HEAD', '', headBucket),
  onBucket('DeleteBucket', 'DELETE', '', deleteBucket),
  onBucket('GetBucketLocation', 'GET', 'location', getBucketLocation),
  onBucket('GetBucketAcl', 'GET', 'acl', getBucketAcl),
  onBucket('PutBucketAcl', 'PUT', 'acl', putBucketAcl),
  onBucket('GetBucketPolicy', 'GET', 'policy', getBucketPolicy),
  onBucket('PutBucketPolicy', 'PUT', 'policy', putBucketPolicy),
  onBucket('DeleteBucketPolicy', 'DELETE', 'policy', deleteBucketPolicy),
  onBucket('GetBucketVersioning', 'GET', 'versioning', getBucketVersioning),
  onBucket('PutBucketVersioning', 'PUT', 'versioning', putBucketVersioning),
  onBucket('GetBucketTagging', 'GET', 'tagging', getBucketTagging),
  onBucket('PutBucketTagging', 'PUT', 'tagging', putBucketTagging),
  onBucket('DeleteBucketTagging', 'DELETE', 'tagging', deleteBucketTagging),
  onBucket('DeleteObjects', 'POST', 'delete', deleteObjects),
  onBucket('ListObjectVersions', 'GET', 'versions', listObjectVersions),
  onBucket('ListMultipartUploads', 'GET', 'uploads', listMultipartUploads),
  entry(
    'ListObjectsV2',
    'GET',
    'bucket',
    { handle: listObjectsV2 },
    { when: ({ query }) => query.get('list-type') === '2' },
  ),
  onBucket('ListObjects', 'GET', '', listObjects),

  onObject('ListParts', 'GET', 'uploadId', listParts),
  entry(
    'UploadPartCopy',
    'PUT',
    'object',
    { handle: uploadPartCopy },
    { parameter: 'uploadId', when: isCopy },
  ),
  onObject('UploadPart', 'PUT', 'uploadId', uploadPart),
  onObject('CompleteMultipartUpload', 'POST', 'uploadId', completeMultipartUpload),
  onObject('AbortMultipartUpload', 'DELETE', 'uploadId', abortMultipartUpload),
  onObject('CreateMultipartUpload', 'POST', 'uploads', createMultipartUpload),
  onObject('GetObjectAttributes', 'GET', 'attributes', getObjectAttributes),
  onObject('GetObjectTagging', 'GET', 'tagging', getObjectTagging),
  onObject('PutObjectTagging', 'PUT', 'tagging', putObjectTagging),
  onObject('DeleteObjectTagging', 'DELETE', 'tagging', deleteObjectTagging),
  onObject('GetObjectAcl', 'GET', 'acl', getObjectAcl),
  onObject('PutObjectAcl', 'PUT', 'acl', putObjectAcl),
  onObject('GetObject', 'GET', '', readObject),
  onObject('HeadObject', 'HEAD', '', readObject),
  entry('CopyObject', 'PUT', 'object', { handle: copyObject }, { when: isCopy }),
  onObject('PutObject', 'PUT', '', putObject),
  onObject('DeleteObject', 'DELETE', '', deleteObject),
]

/** Parameters that make another operation of a request. One without an entry is refused, never passed over. */
const subresources = new Set([
  'accelerate',
  'acl',
  'analytics',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metadataConfiguration',
  'metadataInventoryTable',
  'metadataJournalTable',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versioning',
  'versions',
  'website',
])

const levelOf = ({ bucketName, key }: Route): Entry['level'] =>
  bucketName === '' ? 'service' : key === '' ? 'bucket' : 'object'

/** The operation that a request asks for; throws MethodNotAllowed or NotImplemented. */
export function resolveOperation(route: Route): Operation {
  const level = levelOf(route)
  const wanted = route.query.names().find((name) => subresources.has(name))
  for (const candidate of entries) {
    const { name, parameter, when, handle, handleService } = candidate
    if (candidate.level !== level || candidate.method !== route.method) continue
    if (parameter === undefined ? wanted !== undefined : !route.query.has(parameter)) continue
    if (when && !when(route)) continue
    if (handle) return { name, needsBucket: true, handle }
    if (handleService) return { name, needsBucket: false, handle: handleService }
  }
  if (wanted !== undefined) throw new S3Error('NotImplemented', { details: { Resource: wanted } })
  throw new S3Error('MethodNotAllowed', {
    details: { Method: route.method, ResourceType: level.toUpperCase() },
  })
}
