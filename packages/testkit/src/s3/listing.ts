import { encodeText, textOfBytes, utf8Bytes } from '../sigv4/encode.ts'
import { invalidArgument } from './errors.ts'
import type { Query } from './query.ts'
import type { Bucket, ObjectVersion } from './store/model.ts'
import { afterPrefix } from './store/sorted-keys.ts'
import { element } from './xml.ts'

export interface ListingQuery {
  prefix: string
  /** Empty: none. */
  delimiter: string
  /** Keys and common prefixes up to and including this one are left out. Empty: none. */
  after: string
  limit: number
}

export type ListedItem = { key: string; version: ObjectVersion } | { commonPrefix: string }

export interface ListedPage {
  items: ListedItem[]
  truncated: boolean
  /** Key or common prefix of the last item, where the next page goes on. */
  last: string | undefined
}

/**
 * One page of a bucket's current objects, in the order of UTF-8 bytes. Keys that share a common prefix up to the
 * delimiter are one item and are jumped over, not visited.
 */
export function listPage(bucket: Bucket, query: ListingQuery): ListedPage {
  const items: ListedItem[] = []
  if (query.limit === 0) return { items, truncated: false, last: undefined }
  for (const item of walk(bucket, query)) {
    if (items.length === query.limit) {
      const last = items[items.length - 1] as ListedItem
      return { items, truncated: true, last: 'key' in last ? last.key : last.commonPrefix }
    }
    items.push(item)
  }
  return { items, truncated: false, last: undefined }
}

function* walk(bucket: Bucket, query: ListingQuery): Generator<ListedItem> {
  for (const entry of walkGroups(bucket, query)) {
    if ('commonPrefix' in entry) yield entry
    else {
      const [version] = bucket.objects.get(entry.key) ?? []
      if (version && !version.deleteMarker) yield { key: entry.key, version }
    }
  }
}

/**
 * Keys and common prefixes. A prefix counts only when something under it is visible: `isVisible` says so of a key;
 * absent, an object must have a current version.
 */
export function* walkGroups(
  bucket: Bucket,
  query: Omit<ListingQuery, 'limit'>,
  isVisible: (key: string) => boolean = (key) => bucket.objects.get(key)?.[0]?.deleteMarker === false,
): Generator<{ key: string } | { commonPrefix: string }> {
  const prefix = utf8Bytes(query.prefix)
  const delimiter = utf8Bytes(query.delimiter)
  const after = utf8Bytes(query.after)
  const cursor = bucket.keys.cursor([prefix, after].sort()[1] ?? prefix)
  for (let bytes = cursor.key; bytes?.startsWith(prefix); bytes = cursor.key) {
    const key = textOf(bytes)
    const end = delimiter === '' ? -1 : bytes.indexOf(delimiter, prefix.length)
    if (end < 0) {
      if (bytes > after || after === '') yield { key }
      cursor.advance()
      continue
    }
    const group = bytes.slice(0, end + delimiter.length)
    if (group > after) {
      if (!isVisible(key)) {
        cursor.advance()
        continue
      }
      yield { commonPrefix: textOf(group) }
    }
    const next = afterPrefix(group)
    if (next === undefined) return
    cursor.seek(next)
  }
}

/** Keys came in as valid UTF-8, but a delimiter may cut one within a character. */
const textOf = (bytes: string): string => textOfBytes(bytes) ?? Buffer.from(bytes, 'latin1').toString('utf8')

export interface ListingText {
  /** Applies encoding-type=url where it was asked for. */
  encode: (text: string) => string
  urlEncoded: boolean
}

/** S3's URL encoding of names in listings: as in SigV4, the slash stays. */
export const listingText = (urlEncoded: boolean): ListingText => ({
  encode: urlEncoded ? (text) => encodeText(text, true) : (text) => text,
  urlEncoded,
})

export const commonPrefixXml = (prefix: string, { encode }: ListingText): string =>
  `<CommonPrefixes>${element('Prefix', encode(prefix))}</CommonPrefixes>`

const tokenMark = '1'

/** A continuation token says where the last page ended; clients must not look into it. */
export const writeToken = (last: string): string => tokenMark + Buffer.from(last).toString('base64')

export function readToken(query: Query): string | undefined {
  const token = query.get('continuation-token')
  if (token === undefined) return undefined
  const bytes = Buffer.from(token.slice(1), 'base64')
  if (!token.startsWith(tokenMark) || bytes.length === 0 || bytes.toString('base64') !== token.slice(1)) {
    throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
  }
  return bytes.toString('utf8')
}
