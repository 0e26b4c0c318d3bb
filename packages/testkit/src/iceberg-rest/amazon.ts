import { type GlueAccess, glueResources } from '../glue/access.ts'
import { GlueError } from '../glue/errors.ts'
import { tableBucketPath } from '../glue/model.ts'
import { type GlueStore, parseCatalogId, requireCatalog } from '../glue/store.ts'
import type { RestCatalog } from './handle.ts'
import type { Route } from './route.ts'

interface Options {
  store: GlueStore
  access: GlueAccess
  tableConfig: RestCatalog['tableConfig']
}

/** IAM actions of the operations. Source: "AWS Glue REST APIs for Apache Iceberg", Glue developer guide. */
const glueActions = {
  ListNamespaces: 'glue:GetDatabases',
  LoadNamespace: 'glue:GetDatabase',
  ListTables: 'glue:GetTables',
  LoadTable: 'glue:GetTable',
} as const

/** The Iceberg REST endpoint of Glue: `https://glue.REGION.amazonaws.com/iceberg`. */
export function glueRest({ store, access, tableConfig }: Options): RestCatalog {
  return {
    reach(route) {
      const place = parseCatalogId(route.prefix.replace(/^catalogs\/?/, ''), access.account)
      const [database, table] = named(route)
      access.require(actionOf(glueActions, route), glueResources(access, place, database, table))
      return requireCatalog(store, place.account, place.path)
    },
    config(warehouse) {
      const place = parseCatalogId(warehouse, access.account)
      access.require('glue:GetCatalog', glueResources(access, place))
      requireCatalog(store, place.account, place.path)
      const id = place.path === '' ? place.account : `${place.account}:${place.path}`
      return { defaults: {}, overrides: { prefix: `catalogs/${id}` } }
    },
    tableConfig,
  }
}

/** IAM actions of the operations. Source: "Accessing tables using the S3 Tables Iceberg REST endpoint", S3 user guide. */
const tablesActions = {
  ListNamespaces: ['s3tables:ListNamespaces'],
  LoadNamespace: ['s3tables:GetNamespace'],
  ListTables: ['s3tables:ListTables'],
  LoadTable: ['s3tables:GetTableMetadataLocation', 's3tables:GetTableData'],
} as const

const bucketArn = /^arn:aws:s3tables:([a-z0-9-]+):(\d{12}):bucket\/([a-z0-9-]+)$/

/** The Iceberg REST endpoint of S3 Tables: the warehouse is the ARN of a table bucket, and so is the prefix. */
export function tablesRest({ store, access, tableConfig }: Options): RestCatalog {
  const find = (arn: string, actions: readonly string[], resource = arn) => {
    const [, , account = '', bucket = ''] = bucketArn.exec(arn) ?? []
    if (bucket === '') throw new GlueError('ValidationException', `${arn} is no ARN of a table bucket`)
    for (const action of actions) access.require(action, [resource])
    return requireCatalog(store, account, tableBucketPath(bucket))
  }
  return {
    reach(route) {
      const resource =
        route.table === '' ? route.prefix : tableArn(route.prefix, route.namespace, route.table)
      return find(route.prefix, actionOf(tablesActions, route), resource)
    },
    config(warehouse = '') {
      find(warehouse, ['s3tables:GetTableBucket'])
      return { defaults: {}, overrides: { prefix: encodeURIComponent(warehouse) } }
    },
    tableConfig,
  }
}

/** ARN of a table: AWS has an id of its own there; here the names tell it. */
export const tableArn = (bucket: string, namespace: readonly string[], table: string): string =>
  `${bucket}/table/${[...namespace, table].join('.')}`

/** Database and table that the rights are checked on; `*` where all are listed. */
function named({ operation, namespace, table }: Route): [string, string?] {
  const database = namespace.join('.')
  if (operation === 'ListNamespaces') return ['*']
  if (operation === 'LoadNamespace') return [database]
  return [database, operation === 'ListTables' ? '*' : table]
}

function actionOf<Action>(actions: Readonly<Record<string, Action>>, { operation }: Route): Action {
  const action = actions[operation]
  if (action === undefined) throw new GlueError('UnknownOperationException', `There is no ${operation} here`)
  return action
}
