import type { PolicyOptions } from '@penstock/core'
import { glueArn, parseCatalogId } from '../catalog/glue.ts'
import { awsPartition } from '../connection/endpoint.ts'
import { type PolicyDocument, type PolicyStatement, policyDocument } from './documents.ts'
import { limited } from './limits.ts'

/** What a policy of a zero-copy connection is about. */
export interface ZeroCopyPolicyTarget {
  readonly region: string
  /** Which actions a catalog needs; `none`: it is none of AWS, and only files are read. */
  readonly catalog: 'glue' | 's3-tables' | 'none'
  /** Id of the Data Catalog, or ARN of the table bucket. */
  readonly catalogId?: string | undefined
  /** Chosen databases and tables; all when undefined. */
  readonly shares?:
    | readonly { readonly database: string; readonly tables?: readonly string[] | undefined }[]
    | undefined
  /** Where the files are: `s3://bucket/prefix/`; anywhere when empty. */
  readonly locations: readonly string[]
}

/** Least privilege of a zero-copy connection: section 1 of the connector specification. */
export const zeroCopyPolicy = (target: ZeroCopyPolicyTarget, options: PolicyOptions = {}): PolicyDocument => {
  const objects = objectArns(target)
  const statements = [
    ...(target.catalog === 'glue' ? glueStatements(target) : []),
    ...(target.catalog === 's3-tables' ? tablesStatements(target.catalogId ?? '*') : []),
    ...(objects.length > 0 ? fileStatements(target, objects) : []),
  ]
  const resources = statements.flatMap(({ Resource = [] }) => Resource)
  const services = unique(
    statements.flatMap(({ Action }) => Action).map((action) => action.replace(/:.*/, ':*')),
  )
  return policyDocument(limited(statements, unique(resources), options, services))
}

const allow = (
  Sid: string,
  Action: string | readonly string[],
  Resource: string | readonly string[],
): PolicyStatement => ({ Sid, Effect: 'Allow', Action, Resource })

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]

/** An action is needed on a table, on its database and on the catalog. A listing is one of all that is there. */
const glueStatements = ({ region, catalogId, shares }: ZeroCopyPolicyTarget): readonly PolicyStatement[] => {
  const place = { region, ...parseCatalogId(catalogId) }
  const catalogs = unique([
    ...(place.path === undefined ? [] : [glueArn({ ...place, path: undefined })]),
    glueArn(place),
  ])
  const databases = shares?.map(({ database }) => database) ?? ['*']
  const tables = shares?.flatMap(({ database, tables: names = ['*'] }) =>
    names.map((name) => glueArn(place, database, name)),
  ) ?? [glueArn(place, '*', '*')]
  const databaseArns = databases.map((database) => glueArn(place, database))
  return [
    allow('ListDatabases', ['glue:GetCatalog', 'glue:GetDatabases'], [...catalogs, glueArn(place, '*')]),
    allow(
      'ListTables',
      ['glue:GetDatabase', 'glue:GetTables'],
      [...catalogs, ...databaseArns, ...databases.map((database) => glueArn(place, database, '*'))],
    ),
    allow(
      'ReadTables',
      ['glue:GetTable', 'glue:GetPartitions'],
      [...catalogs, ...unique(databaseArns), ...unique(tables)],
    ),
  ]
}

const tablesStatements = (bucket: string): readonly PolicyStatement[] => [
  allow('ListTables', ['s3tables:GetTableBucket', 's3tables:ListNamespaces', 's3tables:ListTables'], bucket),
  allow('ReadNamespaces', 's3tables:GetNamespace', bucket),
  allow('ReadTables', ['s3tables:GetTableMetadataLocation', 's3tables:GetTableData'], `${bucket}/table/*`),
]

interface Location {
  readonly bucket: string
  readonly prefix: string
}

const parseLocation = (location: string): Location => {
  const [, bucket = '*', prefix = ''] = /^s3[an]?:\/\/([^/]+)\/?(.*)$/.exec(location) ?? []
  return { bucket, prefix }
}

const locationsOf = ({ catalog, locations }: ZeroCopyPolicyTarget): readonly Location[] => {
  const found = locations.map(parseLocation)
  // Files of S3 Tables are read by a right on the table, not by one on an object.
  return found.length === 0 && catalog !== 's3-tables' ? [{ bucket: '*', prefix: '' }] : found
}

const objectArns = (target: ZeroCopyPolicyTarget): readonly string[] => {
  const partition = awsPartition(target.region).id
  return unique(locationsOf(target).map(({ bucket, prefix }) => `arn:${partition}:s3:::${bucket}/${prefix}*`))
}

const fileStatements = (
  target: ZeroCopyPolicyTarget,
  objects: readonly string[],
): readonly PolicyStatement[] => {
  const partition = awsPartition(target.region).id
  const buckets = unique(locationsOf(target).map(({ bucket }) => `arn:${partition}:s3:::${bucket}`))
  return [allow('ListFiles', 's3:ListBucket', buckets), allow('ReadFiles', 's3:GetObject', objects)]
}
