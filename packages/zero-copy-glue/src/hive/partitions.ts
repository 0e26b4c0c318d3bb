import type { GluePartition, GlueStorage } from '@penstock/aws'
import { ConnectorError, type LogicalType, type Predicate } from '@penstock/core'
import type { LoadedTable } from '../catalogs/catalog.ts'
import { partitionExpression } from './expression.ts'
import { mayMatch, type PartitionValues } from './prune.ts'
import { partitionValue } from './values.ts'

type HiveTable = Extract<LoadedTable, { kind: 'hive' }>

/** One group of files that share the values of the partition columns. */
export interface Partition {
  readonly storage: GlueStorage
  readonly values: PartitionValues
}

export interface MatchingPartitions {
  readonly partitions: readonly Partition[]
  /** Partitions that were passed over, without those that Glue left out by itself: it does not count them. */
  readonly skipped: number
  /** What Glue left out partitions by. */
  readonly expression?: string | undefined
}

export interface MatchingOptions {
  readonly filter: Predicate | undefined
  /** All are asked for, so that those that are passed over are counted. */
  readonly counted: boolean
  /** Of Glue's pages only the first one with any that match. */
  readonly someAreEnough: boolean
  readonly signal: AbortSignal
}

/** The partitions that can hold rows of the filter. */
export const matchingPartitions = async (
  loaded: HiveTable,
  keys: ReadonlyMap<string, LogicalType>,
  { filter, counted, someAreEnough, signal }: MatchingOptions,
): Promise<MatchingPartitions> => {
  const { storage } = loaded.table
  if (keys.size === 0) return { partitions: [{ storage, values: new Map() }], skipped: 0 }
  const partitions: Partition[] = []
  let skipped = 0
  const expression = counted ? undefined : partitionExpression(filter, keys)
  for await (const page of pagesOf(loaded, expression, signal)) {
    for (const found of page) {
      const partition = partitionOf(found, storage, keys)
      if (!filter || mayMatch(filter, partition.values)) partitions.push(partition)
      else skipped += 1
    }
    if (someAreEnough && partitions.length > 0) break
  }
  return { partitions, skipped, expression }
}

const partitionOf = (
  { values, storage }: GluePartition,
  table: GlueStorage,
  keys: ReadonlyMap<string, LogicalType>,
): Partition => {
  const named = [...keys].map(([name, type], index) => {
    const text = values[index]
    return [name, text === undefined ? null : partitionValue(text, type, name)] as const
  })
  // What GetPartitions leaves out is that of the table; its columns are asked to be left out.
  return { storage: { ...table, ...storage, columns: table.columns }, values: new Map(named) }
}

/** An expression that Glue refuses costs a listing of all, not the query: partitions with odd values are a known case. */
async function* pagesOf(
  { partitions }: HiveTable,
  expression: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly GluePartition[]> {
  let begun = false
  try {
    for await (const page of partitions({ expression, signal })) {
      begun = true
      yield page
    }
  } catch (error) {
    const refused = ConnectorError.isInstance(error) && error.code === 'InvalidInputException'
    if (!refused || expression === undefined || begun) throw error
    yield* partitions({ expression: undefined, signal })
  }
}
