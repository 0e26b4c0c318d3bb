import { isBucketName, isRegion } from '../bucket-names.ts'
import { S3Error } from '../errors.ts'
import { integerParameter } from '../query.ts'
import {
  canonicalUserId,
  emptyReply,
  type Handler,
  isoTime,
  type ServiceHandler,
  xmlReply,
} from '../service.ts'
import { readAcl } from '../settings.ts'
import type { BucketSettings } from '../store/model.ts'
import { wholeSeconds } from '../versions.ts'
import { childText, element, optionalElement, parseXml, s3Document } from '../xml.ts'

/** ListBuckets: those of the caller's own account. */
export const listBuckets: ServiceHandler = (request) => {
  const { query, principal, service } = request
  request.authorize('s3:ListAllMyBuckets')
  const prefix = query.get('prefix') ?? ''
  const region = query.get('bucket-region')
  const after = query.get('continuation-token') ?? ''
  const limit = integerParameter(query, 'max-buckets', { fallback: 10_000, minimum: 1, maximum: 10_000 })
  const found = [...service.store.buckets.values()]
    .map(({ settings }) => settings)
    .filter(({ account }) => account === principal.account)
    .filter(({ name }) => name.startsWith(prefix) && name > after)
    .filter((settings) => region === undefined || settings.region === region)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const page = found.slice(0, limit)
  const buckets = page.map(
    ({ name, createdAt, region: bucketRegion }) =>
      `<Bucket>${element('Name', name)}${element('CreationDate', isoTime(createdAt))}${
        // Only the paged form of the call tells regions.
        query.has('max-buckets') || region !== undefined ? element('BucketRegion', bucketRegion) : ''
      }</Bucket>`,
  )
  const next = found.length > page.length ? page.at(-1)?.name : undefined
  return xmlReply(
    s3Document(
      'ListAllMyBucketsResult',
      `<Owner>${element('ID', canonicalUserId(principal.account))}</Owner><Buckets>${buckets.join('')}</Buckets>${optionalElement('ContinuationToken', next)}${optionalElement('Prefix', query.get('prefix'))}`,
    ),
  )
}

/** CreateBucket. */
export const createBucket: ServiceHandler = async (request) => {
  const { bucketName: name, headers, payload, principal, service, now } = request
  if (!isBucketName(name)) throw new S3Error('InvalidBucketName', { details: { BucketName: name } })
  request.authorize('s3:CreateBucket')
  if (principal.type === 'anonymous') throw new S3Error('AccessDenied')
  const acl = readAcl(headers) ?? 'private'
  const body = await payload.readAll(64 * 1024)
  const endpoint = request.signedRegion ?? 'us-east-1'
  const region = chooseRegion(readLocation(body), endpoint)
  const existing = service.store.buckets.get(name)?.settings
  if (existing && existing.account !== principal.account) {
    throw new S3Error('BucketAlreadyExists', { details: { BucketName: name } })
  }
  // Source: CreateBucket in the API reference. The oldest region alone answers 200 to a bucket that one owns.
  if (existing && !(existing.region === 'us-east-1' && region === 'us-east-1')) {
    throw new S3Error('BucketAlreadyOwnedByYou', { details: { BucketName: name } })
  }
  const settings: BucketSettings = existing
    ? { ...existing, acl }
    : { name, region, account: principal.account, createdAt: wholeSeconds(now), acl }
  service.store.commit({ type: 'bucket', settings })
  return emptyReply(200, {
    location: region === 'us-east-1' ? `/${name}` : `http://${name}.s3.amazonaws.com/`,
  })
}

function readLocation(body: Buffer): string | undefined {
  if (body.length === 0) return undefined
  const document = parseXml(body, 'CreateBucketConfiguration')
  const location = document.children.get('Location')?.[0]
  // Directory buckets are another kind of storage.
  if (location) throw new S3Error('NotImplemented', { message: 'Directory buckets are not supported.' })
  const constraint = childText(document, 'LocationConstraint')?.trim()
  return constraint === '' ? undefined : constraint
}

/** us-east-1 makes buckets in all regions; other endpoints only in their own, and want it said. */
function chooseRegion(constraint: string | undefined, endpoint: string): string {
  if (constraint === undefined) {
    if (endpoint === 'us-east-1') return endpoint
    throw new S3Error('IllegalLocationConstraintException')
  }
  const region = constraint === 'EU' ? 'eu-west-1' : constraint
  if (region === 'us-east-1' || !isRegion(region)) {
    throw new S3Error('InvalidLocationConstraint', { details: { LocationConstraint: constraint } })
  }
  if (endpoint !== 'us-east-1' && endpoint !== region) {
    throw new S3Error('IllegalLocationConstraintException', {
      message: `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    })
  }
  return region
}

/** HeadBucket. */
export const headBucket: Handler = (request, bucket) => {
  request.authorize('s3:ListBucket', { bucket })
  return emptyReply(200, { 'x-amz-access-point-alias': 'false', 'content-type': 'application/xml' })
}

/** DeleteBucket: only an empty one. Open uploads do not keep it, versions and delete markers do. */
export const deleteBucket: Handler = (request, bucket) => {
  const { name } = bucket.settings
  request.authorize('s3:DeleteBucket', { bucket })
  if (bucket.objects.size > 0) {
    const versioned = bucket.settings.versioning !== undefined
    throw new S3Error('BucketNotEmpty', {
      ...(versioned && {
        message: 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.',
      }),
      details: { BucketName: name },
    })
  }
  request.service.store.commit({ type: 'bucket-removed', bucket: name })
  return emptyReply(204)
}

/** GetBucketLocation. Empty for us-east-1. */
export const getBucketLocation: Handler = (request, bucket) => {
  request.authorize('s3:GetBucketLocation', { bucket })
  const { region } = bucket.settings
  return xmlReply(
    region === 'us-east-1' ? s3Document('LocationConstraint', '') : s3Document('LocationConstraint', region),
  )
}
