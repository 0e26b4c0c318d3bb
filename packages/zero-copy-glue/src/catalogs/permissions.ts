import { glueArn, parseCatalogId } from '@penstock/aws'

export type RestOperation = 'GetConfig' | 'ListNamespaces' | 'ListTables' | 'LoadTable'

/** What an operation of the REST protocol needs: an IAM action and its resource, or what stands for them elsewhere. */
export type Permissions = (
  operation: RestOperation,
  namespace?: readonly string[],
  table?: string,
) => {
  readonly operation: string
  readonly action: string
  readonly resource: string
  readonly subject: string
}

const subjectOf = (operation: RestOperation, namespace: readonly string[], table?: string): string => {
  if (operation === 'GetConfig') return 'warehouse'
  if (namespace.length === 0) return 'catalog'
  return table === undefined ? `namespace ${namespace.join('.')}` : `table ${[...namespace, table].join('.')}`
}

const glueActions = {
  GetConfig: 'glue:GetCatalog',
  ListNamespaces: 'glue:GetDatabases',
  ListTables: 'glue:GetTables',
  LoadTable: 'glue:GetTable',
} as const

export const gluePermissions =
  (region: string, catalogId: string | undefined): Permissions =>
  (operation, namespace = [], table) => {
    const place = { region, ...parseCatalogId(catalogId) }
    const names = {
      GetConfig: [],
      ListNamespaces: ['*'],
      ListTables: [...namespace, '*'],
      LoadTable: [...namespace, table ?? '*'],
    }[operation]
    return {
      operation,
      action: glueActions[operation],
      resource: glueArn(place, ...names),
      subject: subjectOf(operation, namespace, table),
    }
  }

const tablesActions = {
  GetConfig: 's3tables:GetTableBucket',
  ListNamespaces: 's3tables:ListNamespaces',
  ListTables: 's3tables:ListTables',
  LoadTable: 's3tables:GetTableMetadataLocation',
} as const

export const tablesPermissions =
  (bucketArn: string): Permissions =>
  (operation, namespace = [], table) => ({
    operation,
    action: tablesActions[operation],
    resource: operation === 'LoadTable' ? `${bucketArn}/table/*` : bucketArn,
    subject: subjectOf(operation, namespace, table),
  })

export const genericPermissions: Permissions = (operation, namespace = [], table) => ({
  operation,
  action: operation,
  resource: subjectOf(operation, namespace, table),
  subject: subjectOf(operation, namespace, table),
})

/** A path below the catalog. The prefix is taken as it is; the rest is encoded. */
export const restPath = (prefix: string, segments: readonly string[]): string =>
  [
    'v1',
    ...(prefix === '' ? [] : [prefix.replace(/^\/+|\/+$/g, '')]),
    ...segments.map(encodeURIComponent),
  ].join('/')
