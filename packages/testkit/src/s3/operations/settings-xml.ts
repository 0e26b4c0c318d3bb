import type { Payload } from '../body/payload.ts'
import { S3Error } from '../errors.ts'
import { canonicalUserId } from '../service.ts'
import { checkTags } from '../settings.ts'
import type { CannedAcl } from '../store/model.ts'
import { childText, element, parseXml, s3Document, type XmlNode } from '../xml.ts'

const maximumDocument = 256 * 1024

const groups = {
  all: 'http://acs.amazonaws.com/groups/global/AllUsers',
  authenticated: 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers',
  delivery: 'http://acs.amazonaws.com/groups/s3/LogDelivery',
}

/** The grants, besides the owner's, that a canned ACL stands for. */
const grants: Partial<Record<CannedAcl, [uri: string, permission: string][]>> = {
  'public-read': [[groups.all, 'READ']],
  'public-read-write': [
    [groups.all, 'READ'],
    [groups.all, 'WRITE'],
  ],
  'authenticated-read': [[groups.authenticated, 'READ']],
  'log-delivery-write': [
    [groups.delivery, 'WRITE'],
    [groups.delivery, 'READ_ACP'],
  ],
}

const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

const userGrant = (account: string, permission: string): string =>
  `<Grant><Grantee ${xsi} xsi:type="CanonicalUser">${element('ID', canonicalUserId(account))}</Grantee>${element('Permission', permission)}</Grant>`

/** An AccessControlPolicy. `bucketOwner` differs from `owner` for objects that another account wrote. */
export function aclXml(acl: CannedAcl, owner: string, bucketOwner = owner): string {
  const list = [userGrant(owner, 'FULL_CONTROL')]
  if (owner !== bucketOwner && acl === 'bucket-owner-read') list.push(userGrant(bucketOwner, 'READ'))
  if (owner !== bucketOwner && acl === 'bucket-owner-full-control') {
    list.push(userGrant(bucketOwner, 'FULL_CONTROL'))
  }
  for (const [uri, permission] of grants[acl] ?? []) {
    list.push(
      `<Grant><Grantee ${xsi} xsi:type="Group">${element('URI', uri)}</Grantee>${element('Permission', permission)}</Grant>`,
    )
  }
  return s3Document(
    'AccessControlPolicy',
    `<Owner>${element('ID', canonicalUserId(owner))}</Owner><AccessControlList>${list.join('')}</AccessControlList>`,
  )
}

/** The canned ACL whose grants a document has; other combinations are not supported. */
export async function readAclDocument(payload: Payload): Promise<CannedAcl> {
  const body = await payload.readAll(maximumDocument)
  if (body.length === 0)
    throw new S3Error('MissingSecurityHeader', { details: { MissingHeaderName: 'x-amz-acl' } })
  const list = parseXml(body, 'AccessControlPolicy').children.get('AccessControlList')?.[0]
  if (!list) throw new S3Error('MalformedACLError')
  const given = (list.children.get('Grant') ?? [])
    .map((grant) => {
      const uri = childText(grant.children.get('Grantee')?.[0] ?? emptyNode, 'URI')?.trim()
      return uri === undefined ? undefined : `${uri} ${childText(grant, 'Permission')?.trim()}`
    })
    .filter((grant) => grant !== undefined)
  if (given.length === 0) return 'private'
  for (const acl of [
    'public-read',
    'public-read-write',
    'authenticated-read',
    'log-delivery-write',
  ] as const) {
    const wanted = (grants[acl] ?? []).map((grant) => grant.join(' '))
    if (wanted.length === given.length && wanted.every((grant) => given.includes(grant))) return acl
  }
  throw new S3Error('NotImplemented', { message: 'Only the grants of canned ACLs are supported.' })
}

const emptyNode: XmlNode = { text: '', children: new Map() }

type Tags = readonly (readonly [string, string])[]

export const tagsXml = (tags: Tags): string =>
  s3Document(
    'Tagging',
    `<TagSet>${tags.map(([key, value]) => `<Tag>${element('Key', key)}${element('Value', value)}</Tag>`).join('')}</TagSet>`,
  )

export async function readTagsDocument(payload: Payload, limit: number): Promise<[string, string][]> {
  const document = parseXml(await payload.readAll(maximumDocument), 'Tagging')
  const set = document.children.get('TagSet')?.[0]
  if (!set) throw new S3Error('MalformedXML')
  const tags = (set.children.get('Tag') ?? []).map((tag): [string, string] => {
    const key = childText(tag, 'Key')
    const value = childText(tag, 'Value')
    if (key === undefined || value === undefined) throw new S3Error('MalformedXML')
    return [key, value]
  })
  return checkTags(tags, limit)
}
