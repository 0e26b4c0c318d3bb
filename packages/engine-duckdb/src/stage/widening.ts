import { type LogicalType, sameType } from '@penstock/core'
import type { StageColumn } from './columns.ts'
import { type FileGroup, withPaths } from './inputs.ts'
import { jsonKeys, jsonLayout, withKeys } from './json.ts'
import { text, widen } from './lattice.ts'
import type { LoaderContext } from './loader.ts'
import { rowFault } from './reading.ts'
import { addColumns, changeType, inferredTypes } from './schema.ts'

/**
 * Widens columns in which values did not fit, as far as the policy allows: any type and key in the file that defines
 * the schema; a first type for a column that had no value yet; text for partitions; with `evolve` lossless promotions.
 * Returns the group to load again, or undefined when the values stay bad.
 */
export const widenColumns = async (
  context: LoaderContext,
  group: FileGroup,
  bad: readonly number[],
  options: { defines: boolean; all: boolean },
): Promise<FileGroup | undefined> => {
  const columns = context.state.columns ?? []
  const evolves = context.options.schemaPolicy === 'evolve'
  let changed = false
  let current = group
  if (bad.includes(rowFault.unknownKey)) {
    current = await withNewKeys(context, group, evolves || options.defines)
    changed = current !== group
  }
  const concerned = columns.filter(
    (column, index) => !column.fixed && (bad.includes(index) || (options.all && options.defines)),
  )
  const data = concerned.filter(({ kind }) => kind === 'data')
  const names = data.map(({ name }) => name)
  const inferred = await inferredTypes(context, current, names, false)
  for (const column of concerned) {
    const target = targetType(column, inferred[data.indexOf(column)], options.defines, evolves)
    if (!target || (column.type && sameType(target, column.type))) continue
    if (options.defines) column.type = target
    else await changeType(context, column, target)
    changed = true
  }
  return changed ? current : undefined
}

const targetType = (
  column: StageColumn,
  inferred: LogicalType | undefined,
  defines: boolean,
  evolves: boolean,
): LogicalType | undefined => {
  if (column.kind === 'constant') return text
  if (defines || column.type === undefined) return inferred
  return evolves ? widen(column.type, inferred) : undefined
}

/** New spellings of known keys always have their column; new columns only where they may be added. */
const withNewKeys = async (context: LoaderContext, group: FileGroup, mayAdd: boolean): Promise<FileGroup> => {
  const { json, names, columnKeys } = group.layout
  if (!json || !columnKeys) return group
  const keys = await withPaths(group, context.read, (paths) =>
    jsonKeys(context.connection, paths, json, { unknownTo: columnKeys.flat() }),
  )
  const before = names.map((name, index) => ({ name, keys: columnKeys[index] ?? [] }))
  const all = withKeys(before, keys)
  const columns = mayAdd ? all : all.slice(0, before.length)
  if (columns.flatMap((column) => column.keys).length === columnKeys.flat().length) return group
  const wider = { layout: jsonLayout(columns, json), files: group.files }
  const added = columns.slice(before.length).map(({ name }) => name)
  if (added.length > 0) await addColumns(context, wider, added)
  return wider
}
