import { z } from 'zod'
import { type GlueAccess, glueResources } from './access.ts'
import { catalogId, describeDatabase, describePartition, describeTable } from './describe.ts'
import { GlueError } from './errors.ts'
import { parseExpression } from './expression.ts'
import {
  type Catalog,
  type Database,
  databaseInputSchema,
  nameSchema,
  type PartitionInput,
  partitionInputSchema,
  type Table,
  tableInputSchema,
} from './model.ts'
import {
  type GlueStore,
  pageOf,
  parseCatalogId,
  requireCatalog,
  requireDatabase,
  requireTable,
} from './store.ts'
import { addDatabase, addPartition, addTable } from './write.ts'

/** One call of the Glue API whose signature holds. */
export interface GlueCall {
  store: GlueStore
  access: GlueAccess
}

type Handle = (call: GlueCall, input: unknown) => Record<string, unknown>

const catalogField = { CatalogId: z.string().optional() }
const pageFields = { NextToken: z.string().optional(), MaxResults: z.int().min(1).max(1000).optional() }
const databaseField = { ...catalogField, DatabaseName: nameSchema }
const tableFields = { ...databaseField, TableName: nameSchema }

function operation<Schema extends z.ZodObject>(
  fields: Schema,
  handle: (call: GlueCall, input: z.output<Schema>) => Record<string, unknown>,
): Handle {
  return (call, input) => {
    const checked = fields.safeParse(input)
    if (checked.success) return handle(call, checked.data)
    const { path, message } = checked.error.issues[0] ?? { path: [], message: 'not valid' }
    throw new GlueError('ValidationException', `Value at '${path.join('.')}' is not valid: ${message}`)
  }
}

/** Finds the catalog after the caller's rights were checked: who may not ask learns nothing. */
function reach(
  { store, access }: GlueCall,
  action: string,
  id: string | undefined,
  names: string[] = [],
): Catalog {
  const place = parseCatalogId(id, access.account)
  access.require(`glue:${action}`, glueResources(access, place, ...names))
  return requireCatalog(store, place.account, place.path)
}

interface Found {
  catalog: Catalog
  database: Database
  table: Table
}

function reachTable(
  call: GlueCall,
  action: string,
  input: { CatalogId?: string | undefined; DatabaseName: string; TableName: string },
): Found {
  const catalog = reach(call, action, input.CatalogId, [input.DatabaseName, input.TableName])
  const database = requireDatabase(catalog, input.DatabaseName)
  return { catalog, database, table: requireTable(database, input.TableName) }
}

/** Operations of the Glue API ("Catalog API", AWS Glue API reference), by their names. */
export const glueOperations: Record<string, Handle> = {
  GetCatalog: operation(z.object(catalogField), (call, { CatalogId }) => {
    const catalog = reach(call, 'GetCatalog', CatalogId)
    const name = catalog.path.split('/').at(-1) || catalog.account
    return { Catalog: { CatalogId: catalogId(catalog), Name: name, CreateTime: catalog.createTime / 1000 } }
  }),

  GetDatabase: operation(z.object({ ...catalogField, Name: nameSchema }), (call, { CatalogId, Name }) => {
    const catalog = reach(call, 'GetDatabase', CatalogId, [Name])
    return { Database: describeDatabase(catalog, requireDatabase(catalog, Name)) }
  }),

  GetDatabases: operation(z.object({ ...catalogField, ...pageFields }), (call, input) => {
    const catalog = reach(call, 'GetDatabases', input.CatalogId, ['*'])
    const page = pageOf(catalog.databases, paging(call, input))
    return {
      DatabaseList: page.entries.map((database) => describeDatabase(catalog, database)),
      ...next(page),
    }
  }),

  GetTable: operation(z.object({ ...databaseField, Name: nameSchema }), (call, { Name, ...input }) => {
    const { catalog, database, table } = reachTable(call, 'GetTable', { ...input, TableName: Name })
    return { Table: describeTable(catalog, database, table) }
  }),

  GetTables: operation(
    z.object({ ...databaseField, ...pageFields, Expression: z.string().optional() }),
    (call, input) => {
      const catalog = reach(call, 'GetTables', input.CatalogId, [input.DatabaseName, '*'])
      const database = requireDatabase(catalog, input.DatabaseName)
      const pattern = namePattern(input.Expression)
      const named = new Map([...database.tables].filter(([name]) => pattern.test(name)))
      const page = pageOf(named, paging(call, input))
      return {
        TableList: page.entries.map((table) => describeTable(catalog, database, table)),
        ...next(page),
      }
    },
  ),

  GetPartitions: operation(
    z.object({
      ...tableFields,
      ...pageFields,
      Expression: z.string().optional(),
      ExcludeColumnSchema: z.boolean().optional(),
    }),
    (call, input) => {
      const { catalog, database, table } = reachTable(call, 'GetPartitions', input)
      const page = pageOf(matching(table, input.Expression), paging(call, input))
      const partitions = page.entries.map((partition) =>
        describePartition(catalog, database, table, partition),
      )
      return {
        Partitions: input.ExcludeColumnSchema ? partitions.map(withoutColumns) : partitions,
        ...next(page),
      }
    },
  ),

  CreateDatabase: operation(
    z.object({ ...catalogField, DatabaseInput: databaseInputSchema }),
    (call, { CatalogId, DatabaseInput }) => {
      addDatabase(call.store, reach(call, 'CreateDatabase', CatalogId, [DatabaseInput.Name]), DatabaseInput)
      return {}
    },
  ),

  DeleteDatabase: operation(z.object({ ...catalogField, Name: nameSchema }), (call, { CatalogId, Name }) => {
    const catalog = reach(call, 'DeleteDatabase', CatalogId, [Name])
    requireDatabase(catalog, Name)
    catalog.databases.delete(Name)
    return {}
  }),

  CreateTable: operation(z.object({ ...databaseField, TableInput: tableInputSchema }), (call, input) => {
    const { CatalogId, DatabaseName, TableInput } = input
    const catalog = reach(call, 'CreateTable', CatalogId, [DatabaseName, TableInput.Name])
    addTable(call.store, requireDatabase(catalog, DatabaseName), TableInput)
    return {}
  }),

  UpdateTable: operation(
    z.object({ ...databaseField, TableInput: tableInputSchema, VersionId: z.string().optional() }),
    (call, { TableInput, VersionId, ...input }) => {
      const { table } = reachTable(call, 'UpdateTable', { ...input, TableName: TableInput.Name })
      if (VersionId !== undefined && VersionId !== String(table.version))
        throw new GlueError('InvalidInputException', `Table ${TableInput.Name} was changed by somebody else.`)
      table.input = { ...TableInput, Name: table.input.Name }
      table.updateTime = call.store.clock()
      table.version++
      return {}
    },
  ),

  DeleteTable: operation(z.object({ ...databaseField, Name: nameSchema }), (call, { Name, ...input }) => {
    const { database } = reachTable(call, 'DeleteTable', { ...input, TableName: Name })
    database.tables.delete(Name)
    return {}
  }),

  CreatePartition: operation(
    z.object({ ...tableFields, PartitionInput: partitionInputSchema }),
    (call, { PartitionInput, ...input }) => {
      addPartition(call.store, reachTable(call, 'CreatePartition', input).table, PartitionInput)
      return {}
    },
  ),

  BatchCreatePartition: operation(
    z.object({ ...tableFields, PartitionInputList: z.array(partitionInputSchema).max(100) }),
    (call, { PartitionInputList, ...input }) => {
      const { table } = reachTable(call, 'BatchCreatePartition', input)
      const Errors = PartitionInputList.flatMap((partition) => addEach(call.store, table, partition))
      return { Errors }
    },
  ),
}

const paging = (
  { store }: GlueCall,
  { NextToken, MaxResults }: { NextToken?: string | undefined; MaxResults?: number | undefined },
) => ({ token: NextToken, size: MaxResults, most: store.pageSize })

const next = ({ nextToken }: { nextToken?: string }) =>
  nextToken === undefined ? {} : { NextToken: nextToken }

/** The expression of GetTables is a regular expression over the whole name. */
function namePattern(expression: string | undefined): RegExp {
  try {
    return new RegExp(`^(?:${expression ?? '.*'})$`, 'i')
  } catch {
    throw new GlueError('InvalidInputException', `Unsupported expression '${expression}'`)
  }
}

function matching({ input, partitions }: Table, expression: string | undefined): Table['partitions'] {
  if (expression === undefined || expression === '') return partitions
  const keys = input.PartitionKeys ?? []
  let test: ReturnType<typeof parseExpression>
  try {
    test = parseExpression(expression, keys)
  } catch (error) {
    const reason = error instanceof Error ? error.message : ''
    throw new GlueError('InvalidInputException', `Unsupported expression '${expression}': ${reason}`)
  }
  const valuesOf = ({ Values }: PartitionInput) =>
    new Map(
      keys.flatMap(({ Name }, index) =>
        Values[index] === hiveNull ? [] : [[Name.toLowerCase(), Values[index] ?? '']],
      ),
    )
  return new Map([...partitions].filter(([, partition]) => test(valuesOf(partition))))
}

const hiveNull = '__HIVE_DEFAULT_PARTITION__'

function withoutColumns({ StorageDescriptor, ...partition }: PartitionInput) {
  if (!StorageDescriptor) return partition
  const { Columns: _, ...rest } = StorageDescriptor
  return { ...partition, StorageDescriptor: rest }
}

function addEach(store: GlueStore, table: Table, partition: PartitionInput) {
  try {
    addPartition(store, table, partition)
    return []
  } catch (error) {
    if (!(error instanceof GlueError)) throw error
    const ErrorDetail = { ErrorCode: error.code, ErrorMessage: error.message }
    return [{ PartitionValues: partition.Values, ErrorDetail }]
  }
}
