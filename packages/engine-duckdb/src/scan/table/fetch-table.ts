import { writeFile } from 'node:fs/promises'
import type { ExactAggregates, ScanColumn, ScanFile, TableSchema } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../../sql.ts'
import { mapLimited } from '../fetch/map-limited.ts'
import { rowColumn } from '../parquet/constant-column.ts'
import { planLocalFile } from '../parquet/local-layout.ts'
import { filesAtOnce, type ScanContext } from './context.ts'
import { deletedRows, type EqualityDelete, isEqualityDelete, isPositionDelete } from './deletes.ts'
import { writePlainRows } from './plain-rows.ts'
import type { FilePlan, TablePlan } from './plan-table.ts'
import type { EqualityFiles, FileGroup, Relation } from './relation.ts'
import { scalarSql } from './scalar-sql.ts'

/** Brings what a plan needs to the disk, and says how to read it. */
export const fetchTable = async (context: ScanContext, plan: TablePlan): Promise<Relation> => {
  const { table, needs, content } = plan
  const common = {
    schema: table.schema,
    columns: new Set(needs.columns.map(([name]) => name)),
    deleteColumns: [],
  }
  if (content.kind === 'rows') {
    const read = table.schema.columns.filter(({ name }) => common.columns.has(name))
    const path = context.nextPath('.parquet')
    const rows = await context.use((connection) =>
      writePlainRows(connection, content.scan.rows(), read, path, plan.label),
    )
    return {
      ...common,
      groups:
        rows === 0 ? [] : [{ paths: [path], hasDeleted: false, equality: [], defaults: [], witnesses: [] }],
    }
  }
  if (content.kind === 'count')
    return { ...common, groups: content.rows === 0 ? [] : [await countGroup(context, content.rows)] }
  if (content.kind === 'extremes')
    return { ...common, groups: [await extremesGroup(context, table.schema, common.columns, content)] }
  const deletePaths = new Map(
    await mapLimited(
      [...content.deleteFiles],
      filesAtOnce,
      async ([file, { plan }]) =>
        [file, plan.rowGroupsKept > 0 ? await plan.fetch(undefined) : undefined] as const,
    ),
  )
  const paths = await mapLimited(content.files, filesAtOnce, (file) => fetchFile(context, file, deletePaths))
  return {
    ...common,
    deleteColumns: deleteColumnsOf(content.files, common.columns),
    groups: groupFiles(content.files, paths, deletePaths),
  }
}

const fetchFile = async (
  context: ScanContext,
  { scanFile, plan }: FilePlan,
  deletePaths: ReadonlyMap<ScanFile, string | undefined>,
): Promise<string> => {
  const positions = scanFile.deletes
    .filter(isPositionDelete)
    .filter((found) => found.kind === 'positions' || deletePaths.get(found.file) !== undefined)
  if (positions.length === 0) return plan.fetch(undefined)
  const deleted = await context.use((connection) =>
    deletedRows(positions, (file) => deletePaths.get(file) ?? '', connection, context.signal),
  )
  return plan.fetch(deleted)
}

/** Columns of the data files that only equality deletes look at. */
const deleteColumnsOf = (files: readonly FilePlan[], read: ReadonlySet<string>): readonly ScanColumn[] => {
  const found = new Map<string, ScanColumn>()
  for (const { scanFile } of files)
    for (const { columns } of scanFile.deletes.filter(isEqualityDelete))
      for (const column of columns) if (!read.has(column.name)) found.set(column.name, column)
  return [...found.values()]
}

/** Files with the same deletes are read together. */
const groupFiles = (
  files: readonly FilePlan[],
  paths: readonly string[],
  deletePaths: ReadonlyMap<ScanFile, string | undefined>,
): readonly FileGroup[] => {
  const groups = new Map<string, FileGroup & { readonly paths: string[] }>()
  for (const [index, { scanFile, plan }] of files.entries()) {
    const equality = equalityFiles(scanFile.deletes.filter(isEqualityDelete), deletePaths)
    const hasDeleted = scanFile.deletes
      .filter(isPositionDelete)
      .some((found) => found.kind === 'positions' || deletePaths.get(found.file) !== undefined)
    const { defaults, witnesses } = plan
    const put = defaults.map(({ path, value }) => [path, String(value)])
    const key = JSON.stringify([hasDeleted, equality.map((found) => found.paths), put, witnesses])
    const group = groups.get(key) ?? { paths: [], hasDeleted, equality, defaults, witnesses }
    group.paths.push(paths[index] as string)
    groups.set(key, group)
  }
  return [...groups.values()]
}

const equalityFiles = (
  deletes: readonly EqualityDelete[],
  deletePaths: ReadonlyMap<ScanFile, string | undefined>,
): readonly EqualityFiles[] => {
  const sets = new Map<string, { paths: string[]; columns: readonly ScanColumn[] }>()
  for (const { file, columns } of deletes) {
    const path = deletePaths.get(file)
    if (path === undefined) continue
    const key = JSON.stringify(columns.map(({ name }) => name))
    const set = sets.get(key) ?? { paths: [], columns }
    set.paths.push(path)
    sets.set(key, set)
  }
  return [...sets.values()].map(({ paths, columns }) => ({ paths: paths.toSorted(), columns }))
}

/** As many rows as the table has: one of smallest values, one of largest ones, and the others all null. */
const extremesGroup = async (
  context: ScanContext,
  schema: TableSchema,
  names: ReadonlySet<string>,
  { rows, bounds }: Extract<TablePlan['content'], { kind: 'extremes' }>,
): Promise<FileGroup> => {
  const columns = schema.columns.filter(({ name }) => names.has(name))
  const rowOf = (end: 'min' | 'max') =>
    `SELECT ${columns
      .map(
        ({ name, type }) => `${scalarSql((bounds[name] as Bounds)[end], type)} AS ${quoteIdentifier(name)}`,
      )
      .join(', ')}`
  const select = rows > 1 ? `${rowOf('min')} UNION ALL ${rowOf('max')}` : rowOf('min')
  const path = context.nextPath('.parquet')
  await context.use((connection) => connection.run(`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet)`))
  const others = rows > 2 ? await countGroup(context, rows - 2) : undefined
  return {
    paths: [path, ...(others?.paths ?? [])],
    hasDeleted: false,
    equality: [],
    defaults: [],
    witnesses: [],
  }
}

type Bounds = ExactAggregates['bounds'][string]

/** Rows of one row group, at most: the format counts the values of a page in 32 bits. */
const groupRows = 2 ** 30

/** A file of so many rows and nothing else: DuckDB counts them by its footer. */
const countGroup = async (context: ScanContext, rows: number): Promise<FileGroup> => {
  const counts = Array.from({ length: Math.ceil(rows / groupRows) }, (_, index) =>
    Math.min(groupRows, rows - index * groupRows),
  )
  const groups = counts.map((count) => ({
    group: { raw: { fields: [] }, rows: count, columns: [] },
    firstRow: 0,
  }))
  const { made, size } = planLocalFile({ raw: { fields: [] } }, groups, [], [rowColumn])
  const bytes = Buffer.alloc(size)
  for (const part of made) bytes.set(part.bytes, part.target)
  const path = context.nextPath('.parquet')
  await writeFile(path, bytes)
  return { paths: [path], hasDeleted: false, equality: [], defaults: [], witnesses: [] }
}
