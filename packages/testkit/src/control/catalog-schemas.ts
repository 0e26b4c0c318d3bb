import { z } from 'zod'
import type { NewTable } from '../glue/direct.ts'
import type { RestSettings } from '../iceberg-rest/generic.ts'
import { present } from './present.ts'

const column = z.strictObject({ name: z.string(), type: z.string() })
const texts = z.record(z.string(), z.string())

export const databaseSchema = z.strictObject({
  name: z.string(),
  catalog: z.string().optional(),
  description: z.string().optional(),
  locationUri: z.string().optional(),
})

export const tableSchema = z.strictObject({
  database: z.string(),
  name: z.string(),
  catalog: z.string().optional(),
  metadataLocation: z.string().optional(),
  format: z.enum(['parquet', 'csv', 'json', 'orc', 'avro']).optional(),
  location: z.string().optional(),
  columns: z.array(column).optional(),
  partitionKeys: z.array(column).optional(),
  partitions: z.array(z.strictObject({ values: z.array(z.string()), location: z.string() })).optional(),
  serdeParameters: texts.optional(),
  parameters: texts.optional(),
  tableType: z.string().optional(),
  lakeFormation: z
    .strictObject({ columns: z.array(z.string()).optional(), rowFilter: z.string().optional() })
    .optional(),
})

export const tableBucketSchema = z.strictObject({ name: z.string(), region: z.string().optional() })

export const metadataLocationSchema = z.strictObject({
  database: z.string(),
  name: z.string(),
  catalog: z.string().optional(),
  location: z.string(),
})

export const glueSettingsSchema = z.strictObject({
  pageSize: z.int().positive().optional(),
  restMetadata: z.enum(['inline', 'null']).optional(),
})

export const restNamespaceSchema = z.strictObject({
  levels: z.array(z.string()).min(1),
  properties: texts.optional(),
})

export const restTableSchema = z.strictObject({
  namespace: z.array(z.string()).min(1),
  name: z.string(),
  metadataLocation: z.string(),
})

export const restSettingsSchema = z.strictObject({
  auth: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('bearer'), token: z.string() }),
      z.strictObject({
        kind: z.literal('oauth2'),
        clientId: z.string(),
        clientSecret: z.string(),
        scope: z.string().optional(),
        expiresIn: z.number().positive().optional(),
      }),
    ])
    .optional(),
  prefix: z.string().optional(),
  warehouse: z.string().optional(),
  vendRole: z.string().optional(),
})

/** What the schemas leave undefined is absent in what the catalogs take. */
export const newTable = ({ lakeFormation, ...table }: z.output<typeof tableSchema>): NewTable => ({
  ...present(table),
  ...(lakeFormation && { lakeFormation: present(lakeFormation) }),
})

export const restSettings = ({ auth, ...settings }: z.output<typeof restSettingsSchema>): RestSettings => ({
  ...present(settings),
  ...(auth && { auth: present(auth) }),
})
