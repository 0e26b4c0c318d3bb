import {
  bigint,
  type CatalogTableDetails,
  type Column,
  ConnectorError,
  defineZeroCopy,
  type LogicalType,
  type Predicate,
  type ScanFile,
  type ScanRequest,
  text,
  type ZeroCopyTable,
} from '@penstock/core'
import type { Route } from './shop.ts'
import { type ClientMutation, isOneOf, type ShopContext, shopClient, shopConfig } from './shop-client.ts'

/** What can be wrong with the catalog: each is what one check is there for. */
export type CatalogMutation =
  | ClientMutation
  | 'namespace-twice'
  | 'tables-of-others'
  | 'schema-varies'
  | 'missing-is-empty'
  | 'forbidden-is-empty'
  | 'partition-of-nothing'
  | 'one-snapshot-for-all'
  | 'null-where-none-may-be'
  | 'loses-a-row-in-a-second-scan'
  | 'rounds-decimals'
  | 'another-column'
  | 'filter-loses'
  | 'half-of-an-or'
  | 'limit-too-low'
  | 'limit-unused'
  | 'false-residual'
  | 'false-bounds'
  | 'scan-writes'

type Row = Readonly<Record<string, unknown>>

export const catalogOrders: readonly Row[] = [1, 2, 3, 4, 5].map((id) => ({
  id,
  total: `${(9007199254740993n + BigInt(id)).toString()}.10`,
  channel: id % 2 === 0 ? 'web' : 'store',
  note: id === 3 ? null : `note ${id}`,
}))

/** Files of the table of events: lines of JSON, one day each. */
const files = ['2026-01-01', '2026-01-02'].map((day, index) => ({
  day,
  lines: [1, 2, 3].map((id) => ({ id: index * 10 + id, kind: id === 2 ? 'click' : 'view' })),
}))

const pageRows = 5

/** The part of the shop's service that is a catalog. */
export const catalogRoute: Route = (url) => {
  const [, root, ...path] = url.pathname.split('/')
  if (root !== 'catalog') return undefined
  const found = (body: unknown) => ({ status: 200, body })
  switch (path.join('/')) {
    case '':
      return found([['north'], ['south']])
    case 'north':
      return found(['orders', 'events'])
    case 'south':
      return found([])
    case 'north/orders/rows': {
      const start = Number(url.searchParams.get('page')) * pageRows
      return found(catalogOrders.slice(start, start + pageRows))
    }
    case 'north/events/files':
      return found(files)
    case 'north/orders':
    case 'north/events':
      return found({})
    default:
      return { status: 404, body: {} }
  }
}

const column = (name: string, type: LogicalType, nullable = false): Column => ({ name, type, nullable })

export const shopCatalog = (mutation?: CatalogMutation) => {
  const is = isOneOf(mutation)
  const client = shopClient(is)
  let schemas = 0

  const orders = (context: ShopContext, rows: number): ZeroCopyTable => {
    let scans = 0
    async function* read({ columns, filter, limit = rows, signal }: ScanRequest) {
      const again = scans++ > 0 && filter === undefined && limit === rows && columns.length > 1
      let left = is('limit-unused') ? rows : is('limit-too-low') && limit < rows ? limit - 1 : limit
      for (let page = 0; left > 0 && page * pageRows < rows; page++) {
        const path = `/catalog/north/orders/rows?page=${page}`
        const all = await client.get<Row[]>(context, path, [], { signal })
        if (all.length === 0) return
        const fitting = all
          .slice(again && page === 0 && is('loses-a-row-in-a-second-scan') ? 1 : 0, rows - page * pageRows)
          .filter((row) => filter === undefined || canFulfil(filter, row, is))
          .slice(0, left)
        left -= fitting.length
        yield fitting.map((row) => pick(row, columns))
      }
    }
    const pick = (row: Row, columns: ScanRequest['columns']): Row =>
      Object.fromEntries(
        columns.map(([name]) => {
          if (is('another-column') && columns.length === 1 && name === 'note') return [name, row.channel]
          return [name, is('rounds-decimals') && name === 'total' ? `${Number(row[name])}.10` : row[name]]
        }),
      )
    return {
      namespace: ['north'],
      name: 'orders',
      versionId: `orders-${rows}`,
      schema: {
        columns: [
          column('id', bigint),
          column('total', { type: 'decimal', precision: 18, scale: 2 }),
          { ...column('channel', text), ...(is('schema-varies') && { description: `call ${schemas++}` }) },
          column('note', text, !is('null-where-none-may-be')),
        ],
      },
      scan: async (request) => {
        if (is('scan-writes')) await client.get(context, '/orders', [], { method: 'POST' })
        return { kind: 'rows', rows: () => read(request) }
      },
      details: async () => details,
    }
  }

  const details: CatalogTableDetails = {
    format: 'json',
    partitions: [
      { name: 'by', transform: 'identity', column: is('partition-of-nothing') ? 'nothing' : 'channel' },
    ],
    snapshots: [1, 2].map((id) => ({
      id: BigInt(id),
      timestamp: new Date(Date.UTC(2026, 0, id)),
      rows: id === 1 ? 3n : 5n,
    })),
    refs: [{ name: 'main', kind: 'branch', snapshotId: 2n }],
  }

  const events = (context: ShopContext): ZeroCopyTable => ({
    namespace: ['north'],
    name: 'events',
    schema: { columns: [column('id', bigint), column('kind', text), column('day', text)] },
    scan: async ({ columns, filter, signal }) => {
      const all = await client.get<typeof files>(context, '/catalog/north/events/files', [], { signal })
      const kept = all.filter(({ day }) => filter === undefined || canFulfil(filter, { day }, () => false))
      const names = columns.map(([name]) => name)
      return {
        kind: 'files',
        files: kept.map((file) => fileOf(file, names, is('false-residual') ? false : filter !== undefined)),
        receipt: { ...noReceipt, files: kept.length, filesSkipped: all.length - kept.length },
        ...(filter === undefined && {
          exact: { rows: 6n, bounds: { id: { min: is('false-bounds') ? 0n : 1n, max: 13n } } },
        }),
      }
    },
  })

  return defineZeroCopy({
    name: is('bad-name') ? 'Shop Catalog' : 'zero-copy-shop',
    config: shopConfig(is),
    capabilities: {
      pushdown: {
        columns: true,
        filters: ['compare', 'in', 'starts-with', 'is-null', 'and', 'or'],
        limit: true,
      },
      timeTravel: true,
    },
    check: client.check,
    namespaces: async (context) => {
      client.greet(context)
      try {
        const found = await client.get<string[][]>(context, '/catalog/', [])
        return [...found, ...(is('namespace-twice') ? found : [])].map((namespace) => ({ namespace }))
      } catch (error) {
        if (is('forbidden-is-empty') && (error as ConnectorError).kind === 'permission') return []
        throw error
      }
    },
    tables: async (context, { namespace }) => {
      const of = is('tables-of-others') ? ['north'] : namespace
      const names = await client.get<string[]>(context, `/catalog/${of.join('/')}`, [])
      return names.map((name) => ({ namespace: of, name }))
    },
    open: async (context, { namespace, name }, { at }) => {
      const known = ['orders', 'events'].includes(name)
      if (!known && is('missing-is-empty')) return { ...events(context), namespace, name }
      await client.get(context, `/catalog/${[...namespace, name].join('/')}`, {})
      if (name === 'events') return events(context)
      const snapshot = at && 'snapshotId' in at ? at.snapshotId : 2n
      if (snapshot > 2n)
        throw new ConnectorError('not-found', `There is no snapshot ${snapshot}.`, { hint: 'See describe.' })
      return orders(context, snapshot === 1n && !is('one-snapshot-for-all') ? 3 : 5)
    },
    policy: () => ({ policy: { read: is('asks-for-more-than-its-policy') ? [] : ['catalog'] } }),
  })
}

const noReceipt = {
  manifests: 0,
  manifestsSkipped: 0,
  files: 0,
  filesSkipped: 0,
  deleteFiles: 0,
  bytesTotal: 0,
  metadataRequests: 1,
  metadataBytes: 0,
  skipped: {},
}

const fileOf = (
  { day, lines }: (typeof files)[number],
  names: readonly string[],
  residual: boolean,
): ScanFile => {
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return {
    file: {
      url: `shop://events/${day}`,
      size: bytes.length,
      async *read({ start, end }) {
        yield bytes.subarray(start, end)
      },
    },
    format: { type: 'ndjson', compression: 'none' },
    rows: lines.length,
    columns: names.map((name) => ({
      name,
      type: name === 'id' ? bigint : text,
      source: name === 'day' ? { from: 'constant', value: day } : { from: 'name', name },
    })),
    deletes: [],
    residual,
  }
}

/** False when a row with these values can't fulfil the filter; values that are not known may be any. */
const canFulfil = (filter: Predicate, row: Row, is: (mutation: CatalogMutation) => boolean): boolean => {
  if (filter.kind === 'and') return filter.of.every((part) => canFulfil(part, row, is))
  if (filter.kind === 'or')
    return filter.of.slice(0, is('half-of-an-or') ? 1 : undefined).some((part) => canFulfil(part, row, is))
  if (!('column' in filter)) return true
  const value = row[filter.column[0]]
  if (value === undefined) return true
  switch (filter.kind) {
    case 'compare':
      return typeof value !== 'string' || filter.column[0] === 'total'
        ? true
        : compares(value, filter.operator, String(filter.value), is('filter-loses'))
    case 'in':
      return typeof value !== 'string' || filter.column[0] === 'total' || filter.values.includes(value)
    case 'starts-with':
      return value !== null && String(value).startsWith(filter.prefix)
    case 'is-null':
      return value === null
    default:
      return true
  }
}

const compares = (value: string, operator: string, other: string, strict: boolean): boolean => {
  if (value === other) return operator === '=' || (operator.endsWith('=') && !strict)
  return operator === '<>' || (value < other ? operator.startsWith('<') : operator.startsWith('>'))
}
