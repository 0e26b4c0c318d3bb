import { gunzipSync } from 'node:zlib'
import { GlueError } from '../glue/errors.ts'
import { type Catalog, type Database, isIceberg, type Table } from '../glue/model.ts'
import { type GlueStore, pageOf } from '../glue/store.ts'
import type { Reply } from '../types.ts'
import { levelSeparator, type Route } from './route.ts'

/** What differs between the catalogs of Glue, S3 Tables and others. */
export interface RestCatalog {
  /** Checks the caller's rights, then finds the catalog. Throws GlueError. */
  reach(route: Route): Catalog
  /** Answer to `GET /v1/config`. */
  config(warehouse: string | undefined): Record<string, unknown>
  /** Settings that come with a table, such as credentials for its files. */
  tableConfig(): Record<string, string>
}

export interface RestRequest {
  route: Route
  catalog: RestCatalog
  store: GlueStore
  /** Parameters of the query, decoded. */
  query: ReadonlyMap<string, string>
  /** Content of an object by its `s3://` location, undefined when it is not there. */
  readObject(location: string): Promise<Buffer | undefined>
  requestId: string
}

/** Answers one request of the Iceberg REST protocol (`rest-catalog-open-api.yaml`). Throws GlueError. */
export async function handleRest(request: RestRequest): Promise<Reply> {
  const { route, catalog, requestId } = request
  const reply = (body: string): Reply => ({
    status: 200,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
    body,
  })
  if (route.operation === 'GetConfig')
    return reply(JSON.stringify(catalog.config(request.query.get('warehouse'))))
  const found = catalog.reach(route)
  switch (route.operation) {
    case 'ListNamespaces':
      return reply(JSON.stringify(listNamespaces(found, request)))
    case 'LoadNamespace':
      return reply(JSON.stringify(describeNamespace(route.namespace, requireNamespace(found, route))))
    case 'ListTables':
      return reply(JSON.stringify(listTables(requireNamespace(found, route), request)))
    default:
      return reply(await loadTable(requireNamespace(found, route), request))
  }
}

function requireNamespace(catalog: Catalog, { namespace }: Route): Database {
  const database = catalog.databases.get(namespace.join(levelSeparator))
  if (database) return database
  throw new GlueError('NoSuchNamespaceException', `Namespace does not exist: ${namespace.join('.')}`)
}

/** Namespaces right below `parent`, those at the top without one. */
function listNamespaces(catalog: Catalog, request: RestRequest) {
  const parent = request.query.get('parent')
  if (parent !== undefined)
    requireNamespace(catalog, { ...request.route, namespace: parent.split(levelSeparator) })
  const start = parent === undefined ? '' : `${parent}${levelSeparator}`
  const levels = start.split(levelSeparator).length
  const below = [...catalog.databases].filter(
    ([name]) => name.startsWith(start) && name.split(levelSeparator).length === levels,
  )
  const page = pageOf(new Map(below.map(([name]) => [name, name.split(levelSeparator)])), paging(request))
  return { namespaces: page.entries, 'next-page-token': page.nextToken ?? null }
}

const describeNamespace = (namespace: string[], { input }: Database) => ({
  namespace,
  properties: {
    ...input.Parameters,
    ...(input.LocationUri !== undefined && { location: input.LocationUri }),
    ...(input.Description !== undefined && { comment: input.Description }),
  },
})

/** Tables of every kind, as Glue lists them. */
function listTables({ tables }: Database, request: RestRequest) {
  const page = pageOf(tables, paging(request))
  const identifiers = page.entries.map(({ input }) => ({
    namespace: request.route.namespace,
    name: input.Name,
  }))
  return { identifiers, 'next-page-token': page.nextToken ?? null }
}

function paging({ query, store }: RestRequest) {
  const size = Number(query.get('pageSize') ?? Number.NaN)
  if (query.has('pageSize') && !(Number.isInteger(size) && size > 0))
    throw new GlueError('ValidationException', 'pageSize must be a whole number above 0')
  return { token: query.get('pageToken'), size: Number.isNaN(size) ? undefined : size, most: store.pageSize }
}

async function loadTable({ tables }: Database, request: RestRequest): Promise<string> {
  const { route, store, catalog } = request
  const name = [...route.namespace, route.table].join('.')
  const table = tables.get(route.table)
  if (!table) throw new GlueError('NoSuchTableException', `Table does not exist: ${name}`)
  const location = table.input.Parameters?.metadata_location
  if (!isIceberg(table) || location === undefined)
    throw new GlueError('NoSuchIcebergTableException', `Input Glue table is not an iceberg table: ${name}`)
  refuseFiltered(table, name)
  const config = catalog.tableConfig()
  const rest = `"config":${JSON.stringify(config)},"metadata-location":${JSON.stringify(location)}`
  if (store.restMetadata === 'null') return `{"metadata":null,${rest}}`
  const content = await request.readObject(location)
  if (!content) throw new GlueError('InvalidInputException', `There is no metadata file at ${location}`)
  // As text: ids above 2^53 have to arrive as they are.
  return `{"metadata":${plain(content).toString('utf8')},${rest}}`
}

const plain = (content: Buffer): Buffer =>
  content[0] === 0x1f && content[1] === 0x8b ? gunzipSync(content) : content

/** The endpoint gives whole tables alone: there is nobody behind it who would apply a filter. */
function refuseFiltered({ lakeFormation }: Table, name: string): void {
  if (!lakeFormation?.columns && lakeFormation?.rowFilter === undefined) return
  throw new GlueError(
    'AccessDeniedException',
    `Insufficient Lake Formation permission(s) on ${name}: full table access is required`,
  )
}
