import { GlueError } from './errors.ts'
import {
  type Catalog,
  type Database,
  type DatabaseInput,
  type LakeFormation,
  type PartitionInput,
  partitionKey,
  type Table,
  type TableInput,
} from './model.ts'
import type { GlueStore } from './store.ts'

export function addDatabase(store: GlueStore, catalog: Catalog, input: DatabaseInput): void {
  const name = input.Name
  if (catalog.databases.has(name)) throw new GlueError('AlreadyExistsException', 'Database already exists.')
  catalog.databases.set(name, {
    input,
    createTime: store.clock(),
    tables: new Map(),
  })
}

export function addTable(
  store: GlueStore,
  database: Database,
  input: TableInput,
  lakeFormation?: LakeFormation,
): Table {
  const name = input.Name
  if (database.tables.has(name)) throw new GlueError('AlreadyExistsException', 'Table already exists.')
  const now = store.clock()
  const table: Table = {
    input,
    createTime: now,
    updateTime: now,
    version: 0,
    partitions: new Map(),
    ...(lakeFormation && { lakeFormation }),
  }
  database.tables.set(name, table)
  return table
}

export function addPartition(store: GlueStore, table: Table, partition: PartitionInput): void {
  const keys = table.input.PartitionKeys?.length ?? 0
  if (partition.Values.length !== keys)
    throw new GlueError(
      'InvalidInputException',
      `The number of partition keys do not match the number of partition values: ${keys} and ${partition.Values.length}`,
    )
  const name = partitionKey(partition.Values)
  if (table.partitions.has(name)) throw new GlueError('AlreadyExistsException', 'Partition already exists.')
  table.partitions.set(name, { ...partition, createTime: store.clock() })
}
