import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Principal, Reply } from '../types.ts'
import type { Payload } from './body/payload.ts'
import type { Hashers } from './checksums/hashers.ts'
import type { Query } from './query.ts'
import type { Bucket } from './store/model.ts'
import type { Store } from './store/store.ts'

/** What all operations of S3 share. */
export interface S3Service {
  store: Store
  hashers: Hashers
}

/** One request to S3, its signature verified. */
export interface S3Request {
  service: S3Service
  method: string
  /** Empty for operations on the service. */
  bucketName: string
  /** Empty for operations on a bucket. */
  key: string
  query: Query
  headers: IncomingHttpHeaders
  principal: Principal
  /** Region of the signature's scope; undefined for anonymous requests. */
  signedRegion: string | undefined
  /** Epoch ms on the server's clock. */
  now: number
  payload: Payload
  /** Throws AccessDenied unless the caller may do this; the evaluation goes into the request log. */
  authorize(action: string, target?: AccessTarget): void
  /** The same without throwing. */
  allows(action: string, target?: AccessTarget): boolean
}

/** What an action is done to; the request's own bucket and key when absent. */
export interface AccessTarget {
  bucket?: Bucket
  /** The object; absent for actions on the bucket. */
  key?: string
}

export type Handler = (request: S3Request, bucket: Bucket) => Reply | Promise<Reply>

export type ServiceHandler = (request: S3Request) => Reply | Promise<Reply>

/** The canonical user id of an account, 64 hex digits that say nothing. */
export const canonicalUserId = (account: string): string =>
  createHash('sha256').update(`canonical user ${account}`).digest('hex')

export const xmlReply = (body: string, status = 200, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/xml', ...headers },
  body,
})

export const emptyReply = (status: number, headers: Record<string, string> = {}): Reply => ({
  status,
  headers,
})

/** `2013-05-24T00:00:00.000Z` */
export const isoTime = (time: number): string => new Date(time).toISOString()
