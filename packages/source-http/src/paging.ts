import { ConnectorError } from '@penstock/core'
import type { Answer, HttpClient } from './client.ts'
import type { Paging, TableConfig } from './config.ts'
import { atPath, exactNumber } from './json.ts'

/** Records of a table, a page at a time; the next page is requested when it is asked for. */
export async function* readRecords(
  client: HttpClient,
  options: {
    readonly baseUrl: string
    readonly table: TableConfig
    /** Further query parameters: where to begin. */
    readonly query: Readonly<Record<string, string>>
    readonly signal: AbortSignal
  },
): AsyncGenerator<readonly unknown[]> {
  const { table, signal } = options
  const first = urlOf(options.baseUrl, table.path, { ...table.query, ...options.query })
  const requested = new Set<string>()
  for (let url: string | undefined = startOf(first, table.paging), count = 0; url !== undefined; ) {
    // A service whose pages go in a circle would never end.
    if (requested.has(url))
      throw new ConnectorError('data', 'The service names a page as the next that was read already.', {
        place: { object: url.replace(/[?#].*$/s, '') },
        hint: 'Check the paging of the table: next, parameter and style.',
      })
    requested.add(url)
    const answer = await client.get(url, signal)
    const records = recordsOf(answer, table.records)
    count += records.length
    if (records.length > 0) yield records
    url = nextUrl(first, table.paging, { answer, records: records.length, pages: requested.size, count })
  }
}

const urlOf = (base: string, path: string, query: Readonly<Record<string, string>>): URL => {
  const url = new URL(`${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

const withQuery = (url: URL, query: Readonly<Record<string, string | number | undefined>>): string => {
  const changed = new URL(url)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) changed.searchParams.set(name, String(value))
  return changed.href
}

const startOf = (url: URL, paging: Paging): string => {
  if (paging.style === 'page') return withQuery(url, pageQuery(paging, paging.first))
  if (paging.style === 'offset')
    return withQuery(url, { [paging.parameter]: 0, [paging.sizeParameter]: paging.size })
  return url.href
}

const pageQuery = (paging: Extract<Paging, { style: 'page' }>, page: number) => ({
  [paging.parameter]: page,
  ...(paging.sizeParameter !== undefined && { [paging.sizeParameter]: paging.size }),
})

interface Position {
  readonly answer: Answer
  /** Records of this page. */
  readonly records: number
  /** Pages so far. */
  readonly pages: number
  /** Records so far. */
  readonly count: number
}

const nextUrl = (first: URL, paging: Paging, position: Position): string | undefined => {
  const { answer, records } = position
  switch (paging.style) {
    case 'none':
      return undefined
    case 'page':
      if (records === 0 || (paging.size !== undefined && records < paging.size)) return undefined
      return withQuery(first, pageQuery(paging, paging.first + position.pages))
    case 'offset':
      if (records < paging.size) return undefined
      return withQuery(first, { [paging.parameter]: position.count, [paging.sizeParameter]: paging.size })
    case 'cursor': {
      const mark = markOf(answer, paging.next)
      return mark === undefined ? undefined : withQuery(first, { [paging.parameter]: mark })
    }
    case 'next-url': {
      const next = markOf(answer, paging.next)
      return next === undefined ? undefined : new URL(next, answer.url).href
    }
    case 'link':
      return answer.nextLink === undefined ? undefined : new URL(answer.nextLink, answer.url).href
  }
}

const markOf = ({ body }: Answer, path: string): string | undefined => {
  const value = atPath(body, path)
  if (value === undefined || value === null || value === '' || value === false) return undefined
  const number = exactNumber(value)
  if (number) return number.source
  if (typeof value === 'string') return value
  throw new ConnectorError('data', `${path} of the answer is neither text nor number.`, {
    hint: 'Check paging.next of the table.',
  })
}

const recordsOf = ({ body, url }: Answer, path: string | undefined): readonly unknown[] => {
  const records = atPath(body, path)
  if (Array.isArray(records)) return records
  throw new ConnectorError(
    'data',
    path === undefined
      ? 'The answer is no list of records.'
      : `The answer has no list of records at ${path}.`,
    {
      place: { object: url.replace(/[?#].*$/s, '') },
      hint: 'Say where the answer holds its records: records, such as data.items.',
    },
  )
}
