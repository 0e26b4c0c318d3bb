import type { IncomingHttpHeaders } from 'node:http'
import { headerText } from './body/payload.ts'
import { S3Error } from './errors.ts'
import type { ObjectVersion } from './store/model.ts'

const failed = (condition: string) => new S3Error('PreconditionFailed', { details: { Condition: condition } })

/** Whether a list of ETags (quoted or not), or `*`, names this one. */
export function etagMatches(list: string, etag: string): boolean {
  return list.split(',').some((entry) => {
    const name = entry.trim().replace(/^W\//, '').replace(/^"|"$/g, '')
    return name === '*' || name === etag
  })
}

type Version = Pick<ObjectVersion, 'etag' | 'lastModified'>

/**
 * Conditions of GET and HEAD, and with a prefix those of a copy's source. Throws PreconditionFailed; gives
 * `not-modified` where 304 is the answer. If-Match holds against If-Unmodified-Since, If-None-Match against
 * If-Modified-Since. Source: RFC 7232 section 6, and "Conditional reads" in the S3 user guide.
 */
export function checkReadConditions(
  headers: IncomingHttpHeaders,
  version: Version,
  prefix = '',
): 'proceed' | 'not-modified' {
  const ifMatch = headerText(headers, `${prefix}if-match`)
  if (ifMatch !== undefined) {
    if (!etagMatches(ifMatch, version.etag)) throw failed(prefix ? `${prefix}If-Match` : 'If-Match')
  } else {
    const since = time(headerText(headers, `${prefix}if-unmodified-since`))
    if (since !== undefined && version.lastModified > since) {
      throw failed(prefix ? `${prefix}If-Unmodified-Since` : 'If-Unmodified-Since')
    }
  }
  const ifNoneMatch = headerText(headers, `${prefix}if-none-match`)
  if (ifNoneMatch !== undefined) return etagMatches(ifNoneMatch, version.etag) ? 'not-modified' : 'proceed'
  const since = time(headerText(headers, `${prefix}if-modified-since`))
  return since !== undefined && version.lastModified <= since ? 'not-modified' : 'proceed'
}

function time(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(value) ? undefined : value
}

/**
 * Conditions of PUT, copy, CompleteMultipartUpload and DELETE. `current` is the newest version, if there is one that
 * is no delete marker. Returns whether there was a condition at all: then nothing may happen to the key until the
 * write is done (ConditionalRequestConflict).
 */
export function checkWriteConditions(
  headers: IncomingHttpHeaders,
  key: string,
  current: ObjectVersion | undefined,
): boolean {
  const ifNoneMatch = headerText(headers, 'if-none-match')
  const ifMatch = headerText(headers, 'if-match')
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*') {
      throw new S3Error('NotImplemented', { details: { Header: 'If-None-Match' } })
    }
    if (current) throw failed('If-None-Match')
  }
  if (ifMatch !== undefined) {
    if (!current) throw new S3Error('NoSuchKey', { details: { Key: key } })
    if (!etagMatches(ifMatch, current.etag)) throw failed('If-Match')
  }
  return ifNoneMatch !== undefined || ifMatch !== undefined
}
