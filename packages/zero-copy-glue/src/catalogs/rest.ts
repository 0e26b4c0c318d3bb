import type { AwsAuthentication, AwsCredentials, CatalogRest } from '@penstock/aws'
import { type CatalogTable, ConnectorError } from '@penstock/core'
import type { Catalog, IcebergTable } from './catalog.ts'
import { type Permissions, restPath } from './permissions.ts'
import {
  jsonBytes,
  readConfig,
  readIdentifiers,
  readNamespaces,
  readTable,
  type VendedKeys,
} from './rest-answers.ts'

export interface RestCatalogOptions {
  readonly rest: CatalogRest
  readonly warehouse: string | undefined
  /** What each request needs, for messages. */
  readonly permissions: Permissions
  /** Prefix where the catalog gives none. */
  readonly defaultPrefix: string | undefined
  /** Whether namespaces lie in each other. */
  readonly nested: boolean
  readonly vendedCredentials: boolean
  readonly clock: () => Date
}

/** A catalog of Iceberg tables alone. */
export interface RestCatalog extends Catalog {
  load(table: CatalogTable): Promise<IcebergTable>
}

/** Levels of a namespace are joined by this character in paths and parameters. */
const levelSeparator = '\u001f'

/** Asks the catalog to hand out credentials for the files; sent only where the user wants them. */
const delegation = { 'x-iceberg-access-delegation': 'vended-credentials' }

/**
 * A catalog of the Iceberg REST protocol,
 * https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
 */
export const restCatalog = (options: RestCatalogOptions): RestCatalog => {
  const { rest, warehouse, permissions, nested } = options
  let prefix: Promise<string> | undefined

  const loadPrefix = async (): Promise<string> => {
    const answer = await rest.get({
      ...permissions('GetConfig'),
      path: 'v1/config',
      ...(warehouse === undefined ? {} : { query: { warehouse } }),
    })
    return readConfig(answer).prefix ?? options.defaultPrefix ?? ''
  }

  /** The prefix comes ready for the path: S3 Tables gives it percent-encoded. */
  const pathOf = async (...segments: readonly string[]): Promise<string> => {
    prefix ??= loadPrefix().catch((error: unknown) => {
      prefix = undefined
      throw error
    })
    return restPath(await prefix, segments)
  }

  /** All pages of a listing. Servers that page say so by a token, whether they were asked to or not. */
  async function* pages(
    operation: 'ListNamespaces' | 'ListTables',
    namespace: readonly string[],
    segments: readonly string[],
    query: Readonly<Record<string, string>>,
  ): AsyncGenerator<unknown> {
    const path = await pathOf(...segments)
    const seen = new Set<string>()
    // No token to begin with: servers that page do so unasked, and not every server takes an empty one.
    for (let token: string | undefined; ; ) {
      const answer: unknown = await rest.get({
        ...permissions(operation, namespace),
        path,
        query: token === undefined ? query : { ...query, pageToken: token },
      })
      yield answer
      token = nextToken(answer)
      if (token === undefined) return
      if (seen.has(token))
        throw new ConnectorError('data', `The catalog gives the same page of ${operation} again and again.`)
      seen.add(token)
    }
  }

  async function* namespacesBelow(parent: readonly string[]): AsyncGenerator<readonly string[]> {
    const query = parent.length === 0 ? {} : { parent: parent.join(levelSeparator) }
    for await (const answer of pages('ListNamespaces', parent, ['namespaces'], query))
      for (const namespace of readNamespaces(answer)) {
        yield namespace
        if (nested) yield* namespacesBelow(namespace)
      }
  }

  const loadTable = async ({ namespace, name }: CatalogTable) =>
    readTable(
      await rest.get({
        ...permissions('LoadTable', namespace, name),
        path: await pathOf('namespaces', namespace.join(levelSeparator), 'tables', name),
        ...(options.vendedCredentials ? { headers: delegation } : {}),
      }),
      [...namespace, name].join('.'),
    )

  /** New credentials come with the table again. */
  const vendedAuthentication = (table: CatalogTable, first: VendedKeys): AwsAuthentication => {
    let current: AwsCredentials = first
    const renew = async (): Promise<AwsCredentials> => {
      current = (await loadTable(table)).vended ?? current
      return current
    }
    return Object.freeze({
      method: 'access-key',
      provider:
        () =>
        async ({ rejected }: { readonly rejected?: AwsCredentials } = {}) => {
          const left = (current.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - options.clock().getTime()
          return rejected === current || left < renewBeforeMs ? renew() : current
        },
    })
  }

  return {
    reach: async () => void (await pathOf()),
    async *namespaces() {
      for await (const namespace of namespacesBelow([])) yield { namespace }
    },
    async *tables(namespace) {
      const segments = ['namespaces', namespace.join(levelSeparator), 'tables']
      for await (const answer of pages('ListTables', namespace, segments, {})) yield* readIdentifiers(answer)
    },
    load: async (table): Promise<IcebergTable> => {
      const { metadataLocation, metadata, vended } = await loadTable(table)
      return {
        kind: 'iceberg',
        // The file is what the writer wrote: Glue puts the inline metadata together itself, or leaves it out.
        ...(metadataLocation === undefined ? { metadata: jsonBytes(metadata) } : { metadataLocation }),
        ...(options.vendedCredentials && vended ? { vended: vendedAuthentication(table, vended) } : {}),
      }
    },
  }
}

const renewBeforeMs = 60_000

const nextToken = (answer: unknown): string | undefined => {
  const token = (answer as Record<string, unknown> | null)?.['next-page-token']
  return typeof token === 'string' && token !== '' ? token : undefined
}
