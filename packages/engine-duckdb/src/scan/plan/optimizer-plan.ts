import type { ColumnPath, LogicalType, Predicate, TableSchema } from '@penstock/core'
import {
  allOf,
  anyOf,
  type ColumnReference,
  expression,
  type Lineage,
  referenceOf,
  tableFilter,
} from './filters.ts'
import { isObject, type Json, type JsonObject, listAt, objectAt, textAt } from './json.ts'

/** What all scans of one table in a plan need together. */
export interface TableNeeds {
  readonly columns: readonly ColumnPath[]
  readonly filter?: Predicate
  readonly limit?: number
  /** No rows are needed but the first ones of this order, and those that equal the last of them. */
  readonly top?: TopRows
  /** Nothing is asked but the smallest and largest values of the columns, and the count of rows. */
  readonly extremes?: true
  /** Scans of the table in the plan; 0 where the optimizer proved that none of its rows matters. */
  readonly scans: number
}

/** ORDER BY a column, and others behind it, with a LIMIT. */
export interface TopRows {
  readonly column: string
  readonly type: LogicalType
  readonly descending: boolean
  readonly nullsFirst: boolean
  readonly count: number
}

/** A table in the plan, told by the stub file that it was bound to. */
export interface PlannedTable {
  readonly stub: string
  readonly schema: TableSchema
}

interface PlannedScan {
  readonly table: PlannedTable
  readonly columns: readonly ColumnPath[]
  readonly pushed: readonly (Predicate | undefined)[]
  /** Whether the plan filters its rows within the scan, by what is understood or not. */
  readonly isFiltered: boolean
  /** Filters that the plan keeps above the scan. */
  readonly above: Predicate[]
  limit?: number
  top?: TopRows
  extremes?: true
}

/** Indexes from here on are virtual columns: row ids, or none at all for a count. */
const firstVirtualColumn = 1n << 62n

export interface PlanNeeds {
  /** In the order of the tables. */
  readonly needs: readonly TableNeeds[]
  /** Rows of the result that end the query, whichever rows of its one table they come from. */
  readonly enough?: number
  /** Each row of the result comes from one row of its one table, by itself. */
  readonly rowByRow?: true
}

/** Reads DuckDB's optimized plan: for each table what its scans need. */
export const readPlan = (plans: readonly Json[], tables: readonly PlannedTable[]): PlanNeeds => {
  const scans: PlannedScan[] = []
  for (const plan of plans) visit(plan, tables, scans)
  const needs = tables.map((table) => merge(scans.filter((scan) => scan.table === table)))
  const enough = plans.length === 1 ? rowsOfResult(plans[0]) : undefined
  const rowByRow = plans.length === 1 && scans.length === 1 && isRowByRow(plans[0])
  return { needs, ...(enough !== undefined && { enough }), ...(rowByRow && { rowByRow }) }
}

const isRowByRow = (plan: Json | undefined): boolean => {
  if (!isObject(plan)) return false
  const type = textAt(plan, 'type')
  if (type === 'LOGICAL_GET') return true
  if (type !== 'LOGICAL_PROJECTION' && type !== 'LOGICAL_FILTER') return false
  const [child, ...others] = listAt(plan, 'children')
  return others.length === 0 && isRowByRow(child)
}

/** The constant LIMIT of a result whose rows each come from one row of a scan. */
const rowsOfResult = (plan: Json | undefined): number | undefined => {
  let node = plan
  let limit: number | undefined
  while (isObject(node)) {
    const type = textAt(node, 'type')
    const children = listAt(node, 'children')
    if (type === 'LOGICAL_GET') return limit
    if (type === 'LOGICAL_LIMIT' && limit === undefined) limit = constantInteger(objectAt(node, 'limit_val'))
    else if (type !== 'LOGICAL_PROJECTION' && type !== 'LOGICAL_FILTER') return undefined
    if (type === 'LOGICAL_FILTER' && limit === undefined) return undefined
    if (children.length !== 1) return undefined
    node = children[0]
  }
  return undefined
}

const merge = (scans: readonly PlannedScan[]): TableNeeds => {
  if (scans.length === 0) return { columns: [], filter: { kind: 'false' }, scans: 0 }
  const columns = withoutParts(scans.flatMap((scan) => scan.columns))
  const filter = anyOf(scans.map((scan) => allOf([...scan.pushed, ...scan.above])))
  const limit = scans.length === 1 ? scans[0]?.limit : undefined
  return {
    columns,
    ...(filter && { filter }),
    ...(limit !== undefined && { limit }),
    ...(scans.length === 1 && scans[0]?.top && { top: scans[0].top }),
    ...(scans.length === 1 && scans[0]?.extremes && { extremes: true }),
    scans: scans.length,
  }
}

/** Without duplicates, and without parts of what is read whole. */
const withoutParts = (paths: readonly ColumnPath[]): ColumnPath[] => {
  const isWithin = (path: ColumnPath, whole: ColumnPath) =>
    whole.length <= path.length && whole.every((name, index) => name === path[index])
  return paths.filter(
    (path, index) =>
      !paths.some((other, at) => isWithin(path, other) && (other.length < path.length || at < index)),
  )
}

/** Where the rows that a node gives come from, as long as each is a row of one scan. */
interface Rows {
  readonly scan: PlannedScan
  readonly output: readonly (ColumnReference | undefined)[]
}

const visit = (node: Json, tables: readonly PlannedTable[], scans: PlannedScan[]): Rows | undefined => {
  if (!isObject(node)) return undefined
  const type = textAt(node, 'type')
  if (type === 'LOGICAL_GET') return visitScan(node, tables, scans)
  const children = listAt(node, 'children').map((child) => visit(child, tables, scans))
  const rows = children.length === 1 ? children[0] : undefined
  if (!rows) return undefined
  const lineage: Lineage = (index) => rows.output[index]
  switch (type) {
    case 'LOGICAL_PROJECTION': {
      const output = listAt(node, 'expressions').map((item) => referenceOf(item, lineage))
      return { scan: rows.scan, output }
    }
    case 'LOGICAL_FILTER': {
      const filter = allOf(listAt(node, 'expressions').map((item) => expression(item, lineage)))
      // An unknown part counts as a filter too: it can drop rows, so no limit may pass it.
      rows.scan.above.push(filter ?? { kind: 'true' })
      const kept = listAt(node, 'projection_map').map(Number)
      return {
        scan: rows.scan,
        output: kept.length > 0 ? kept.map((index) => rows.output[index]) : rows.output,
      }
    }
    case 'LOGICAL_LIMIT': {
      const limit = limitOf(node)
      const { scan } = rows
      if (limit !== undefined && scan.pushed.length === 0 && scan.above.length === 0) scan.limit = limit
      return undefined
    }
    case 'LOGICAL_TOP_N': {
      const top = topOf(node, lineage)
      if (top && !rows.scan.isFiltered && rows.scan.above.length === 0) rows.scan.top = top
      return undefined
    }
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY': {
      const { scan } = rows
      const isWhole =
        scan.pushed.length === 0 && scan.above.length === 0 && listAt(node, 'groups').length === 0
      if (isWhole && listAt(node, 'expressions').every((item) => isExtreme(item, lineage)))
        scan.extremes = true
      return undefined
    }
    default:
      return undefined
  }
}

/** The first column of an order, as far as it is one of the table and the count of rows is a constant. */
const topOf = (node: JsonObject, lineage: Lineage): TopRows | undefined => {
  const [order] = listAt(node, 'orders')
  const column = isObject(order) ? referenceOf(order.expression, lineage) : undefined
  const [name, ...nested] = column?.path ?? []
  const { limit, offset } = node
  if (!column || name === undefined || nested.length > 0) return undefined
  if (typeof limit !== 'number' || typeof offset !== 'number') return undefined
  return {
    column: name,
    type: column.type,
    descending: textAt(order, 'type') === 'DESCENDING',
    nullsFirst: textAt(order, 'null_order') !== 'NULLS LAST',
    count: limit + offset,
  }
}

/** `min(column)`, `max(column)` or `count(*)` of all rows. */
const isExtreme = (node: Json, lineage: Lineage): boolean => {
  if (!isObject(node) || node.expression_class !== 'BOUND_AGGREGATE') return false
  if (node.filter !== null || (node.order_bys !== null && node.order_bys !== undefined)) return false
  const children = listAt(node, 'children')
  if (node.name === 'count_star') return true
  const isOne = children.length === 1 && referenceOf(children[0], lineage) !== undefined
  return isOne && (node.name === 'min' || node.name === 'max')
}

const visitScan = (
  node: JsonObject,
  tables: readonly PlannedTable[],
  scans: PlannedScan[],
): Rows | undefined => {
  const [stub] = listAt(objectAt(node, 'function_data'), 'files')
  const table = tables.find((candidate) => candidate.stub === stub)
  if (!table) return undefined
  const { columns } = table.schema
  const referenceAt = (index: Json | undefined): ColumnReference | undefined => {
    if (index === undefined || BigInt(index as number) >= firstVirtualColumn) return undefined
    const column = columns[Number(index)]
    return column && { path: [column.name], type: column.type }
  }
  const indexes = listAt(node, 'column_indexes')
  const read = indexes.map((index) => (isObject(index) ? referenceAt(index.index) : undefined))
  const filters = listAt(objectAt(node, 'table_filters'), 'filters')
  const pushed = filters.map((filter) => {
    const column = isObject(filter) ? referenceAt(filter.key) : undefined
    return column && isObject(filter) ? tableFilter(filter.value, column) : undefined
  })
  const scan: PlannedScan = {
    table,
    columns: indexes.flatMap((index, position) => {
      const column = read[position]
      return column ? pathsOf(index, column) : []
    }),
    pushed,
    isFiltered: !filters.every((filter) => isObject(filter) && isDynamic(filter.value)),
    above: [],
  }
  scans.push(scan)
  const projected = listAt(node, 'projection_ids').map(Number)
  return { scan, output: projected.length > 0 ? projected.map((index) => read[index]) : read }
}

/** What a sort with a LIMIT or a join tells the scan while it runs: it drops no row that is needed. */
const isDynamic = (filter: Json | undefined): boolean => {
  if (textAt(filter, 'filter_type') !== 'OPTIONAL_FILTER') return false
  const child = objectAt(filter, 'child_filter')
  return [child, ...listAt(child, 'child_filters')].some(
    (part) => textAt(part, 'filter_type') === 'DYNAMIC_FILTER',
  )
}

/** The parts of a struct column that are read; the whole column where it is none, or all of it is. */
const pathsOf = (index: Json, { path, type }: ColumnReference): ColumnPath[] => {
  const children = listAt(index, 'child_indexes')
  if (children.length === 0 || type.type !== 'struct') return [path]
  return children.flatMap((child) => {
    const field = structField(type, isObject(child) ? child.index : undefined)
    return field ? pathsOf(child, { path: [...path, field.name], type: field.type }) : [path]
  })
}

const structField = (type: Extract<LogicalType, { type: 'struct' }>, index: Json | undefined) =>
  typeof index === 'number' ? type.fields[index] : undefined

/** Rows that a LIMIT with constants takes from its input, the skipped ones included. */
const limitOf = (node: JsonObject): number | undefined => {
  const limit = constantInteger(objectAt(node, 'limit_val'))
  const offset = objectAt(node, 'offset_val')
  const skipped = textAt(offset, 'type') === 'UNSET' ? 0 : constantInteger(offset)
  return limit === undefined || skipped === undefined ? undefined : limit + skipped
}

const constantInteger = (value: JsonObject | undefined): number | undefined =>
  textAt(value, 'type') === 'CONSTANT_VALUE' && typeof value?.constant_integer === 'number'
    ? value.constant_integer
    : undefined
