import type { IncomingHttpHeaders } from 'node:http'
import { S3Error } from '../errors.ts'
import type { Query } from '../query.ts'
import type { Handler, ServiceHandler } from '../service.ts'
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets.ts'
import { deleteObject, deleteObjects } from './delete-object.ts'
import { listObjects, listObjectsV2 } from './list-objects.ts'
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

/** The first entry that fits is the operation; so the more special ones stand first. */
const entries: Entry[] = [
  { name: 'ListBuckets', method: 'GET', level: 'service', handleService: listBuckets },

  { name: 'CreateBucket', method: 'PUT', level: 'bucket', handleService: createBucket },
  { name: 'HeadBucket', method: 'HEAD', level: 'bucket', handle: headBucket },
  { name: 'DeleteBucket', method: 'DELETE', level: 'bucket', handle: deleteBucket },
  {
    name: 'GetBucketLocation',
    method: 'GET',
    level: 'bucket',
    parameter: 'location',
    handle: getBucketLocation,
  },
  { name: 'DeleteObjects', method: 'POST', level: 'bucket', parameter: 'delete', handle: deleteObjects },
  {
    name: 'ListObjectsV2',
    method: 'GET',
    level: 'bucket',
    when: ({ query }) => query.get('list-type') === '2',
    handle: listObjectsV2,
  },
  { name: 'ListObjects', method: 'GET', level: 'bucket', handle: listObjects },

  { name: 'GetObject', method: 'GET', level: 'object', handle: readObject },
  { name: 'HeadObject', method: 'HEAD', level: 'object', handle: readObject },
  { name: 'PutObject', method: 'PUT', level: 'object', handle: putObject },
  { name: 'DeleteObject', method: 'DELETE', level: 'object', handle: deleteObject },
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
  for (const entry of entries) {
    if (entry.level !== level || entry.method !== route.method) continue
    if (entry.parameter === undefined ? wanted !== undefined : !route.query.has(entry.parameter)) continue
    if (entry.when && !entry.when(route)) continue
    const { name, handle, handleService } = entry
    if (handle) return { name, needsBucket: true, handle }
    if (handleService) return { name, needsBucket: false, handle: handleService }
  }
  if (wanted !== undefined) throw new S3Error('NotImplemented', { details: { Resource: wanted } })
  throw new S3Error('MethodNotAllowed', {
    details: { Method: route.method, ResourceType: level.toUpperCase() },
  })
}
