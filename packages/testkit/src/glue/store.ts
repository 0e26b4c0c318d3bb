import type { Clock } from '../types.ts'
import { GlueError } from './errors.ts'
import type { Catalog, Database, Table } from './model.ts'

/** Catalogs of all accounts, in memory. */
export interface GlueStore {
  clock: Clock
  /** Entries of a page at most, whatever the client asks for: tests of paging lower it. */
  pageSize: number
  /** What the Iceberg REST endpoint gives as `metadata`: the file's content, or null as Glue may. */
  restMetadata: 'inline' | 'null'
  catalogs: Map<string, Catalog>
  /** Called after a change of the catalogs. */
  changed: () => void
}

const nameOf = (account: string, path: string): string => `${account}:${path}`

export const createGlueStore = (clock: Clock): GlueStore => ({
  clock,
  pageSize: 100,
  restMetadata: 'inline',
  catalogs: new Map(),
  changed: () => {},
})

/** The catalog, made where it is not there yet; so are those above it. */
export function ensureCatalog(store: GlueStore, account: string, path: string): Catalog {
  const parent = path.lastIndexOf('/')
  if (path !== '') ensureCatalog(store, account, parent < 0 ? '' : path.slice(0, parent))
  const name = nameOf(account, path)
  let catalog = store.catalogs.get(name)
  if (!catalog) {
    catalog = { account, path, createTime: store.clock(), databases: new Map() }
    store.catalogs.set(name, catalog)
  }
  return catalog
}

/** `111122223333`, `111122223333:cat1/cat2`, `cat1/cat2` or `:` as account and path; nothing is the account's default. */
export function parseCatalogId(id: string | undefined, account: string): { account: string; path: string } {
  const [, owner, path] = /^(?:(\d{12})(?::|$)|:)?(.*)$/.exec(id ?? '') ?? []
  return { account: owner ?? account, path: (path ?? '').replaceAll(':', '/') }
}

export function requireCatalog(store: GlueStore, account: string, path: string): Catalog {
  // Every account has its default catalog.
  const catalog =
    path === '' ? ensureCatalog(store, account, path) : store.catalogs.get(nameOf(account, path))
  if (!catalog) throw new GlueError('EntityNotFoundException', `Catalog ${path} not found.`)
  return catalog
}

export function requireDatabase(catalog: Catalog, name: string): Database {
  const database = catalog.databases.get(name)
  if (!database) throw new GlueError('EntityNotFoundException', `Database ${name} not found.`)
  return database
}

export function requireTable(database: Database, name: string): Table {
  const table = database.tables.get(name)
  if (!table) throw new GlueError('EntityNotFoundException', `Entity Not Found: Table ${name} not found.`)
  return table
}

export interface Page<Entry> {
  entries: Entry[]
  nextToken?: string
}

/** One page of entries, in the order of their names; the token names the last entry of the page before. */
export function pageOf<Entry>(
  named: ReadonlyMap<string, Entry>,
  { token, size, most }: { token: string | undefined; size: number | undefined; most: number },
): Page<Entry> {
  const names = [...named.keys()].sort()
  const after = token === undefined || token === '' ? undefined : Buffer.from(token, 'base64url').toString()
  if (after !== undefined && !named.has(after))
    throw new GlueError('InvalidInputException', 'The token of the next page is not valid.')
  const start = after === undefined ? 0 : names.indexOf(after) + 1
  const page = names.slice(start, start + Math.min(size ?? most, most))
  const last = page.at(-1)
  return {
    entries: page.map((name) => named.get(name) as Entry),
    ...(last !== undefined &&
      start + page.length < names.length && { nextToken: Buffer.from(last).toString('base64url') }),
  }
}
