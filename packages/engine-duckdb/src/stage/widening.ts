import { type LogicalType, sameType } from '@penstock/core'
import { findColumn, type StageColumn } from './columns.ts'
import { inferTypes } from './infer-types.ts'
import { type FileGroup, withPaths } from './inputs.ts'
import { jsonKeys, jsonLayout } from './json.ts'
import { text, widen } from './lattice.ts'
import { formatsOf, type LoaderContext } from './loader.ts'
import { rowFault } from './reading.ts'
import { addColumns, changeType } from './schema.ts'

/**
 * Widens columns in which values did not fit, as far as the policy allows: any type in the file that defines the
 * schema; a first type for a column that had no value yet; text for partitions; with `evolve` lossless promotions.
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
  if (bad.includes(rowFault.unknownKey) && evolves) {
    current = await withNewKeys(context, group)
    changed = current !== group
  }
  const concerned = columns.filter(
    (column, index) => !column.fixed && (bad.includes(index) || (options.all && options.defines)),
  )
  const data = concerned.filter(({ kind }) => kind === 'data')
  const inferred = await typesOfAll(context, current, data)
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

/** Types of columns over all rows of a group. */
const typesOfAll = async (
  { connection, folder, tag }: LoaderContext,
  group: FileGroup,
  columns: readonly StageColumn[],
): Promise<(LogicalType | undefined)[]> => {
  if (columns.length === 0) return []
  return withPaths(group, folder, async (paths) => {
    const unknown = group.layout.names.map(() => undefined)
    const source = group.layout.source(paths, unknown, tag())
    const values = columns.flatMap(({ name }) => findColumn(source.columns, name)?.value ?? [])
    const file = group.files[0]?.file
    return inferTypes(connection, source.from, values, file ? formatsOf(file) : {})
  })
}

const withNewKeys = async (context: LoaderContext, group: FileGroup): Promise<FileGroup> => {
  const { type } = group.layout
  const file = group.files[0]?.file
  if ((type !== 'json' && type !== 'ndjson') || !file) return group
  const compression = file.path === undefined ? 'none' : file.format.compression
  const names = group.layout.names
  const keys = await withPaths(group, context.folder, (paths) =>
    jsonKeys(context.connection, paths, type, compression, { unknownTo: names }),
  )
  if (keys.length === 0) return group
  const wider = { layout: jsonLayout([...names, ...keys], type, compression), files: group.files }
  await addColumns(context, wider, keys)
  return wider
}
