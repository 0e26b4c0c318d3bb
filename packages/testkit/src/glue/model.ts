import { z } from 'zod'

/** Glue keeps names of databases and tables in lower case. */
export const nameSchema = z
  .string()
  .min(1)
  .max(255)
  .transform((name) => name.toLowerCase())

/** Columns, inputs and partitions as the Glue API has them; what is not named here is kept and given back. */
const columnSchema = z.looseObject({ Name: z.string(), Type: z.string().optional() })

const storageDescriptorSchema = z.looseObject({
  Columns: z.array(columnSchema).optional(),
  Location: z.string().optional(),
  InputFormat: z.string().optional(),
  SerdeInfo: z.looseObject({ SerializationLibrary: z.string().optional() }).optional(),
})

export const databaseInputSchema = z.looseObject({
  Name: nameSchema,
  Description: z.string().optional(),
  LocationUri: z.string().optional(),
  Parameters: z.record(z.string(), z.string()).optional(),
})

export const tableInputSchema = z.looseObject({
  Name: nameSchema,
  TableType: z.string().optional(),
  Parameters: z.record(z.string(), z.string()).optional(),
  StorageDescriptor: storageDescriptorSchema.optional(),
  PartitionKeys: z.array(columnSchema).optional(),
})

export const partitionInputSchema = z.looseObject({
  Values: z.array(z.string()),
  StorageDescriptor: storageDescriptorSchema.optional(),
  Parameters: z.record(z.string(), z.string()).optional(),
})

export type Column = z.output<typeof columnSchema>
export type DatabaseInput = z.output<typeof databaseInputSchema>
export type TableInput = z.output<typeof tableInputSchema>
export type PartitionInput = z.output<typeof partitionInputSchema>

/** What Lake Formation lets the callers of a registered table see. */
export interface LakeFormation {
  /** Columns that are granted; all when absent. */
  columns?: readonly string[]
  /** Filter of the rows that are granted, in SQL; all when absent. */
  rowFilter?: string
}

export interface Table {
  input: TableInput
  /** Epoch ms. */
  createTime: number
  updateTime: number
  version: number
  /** By their values, joined with NUL. */
  partitions: Map<string, PartitionInput & { createTime: number }>
  /** Set for tables that are registered with Lake Formation. */
  lakeFormation?: LakeFormation
}

export interface Database {
  input: DatabaseInput
  createTime: number
  tables: Map<string, Table>
}

/** A catalog of an account: the default one, one below it, or a table bucket of S3 Tables. */
export interface Catalog {
  account: string
  /** Empty for the default catalog, else `cat1` or `cat1/cat2`. */
  path: string
  createTime: number
  databases: Map<string, Database>
  /** Of a table bucket of S3 Tables. */
  tableBucketArn?: string
}

/** Path of the catalog that stands for a table bucket of S3 Tables, as Glue federates it. */
export const tableBucketPath = (bucket: string): string => `s3tablescatalog/${bucket}`

export const partitionKey = (values: readonly string[]): string => values.join('\0')

/** Whether a table is one of Iceberg: `table_type` in any case, as writers differ. */
export const isIceberg = ({ input }: Table): boolean =>
  input.Parameters?.table_type?.toUpperCase() === 'ICEBERG'
