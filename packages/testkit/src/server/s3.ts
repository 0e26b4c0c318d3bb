import { changedBody, clockSkewMs, type Fault } from '../faults/faults.ts'
import { interceptRequest } from '../faults/intercept.ts'
import { tableOfBucket } from '../glue/table-data.ts'
import { anonymous } from '../iam/accounts.ts'
import { authorize } from '../iam/authorize.ts'
import { decideAccess, resourceArn } from '../s3/access.ts'
import { createPayload, headerText } from '../s3/body/payload.ts'
import { directPut } from '../s3/direct.ts'
import { errorXml, S3Error } from '../s3/errors.ts'
import { type Operation, resolveOperation } from '../s3/operations/table.ts'
import { createQuery, type Query } from '../s3/query.ts'
import { parseRange } from '../s3/range.ts'
import { checkRegion, checkRegionName } from '../s3/region.ts'
import type { AccessTarget, S3Request } from '../s3/service.ts'
import type { Bucket } from '../s3/store/model.ts'
import { currentVersion } from '../s3/versions.ts'
import type { Verified } from '../sigv4/verify.ts'
import type { Decision, LogEntry, Principal, Reply } from '../types.ts'
import { type Exchange, globalContext, type ServerContext, signedHeadersOf } from './exchange.ts'
import { s3Rejection } from './rejections.ts'
import type { Target } from './target.ts'

/** S3's longest key, in bytes of UTF-8. */
const maximumKey = 1024

export interface Answer {
  reply: Reply | 'gone'
  faults: readonly Fault[]
}

/** Takes a request to S3 from its target to the reply. */
export async function answerS3(
  exchange: Exchange,
  target: Target | undefined,
  context: ServerContext,
): Promise<Answer> {
  let faults: readonly Fault[] = []
  try {
    if (!target) throw new S3Error('InvalidURI')
    const query = createQuery(target.parameters)
    const operation = identify(exchange, target, query)
    faults = context.faults.match(exchange.entry)
    exchange.entry.faults = faults.map(({ kind }) => kind)
    const { res, entry, requestId } = exchange
    const { latencyMs } = context
    const intercepted = await interceptRequest({ res, info: entry, faults, requestId, latencyMs })
    if (intercepted !== undefined) return { reply: intercepted, faults }
    await changeObject(context, target, faults)
    const now = context.clock() + clockSkewMs(faults)
    return { reply: await handle(exchange, target, query, { operation, context, now }), faults }
  } catch (error) {
    return { reply: errorReply(exchange, target, error, context), faults }
  }
}

function identify({ req, entry }: Exchange, target: Target, query: Query): Operation {
  const { bucketName, key } = target
  if (bucketName !== '') entry.bucket = bucketName
  if (key !== '') entry.key = key
  const range = parseRange(req.headers.range)
  if (range && 'start' in range) entry.range = range
  const route = { method: entry.method, bucketName, key, query, headers: req.headers }
  const operation = resolveOperation(route)
  entry.operation = operation.name
  return operation
}

/** The fault that overwrites an object between a client's listing and its read. */
async function changeObject(
  { s3, clock, identities }: ServerContext,
  { bucketName, key }: Target,
  faults: readonly Fault[],
): Promise<void> {
  if (!faults.some(({ kind }) => kind === 'change-object')) return
  const bucket = s3.store.buckets.get(bucketName)
  const current = bucket && currentVersion(bucket, key)
  if (!bucket || !current) return
  const body = s3.store.read(current.segments, 0, current.size)
  const bytes = Buffer.isBuffer(body) ? body : Buffer.concat(await body.toArray())
  const changed = changedBody(faults, bytes)
  const { headers, metadata } = current
  if (changed)
    await directPut(
      s3,
      { now: clock(), account: identities.account },
      { bucket: bucketName, key, body: changed, headers, metadata },
    )
}

interface Handling {
  operation: Operation
  context: ServerContext
  /** Epoch ms, with the skew of a fault. */
  now: number
}

async function handle(
  exchange: Exchange,
  target: Target,
  query: Query,
  { operation, context, now }: Handling,
): Promise<Reply> {
  const { req, entry } = exchange
  const verified = verifyRequest(exchange, target, context, now)
  const principal = verified?.credential.principal ?? anonymous
  entry.principalArn = principal.arn
  if (Buffer.byteLength(target.key) > maximumKey) {
    throw new S3Error('KeyTooLongError', {
      details: { Size: Buffer.byteLength(target.key), MaxSizeAllowed: maximumKey },
    })
  }
  const bucket = context.s3.store.buckets.get(target.bucketName)
  checkRegionName(verified?.scope.region, bucket)
  const conditionKeys = { ...globalContext(exchange, context, now), ...s3Context(exchange, query, verified) }
  const decide = (action: string, wanted: AccessTarget = {}) => {
    const bucketName = wanted.bucket?.settings.name ?? target.bucketName
    const where = action === 's3:ListAllMyBuckets' ? '*' : bucketName
    const table = action === 's3:GetObject' ? tableOfBucket(context.glue, where) : undefined
    if (table !== undefined) return decideTableData(principal, table, conditionKeys, entry)
    const decision = decideAccess({
      principal,
      action,
      bucket: wanted.bucket,
      bucketName: where,
      key: wanted.key,
      context: conditionKeys,
    })
    entry.actions.push({ action, resource: resourceArn(where, wanted.key), allowed: decision.allowed })
    return decision
  }
  const request: S3Request = {
    service: context.s3,
    method: entry.method,
    bucketName: target.bucketName,
    key: target.key,
    query,
    headers: req.headers,
    principal,
    signedRegion: verified?.scope.region,
    now,
    payload: createPayload(exchange.body, req.headers, verified),
    authorize(action, wanted) {
      const decision = decide(action, wanted)
      if (decision.allowed) return
      // S3 tells strangers nothing.
      throw new S3Error('AccessDenied', principal.type === 'anonymous' ? {} : { message: decision.message })
    },
    allows: (action, wanted) => decide(action, wanted).allowed,
  }
  if (!operation.needsBucket) return await operation.handle(request)
  const found = requireBucket(bucket, request, operation.name)
  const reply = await operation.handle(request, found)
  return { ...reply, headers: { ...regionHeader(operation.name, found), ...reply.headers } }
}

/** Files of S3 Tables are read by a right on the table: there is none on its bucket. */
function decideTableData(
  principal: Principal,
  resource: string,
  context: Record<string, string | undefined>,
  { actions }: LogEntry,
): Decision {
  const action = 's3tables:GetTableData'
  const resourceAccount = resource.split(':')[4] ?? ''
  const decision = authorize({ principal, action, resource, context, resourceAccount })
  actions.push({ action, resource, allowed: decision.allowed })
  return decision
}

const toldRegion = new Set(['HeadBucket', 'ListObjects', 'ListObjectsV2'])

/** The region is told to everybody who asks for the bucket, also to those who may not have more. */
const regionHeader = (operation: string, bucket: Bucket | undefined): Record<string, string> =>
  bucket && toldRegion.has(operation) ? { 'x-amz-bucket-region': bucket.settings.region } : {}

function verifyRequest(
  { req }: Exchange,
  target: Target,
  context: ServerContext,
  now: number,
): Verified | undefined {
  const verdict = context.verify({
    method: req.method ?? '',
    pathBytes: target.pathBytes,
    query: target.parameters,
    headers: signedHeadersOf(req),
    now,
    service: 's3',
  })
  if (verdict.outcome === 'rejected') throw s3Rejection(verdict.rejection)
  return verdict.outcome === 'verified' ? verdict.request : undefined
}

function requireBucket(bucket: Bucket | undefined, request: S3Request, operation: string): Bucket {
  const { bucketName, headers } = request
  if (!bucket) throw new S3Error('NoSuchBucket', { details: { BucketName: bucketName } })
  checkRegion(request, bucket, operation)
  const expectedOwner = headerText(headers, 'x-amz-expected-bucket-owner')
  if (expectedOwner !== undefined && expectedOwner !== bucket.settings.account) {
    throw new S3Error('AccessDenied')
  }
  return bucket
}

/** Condition keys of S3 that come from parameters and headers. */
function s3Context(
  { req }: Exchange,
  query: Query,
  verified: Verified | undefined,
): Record<string, string | undefined> {
  const context: Record<string, string | undefined> = {
    's3:prefix': query.get('prefix'),
    's3:delimiter': query.get('delimiter'),
    's3:max-keys': query.get('max-keys'),
    's3:versionid': query.get('versionId'),
    's3:signatureversion': verified && 'AWS4-HMAC-SHA256',
    's3:authtype': verified && (verified.kind === 'query' ? 'REST-QUERY-STRING' : 'REST-HEADER'),
  }
  for (const name of Object.keys(req.headers)) {
    if (name.startsWith('x-amz-')) context[`s3:${name}`] = headerText(req.headers, name)
  }
  return context
}

function errorReply(
  { req, requestId, entry }: Exchange,
  target: Target | undefined,
  error: unknown,
  { hostId, s3 }: ServerContext,
): Reply {
  const known =
    error instanceof S3Error ? error : new S3Error(req.complete ? 'InternalError' : 'RequestTimeout')
  entry.errorCode = known.code
  // A client that leaves in the middle of its body is no defect; nobody reads the answer.
  if (known.code === 'InternalError')
    entry.internalError = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const resource = target && known.details.Resource === undefined ? { Resource: resourceOf(target) } : {}
  const named = 'BucketName' in known.details || 'Key' in known.details
  const details = { ...known.details, ...(named ? {} : resource) }
  const bucket = target && s3.store.buckets.get(target.bucketName)
  return {
    status: known.status,
    headers: {
      'content-type': 'application/xml',
      ...regionHeader(entry.operation, bucket),
      ...known.headers,
    },
    body: errorXml({ code: known.code, message: known.message, details }, { requestId, hostId }),
  }
}

const resourceOf = ({ bucketName, key }: Target): string =>
  bucketName === '' ? '/' : key === '' ? `/${bucketName}` : `/${bucketName}/${key}`
