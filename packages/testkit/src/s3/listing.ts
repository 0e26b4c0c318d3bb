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
  const truncated = walkGroups(bucket, query, isCurrent, (found) => {
    if (items.length === query.limit) return false
    const [version] = found.versions ?? []
    if (found.versions === undefined) items.push({ commonPrefix: found.commonPrefix })
    else if (version) items.push({ key: found.key, version })
    return true
  })
  const last = items.at(-1)
  if (!truncated || !last) return { items, truncated: false, last: undefined }
  return { items, truncated, last: 'key' in last ? last.key : last.commonPrefix }
}

const isCurrent = (versions: readonly ObjectVersion[]): boolean => versions[0]?.deleteMarker === false

export type FoundGroup =
  | { key: string; versions: readonly ObjectVersion[] }
  | { commonPrefix: string; versions?: undefined }

/**
 * Visits keys and common prefixes in order; one counts when a key of it is visible. Ends when `visit` says false, and
 * then returns true: something was left.
 */
export function walkGroups(
  bucket: Bucket,
  query: Omit<ListingQuery, 'limit'>,
  isVisible: (versions: readonly ObjectVersion[]) => boolean,
  visit: (found: FoundGroup) => boolean,
): boolean {
  const prefix = utf8Bytes(query.prefix)
  const delimiter = utf8Bytes(query.delimiter)
  const after = utf8Bytes(query.after)
  const cursor = bucket.keys.cursor(prefix)
  cursor.seek(after)
  for (let bytes = cursor.key; bytes?.startsWith(prefix); bytes = cursor.key) {
    const versions = cursor.value ?? []
    const end = delimiter === '' ? -1 : bytes.indexOf(delimiter, prefix.length)
    const group = end < 0 ? undefined : bytes.slice(0, end + delimiter.length)
    if ((group ?? bytes) <= after && after !== '') {
      // Before the marker, or a group that the page before has told.
    } else if (!isVisible(versions)) {
      cursor.advance()
      continue
    } else if (
      !visit(group === undefined ? { key: textOf(bytes), versions } : { commonPrefix: textOf(group) })
    ) {
      return true
    }
    const next = group === undefined ? undefined : afterPrefix(group)
    if (group === undefined) cursor.advance()
    else if (next === undefined) return false
    else cursor.seek(next)
  }
  return false
}

/** Keys came in as valid UTF-8, but a delimiter may cut one within a character. */
const textOf = (bytes: string): string => textOfBytes(bytes) ?? Buffer.from(bytes, 'latin1').toString('utf8')

export interface ListingText {
  /** Applies encoding-type=url where it was asked for. */
  encode: (text: string) => string
  urlEncoded: boolean
}

/**
 * S3's URL encoding of names in listings is that of forms, with the slash left alone: a space is a plus sign, and unlike
 * in signatures the tilde is escaped and the asterisk is not. Clients decode it as a form.
 */
export const encodeListed = (text: string): string =>
  text.replace(/[^A-Za-z0-9.\-*_/]+/g, (special) =>
    special === '=' ? '%3D' : encodeText(special).replaceAll('%20', '+').replaceAll('~', '%7E'),
  )

export const listingText = (urlEncoded: boolean): ListingText => ({
  encode: urlEncoded ? encodeListed : (text) => text,
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
