import { brokenBucketNameRules } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import { z } from 'zod'
import type { S3ActionContext } from './config.ts'

/** A key, or a prefix, in a bucket. */
export interface Location {
  readonly bucket: string
  readonly key: string
}

/** Input fields that say where something is in S3. */
export const bucketField = z.string().optional().meta({
  title: 'Bucket',
  description: 'Bucket of the key (default: that of the connection, or of the s3:// URL)',
})

const wrong = (message: string, hint: string): ConnectorError =>
  new ConnectorError('config', message, { code: 'InvalidLocation', hint })

export const isUrl = (text: string): boolean => /^s3:\/\//i.test(text)

/**
 * What `s3://bucket/key` or a key names. A URL is taken by the letter; of a key one leading slash is dropped, as no
 * usual key has one (`s3://bucket//key` names one that has).
 */
export const locate = (
  context: S3ActionContext,
  text: string,
  bucket: string | undefined,
  options: { readonly key?: 'required' | 'optional' } = {},
): Location => {
  const found = isUrl(text)
    ? fromUrl(text, bucket)
    : { bucket: bucket ?? context.config.bucket, key: text.replace(/^\//, '') }
  if (found.bucket === undefined || found.bucket === '')
    throw wrong(
      'No bucket is given.',
      'Write s3://bucket/key, or give the bucket. For files of this machine there are put and get.',
    )
  const [broken] = brokenBucketNameRules(found.bucket)
  if (broken) throw wrong(`"${found.bucket}" is no bucket: ${broken}.`, 'Check the name of the bucket.')
  if (options.key !== 'optional' && found.key === '')
    throw wrong(`No object is given in bucket ${found.bucket}.`, 'Write s3://bucket/key.')
  if (Buffer.byteLength(found.key) > 1024)
    throw wrong('The key is longer than 1,024 bytes of UTF-8.', 'Choose a shorter one.')
  return { bucket: found.bucket, key: found.key }
}

const fromUrl = (text: string, bucket: string | undefined): { bucket: string; key: string } => {
  const rest = text.slice('s3://'.length)
  const slash = rest.indexOf('/')
  const found =
    slash === -1 ? { bucket: rest, key: '' } : { bucket: rest.slice(0, slash), key: rest.slice(slash + 1) }
  if (bucket !== undefined && bucket !== found.bucket)
    throw wrong(`The bucket is given twice: ${bucket} and ${found.bucket}.`, 'Leave one of them out.')
  return found
}

export const urlOf = ({ bucket, key }: Location): string => `s3://${bucket}/${key}`

/** A prefix that stands for a folder ends with a slash, but for that of the whole bucket. */
export const folderPrefix = (prefix: string): string =>
  prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`

/** Last segment of a key; empty where it ends with a slash. */
export const baseName = (key: string): string => key.slice(key.lastIndexOf('/') + 1)
