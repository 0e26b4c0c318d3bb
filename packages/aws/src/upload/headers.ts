import { ConnectorError } from '@penstock/core'
import type { ObjectOptions, S3Encryption, WriteConditions } from '../s3/write-access.ts'
import { encodeUri } from '../signing/encode.ts'

/** Headers that the connection makes itself, or that would send the request elsewhere. */
const reserved = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'expect',
  'host',
  'if-match',
  'if-none-match',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-date',
  'x-amz-security-token',
])
const isReserved = (name: string): boolean =>
  reserved.has(name) || name.startsWith('x-amz-checksum-') || name.startsWith('x-amz-sdk-')

const invalid = (message: string, hint: string): ConnectorError =>
  new ConnectorError('config', message, { code: 'InvalidHeader', hint })

const checked = (name: string, value: string): string => {
  if (!/^[\t\x20-\x7e]*$/.test(value))
    throw invalid(
      `The value of ${name} has characters other than printable ASCII.`,
      'Headers of S3 are ASCII: write other characters percent-encoded.',
    )
  return value.trim()
}

const encryptionHeaders = (encryption: S3Encryption): Record<string, string> => {
  if (encryption.kind === 'sse-s3') return { 'x-amz-server-side-encryption': 'AES256' }
  const { kind, keyId, bucketKey } = encryption
  return {
    'x-amz-server-side-encryption': kind === 'sse-kms' ? 'aws:kms' : 'aws:kms:dsse',
    ...(keyId === undefined ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': keyId }),
    ...(bucketKey === undefined
      ? {}
      : { 'x-amz-server-side-encryption-bucket-key-enabled': String(bucketKey) }),
  }
}

const tagging = (tags: Readonly<Record<string, string>>): string =>
  Object.entries(tags)
    .map(([name, value]) => `${encodeUri(name)}=${encodeUri(value)}`)
    .join('&')

/** Headers of PutObject, CreateMultipartUpload and CopyObject. Throws `config` for what no header can say. */
export const objectHeaders = (options: ObjectOptions): Record<string, string> => {
  const { metadata = {}, tags, encryption } = options
  const named: Readonly<Record<string, string | undefined>> = {
    'content-type': options.contentType,
    'content-encoding': options.contentEncoding,
    'content-disposition': options.contentDisposition,
    'content-language': options.contentLanguage,
    'cache-control': options.cacheControl,
    'x-amz-storage-class': options.storageClass,
    'x-amz-acl': options.acl,
    'x-amz-tagging': tags && tagging(tags),
    ...(encryption ? encryptionHeaders(encryption) : {}),
    ...Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name.toLowerCase()}`, value]),
    ),
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(named))
    if (value !== undefined) headers[token(name)] = checked(name, value)
  for (const [given, value] of Object.entries(options.headers ?? {})) {
    const name = token(given.toLowerCase())
    if (isReserved(name))
      throw invalid(
        `The header ${given} can't be set: the connection makes it itself.`,
        'Remove it. Conditions, checksums and signatures have options of their own.',
      )
    headers[name] = checked(given, value)
  }
  return headers
}

const token = (name: string): string => {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return name
  throw invalid(`${JSON.stringify(name)} is no name of a header.`, 'Names have letters, digits and hyphens.')
}

/** Without quotes, which Ceph's gateway would take for a part of the ETag; S3 and the others take both forms. */
export const conditionHeaders = ({ ifNoneMatch, ifMatch }: WriteConditions): Record<string, string> => ({
  ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
  ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
})

/** What every request about parts has to repeat: a customer's own encryption key, and who pays. */
export const repeatedHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => name.startsWith('x-amz-server-side-encryption-customer-') || name === 'x-amz-request-payer',
    ),
  )
