import type { IncomingHttpHeaders } from 'node:http'
import { textOfBytes } from '../sigv4/encode.ts'
import { headerText } from './body/payload.ts'
import { invalidArgument, S3Error } from './errors.ts'
import { type CannedAcl, cannedAcls, type Encryption, type ObjectSettings } from './store/model.ts'

/** Headers of the representation that S3 keeps and answers as they are. */
const keptHeaders = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
] as const

const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'OUTPOSTS',
  'GLACIER_IR',
  'SNOW',
  'EXPRESS_ONEZONE',
])

/** S3's limit for all user metadata together, in bytes. */
const maximumMetadata = 2048

/** Reads what a PUT, copy or CreateMultipartUpload says about the object that it makes. */
export function readSettings(headers: IncomingHttpHeaders): ObjectSettings {
  const storageClass = headerText(headers, 'x-amz-storage-class') ?? 'STANDARD'
  if (!storageClasses.has(storageClass)) throw new S3Error('InvalidStorageClass')
  const tagging = headerText(headers, 'x-amz-tagging')
  const websiteRedirect = headerText(headers, 'x-amz-website-redirect-location')
  return {
    headers: readKeptHeaders(headers),
    metadata: readMetadata(headers),
    storageClass,
    encryption: readEncryption(headers),
    tags: tagging === undefined ? [] : checkTags([...new URLSearchParams(tagging)]),
    acl: readAcl(headers) ?? 'private',
    ...(websiteRedirect !== undefined && { websiteRedirect }),
  }
}

function readKeptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of keptHeaders) {
    let value = headerText(headers, name)
    if (name === 'content-encoding' && value !== undefined) {
      // How the bytes travelled is no property of the object.
      value = value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '' && part !== 'aws-chunked')
        .join(',')
    }
    if (value !== undefined && value !== '') kept[name] = value
  }
  kept['content-type'] ??= 'binary/octet-stream'
  return kept
}

function readMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {}
  let size = 0
  for (const name of Object.keys(headers)) {
    if (!name.startsWith('x-amz-meta-')) continue
    const value = decodeWords(headerText(headers, name) ?? '')
    metadata[name.slice('x-amz-meta-'.length)] = value
    size += Buffer.byteLength(name) - 'x-amz-meta-'.length + Buffer.byteLength(value)
  }
  if (size > maximumMetadata) {
    throw new S3Error('MetadataTooLarge', { details: { Size: size, MaxSizeAllowed: maximumMetadata } })
  }
  return metadata
}

/** Undoes RFC 2047 encoded words, and takes raw UTF-8, which Node hands over as Latin-1. */
function decodeWords(value: string): string {
  const text = textOfBytes(value) ?? value
  return text.replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, encoding: string, encoded: string) =>
    encoding.toLowerCase() === 'b'
      ? Buffer.from(encoded, 'base64').toString('utf8')
      : Buffer.from(
          encoded
            .replaceAll('_', ' ')
            .replace(/=([0-9A-F]{2})/gi, (_whole, digits: string) =>
              String.fromCharCode(Number.parseInt(digits, 16)),
            ),
          'latin1',
        ).toString('utf8'),
  )
}

/** Header values are ASCII: S3 answers other metadata as an RFC 2047 encoded word. */
export function encodeWord(text: string): string {
  if (/^[\x20-\x7e\t]*$/.test(text)) return text
  return `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`
}

/** The canned ACL of `x-amz-acl`; undefined when there is none. Grants by header are not supported. */
export function readAcl(headers: IncomingHttpHeaders): CannedAcl | undefined {
  if (Object.keys(headers).some((name) => name.startsWith('x-amz-grant-'))) {
    throw new S3Error('NotImplemented', { details: { Header: 'x-amz-grant' } })
  }
  const value = headerText(headers, 'x-amz-acl')
  if (value === undefined) return undefined
  const acl = cannedAcls.find((name) => name === value)
  if (!acl) throw invalidArgument('x-amz-acl', value, '')
  return acl
}

function readEncryption(headers: IncomingHttpHeaders): Encryption {
  const customerAlgorithm = headerText(headers, 'x-amz-server-side-encryption-customer-algorithm')
  if (customerAlgorithm !== undefined) {
    if (customerAlgorithm !== 'AES256') {
      throw new S3Error('InvalidRequest', { message: 'The encryption algorithm specified is not valid' })
    }
    return { algorithm: 'SSE-C', customerKeyMd5: requireCustomerKey(headers) }
  }
  const algorithm = headerText(headers, 'x-amz-server-side-encryption') ?? 'AES256'
  if (algorithm !== 'AES256' && algorithm !== 'aws:kms' && algorithm !== 'aws:kms:dsse') {
    throw invalidArgument(
      'x-amz-server-side-encryption',
      algorithm,
      'The encryption method specified is not supported',
    )
  }
  const kmsKeyId = headerText(headers, 'x-amz-server-side-encryption-aws-kms-key-id')
  const kmsContext = headerText(headers, 'x-amz-server-side-encryption-context')
  const bucketKey = headerText(headers, 'x-amz-server-side-encryption-bucket-key-enabled') === 'true'
  if (kmsKeyId !== undefined && algorithm === 'AES256') {
    throw invalidArgument(
      'x-amz-server-side-encryption',
      algorithm,
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
    )
  }
  return {
    algorithm,
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    ...(kmsContext !== undefined && { kmsContext }),
    ...(bucketKey && { bucketKey }),
  }
}

/** MD5 of the key that SSE-C headers carry. The bytes stay as they are: only the protocol is kept. */
function requireCustomerKey(headers: IncomingHttpHeaders): string {
  const key = headerText(headers, 'x-amz-server-side-encryption-customer-key')
  const md5 = headerText(headers, 'x-amz-server-side-encryption-customer-key-md5')
  if (!key || !md5) {
    throw new S3Error('InvalidArgument', {
      message:
        'Requests specifying Server Side Encryption with Customer provided keys must provide the key and its MD5.',
    })
  }
  return md5
}

/** An object under SSE-C is readable with its key alone. */
export function checkCustomerKey(headers: IncomingHttpHeaders, encryption: Encryption): void {
  if (encryption.customerKeyMd5 === undefined) return
  const given = headerText(headers, 'x-amz-server-side-encryption-customer-key-md5')
  if (given === undefined) {
    throw new S3Error('InvalidRequest', {
      message:
        'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    })
  }
  if (given !== encryption.customerKeyMd5) throw new S3Error('AccessDenied')
}

/** What S3 tells about encryption, with every answer that concerns an object. */
export function encryptionHeaders(encryption: Encryption): Record<string, string> {
  const prefix = 'x-amz-server-side-encryption'
  if (encryption.customerKeyMd5 !== undefined) {
    return {
      [`${prefix}-customer-algorithm`]: 'AES256',
      [`${prefix}-customer-key-md5`]: encryption.customerKeyMd5,
    }
  }
  return {
    [prefix]: encryption.algorithm,
    ...(encryption.kmsKeyId !== undefined && { [`${prefix}-aws-kms-key-id`]: encryption.kmsKeyId }),
    ...(encryption.kmsContext !== undefined && { [`${prefix}-context`]: encryption.kmsContext }),
    ...(encryption.bucketKey && { [`${prefix}-bucket-key-enabled`]: 'true' }),
  }
}

/** At most 10 tags (50 on a bucket), no key twice, keys up to 128 and values up to 256 characters. */
export function checkTags(tags: [string, string][], limit = 10): [string, string][] {
  if (tags.length > limit) {
    throw new S3Error(limit === 10 ? 'BadRequest' : 'InvalidTag', {
      message: `Object tags cannot be greater than ${limit}`,
    })
  }
  const seen = new Set<string>()
  for (const [key, value] of tags) {
    if (key === '' || key.length > 128) {
      throw new S3Error('InvalidTag', { message: 'The TagKey you have provided is invalid' })
    }
    if (value.length > 256 || !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(key + value)) {
      throw new S3Error('InvalidTag', { message: 'The TagValue you have provided is invalid' })
    }
    if (seen.has(key)) {
      throw new S3Error('InvalidTag', { message: 'Cannot provide multiple Tags with the same key' })
    }
    seen.add(key)
  }
  return tags
}
