import { parsePolicy } from '../../iam/policy.ts'
import { S3Error } from '../errors.ts'
import { emptyReply, type Handler, xmlReply } from '../service.ts'
import { readAcl } from '../settings.ts'
import { childText, element, parseXml, s3Document } from '../xml.ts'
import { aclXml, readAclDocument, readTagsDocument, tagsXml } from './settings-xml.ts'

/** S3's limit for a bucket policy, in bytes. */
const maximumPolicy = 20 * 1024

export const getBucketAcl: Handler = (request, bucket) => {
  request.authorize('s3:GetBucketAcl', { bucket })
  return xmlReply(aclXml(bucket.settings.acl, bucket.settings.account))
}

export const putBucketAcl: Handler = async (request, bucket) => {
  request.authorize('s3:PutBucketAcl', { bucket })
  const acl = readAcl(request.headers) ?? (await readAclDocument(request.payload))
  request.service.store.commit({ type: 'bucket', settings: { ...bucket.settings, acl } })
  return emptyReply(200)
}

export const getBucketPolicy: Handler = (request, bucket) => {
  request.authorize('s3:GetBucketPolicy', { bucket })
  const { policy, name } = bucket.settings
  if (!policy) throw new S3Error('NoSuchBucketPolicy', { details: { BucketName: name } })
  return { status: 200, headers: { 'content-type': 'application/json' }, body: policy.text }
}

export const putBucketPolicy: Handler = async (request, bucket) => {
  request.authorize('s3:PutBucketPolicy', { bucket })
  const { name } = bucket.settings
  const text = (await request.payload.readAll(maximumPolicy)).toString('utf8')
  const { policy: document, problem } = parsePolicy(text, 'resource', { bucket: name })
  if (!document) throw new S3Error('MalformedPolicy', { message: problem })
  request.service.store.commit({
    type: 'bucket',
    settings: { ...bucket.settings, policy: { text, document } },
  })
  return emptyReply(204)
}

export const deleteBucketPolicy: Handler = (request, bucket) => {
  request.authorize('s3:DeleteBucketPolicy', { bucket })
  const { policy: _, ...settings } = bucket.settings
  request.service.store.commit({ type: 'bucket', settings })
  return emptyReply(204)
}

export const getBucketVersioning: Handler = (request, bucket) => {
  request.authorize('s3:GetBucketVersioning', { bucket })
  const { versioning } = bucket.settings
  return xmlReply(s3Document('VersioningConfiguration', versioning ? element('Status', versioning) : ''))
}

export const putBucketVersioning: Handler = async (request, bucket) => {
  request.authorize('s3:PutBucketVersioning', { bucket })
  const document = parseXml(await request.payload.readAll(maximumPolicy), 'VersioningConfiguration')
  const status = childText(document, 'Status')?.trim()
  if (childText(document, 'MfaDelete')?.trim() === 'Enabled') {
    throw new S3Error('NotImplemented', { message: 'MFA delete is not supported.' })
  }
  if (status === undefined) throw new S3Error('IllegalVersioningConfigurationException')
  if (status !== 'Enabled' && status !== 'Suspended') throw new S3Error('MalformedXML')
  request.service.store.commit({ type: 'bucket', settings: { ...bucket.settings, versioning: status } })
  return emptyReply(200)
}

export const getBucketTagging: Handler = (request, bucket) => {
  request.authorize('s3:GetBucketTagging', { bucket })
  const { tags, name } = bucket.settings
  if (!tags) throw new S3Error('NoSuchTagSet', { details: { BucketName: name } })
  return xmlReply(tagsXml(tags))
}

export const putBucketTagging: Handler = async (request, bucket) => {
  request.authorize('s3:PutBucketTagging', { bucket })
  const tags = await readTagsDocument(request.payload, 50)
  request.service.store.commit({ type: 'bucket', settings: { ...bucket.settings, tags } })
  return emptyReply(204)
}

export const deleteBucketTagging: Handler = (request, bucket) => {
  request.authorize('s3:PutBucketTagging', { bucket })
  const { tags: _, ...settings } = bucket.settings
  request.service.store.commit({ type: 'bucket', settings })
  return emptyReply(204)
}
