import { serviceAddress } from '../connection/endpoint.ts'
import type { S3ConnectionConfig } from '../connection/fields.ts'
import { abortUpload } from '../upload/multipart.ts'
import { putObject } from '../upload/put-object.ts'
import { startUpload, uploadObject } from '../upload/upload.ts'
import type { S3Access } from './access.ts'
import type { S3Client } from './client.ts'
import { copyObject } from './copy.ts'
import { createBucket } from './create-bucket.ts'
import { deleteObject, deleteObjects } from './delete.ts'
import { listParts, listUploads } from './list-uploads.ts'
import { presignUrl } from './presign.ts'
import { rawRequest } from './raw-request.ts'
import { createTransport, type TransportContext } from './transport.ts'
import type { S3WriteAccess } from './write-access.ts'

/** What the writing operations of a bucket are made of. */
export interface WritingContext {
  readonly client: S3Client
  readonly config: S3ConnectionConfig
  readonly transporting: TransportContext
}

/** All that {@link S3WriteAccess} has beyond reading. */
export const writeOperations = ({
  client,
  config,
  transporting,
}: WritingContext): Omit<S3WriteAccess, keyof S3Access> => {
  const service = { ...transporting, address: serviceAddress(config), expectedBucketOwner: undefined }
  return {
    put: (key, source, options) => putObject(client, key, source, options),
    upload: (key, source, options) => uploadObject(client, key, source, options),
    startUpload: (key, options = {}) => startUpload(client, key, options),
    listUploads: (options) => listUploads(client, options),
    listParts: (key, uploadId, options) => listParts(client, key, uploadId, options),
    abortUpload: (key, uploadId, options) =>
      abortUpload(client, { key, uploadId }, client.signals(options?.signal)),
    deleteObject: (key, options) => deleteObject(client, key, options),
    deleteObjects: (keys, options) => deleteObjects(client, keys, options),
    copyObject: (source, key, options) => copyObject(client, source, key, options),
    createBucket: (options) => createBucket(client, options),
    presign: (key, options) =>
      presignUrl(
        { ...transporting, now: new Date(client.clock().getTime() + client.counters.clockOffsetMs) },
        key,
        options,
      ),
    request: (request) => rawRequest(client, createTransport(service), request),
  }
}
