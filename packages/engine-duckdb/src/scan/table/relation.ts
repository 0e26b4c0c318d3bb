import type { LogicalType, ScanColumn, TableSchema } from '@penstock/core'
import { duckdbType } from '../../logical-types.ts'
import { quoteIdentifier, quoteText, quoteTextList } from '../../sql.ts'
import { type FieldDefault, witnessField } from '../parquet/mapping.ts'
import { deletedColumn } from './parquet-file.ts'
import { scalarSql } from './scalar-sql.ts'

/** Local files that are read alike. */
export interface FileGroup {
  readonly paths: readonly string[]
  /** The files have the column that tells deleted rows. */
  readonly hasDeleted: boolean
  /** Rows that equal one of these are deleted. */
  readonly equality: readonly EqualityFiles[]
  /** Fields of structs that the files lack. */
  readonly defaults: readonly FieldDefault[]
  /** Structs of which the files only tell where they are null. */
  readonly witnesses: readonly string[]
}

/** Local files of equality deletes with the same columns. */
export interface EqualityFiles {
  readonly paths: readonly string[]
  readonly columns: readonly ScanColumn[]
}

export interface Relation {
  readonly schema: TableSchema
  /** Top-level columns that the local files have. */
  readonly columns: ReadonlySet<string>
  /** Columns that deletes need beyond those. */
  readonly deleteColumns: readonly ScanColumn[]
  readonly groups: readonly FileGroup[]
}

const marker = 'penstock: not planned: column '

/** Index of the column that DuckDB asked for against the plan, by the error that it ran into; else undefined. */
export const unplannedColumn = (message: string): { table: number; column: number } | undefined => {
  const found = new RegExp(`${marker}(\\d+)/(\\d+)`).exec(message)
  return found ? { table: Number(found[1]), column: Number(found[2]) } : undefined
}

/**
 * SQL of the rows of a mounted table. A column that the plan does not need is an error to read: should DuckDB ask for
 * it after all, the query fails loudly and is run again with it.
 */
export const relationSql = (relation: Relation, table: number): string => {
  const outputs = (group: FileGroup) =>
    relation.schema.columns.map(({ name, type }, index) =>
      relation.columns.has(name)
        ? columnSql(name, type, group)
        : `error(${quoteText(`${marker}${table}/${index}`)})::${duckdbType(type)} AS ${quoteIdentifier(name)}`,
    )
  if (relation.groups.length === 0) return emptyRelationSql(relation.schema)
  return relation.groups
    .map((group) => `SELECT ${outputs(group).join(', ')} FROM ${groupSql(group, relation)}`)
    .join(' UNION ALL ')
}

/** SQL of a table without rows. */
export const emptyRelationSql = ({ columns }: TableSchema): string => {
  const nulls = columns.map(({ name, type }) => `NULL::${duckdbType(type)} AS ${quoteIdentifier(name)}`)
  return `SELECT ${nulls.join(', ')} LIMIT 0`
}

const columnSql = (name: string, type: LogicalType, { defaults, witnesses }: FileGroup): string => {
  const own = defaults.filter(({ path }) => path[0] === name)
  const column = `data.${quoteIdentifier(name)}`
  if (own.length === 0 && !witnesses.includes(name)) return column
  return `${withDefaults(column, type, own, 1)} AS ${quoteIdentifier(name)}`
}

/** The struct again with the fields that its file lacks; null where it is null. */
const withDefaults = (
  struct: string,
  type: LogicalType,
  defaults: readonly FieldDefault[],
  depth: number,
): string => {
  if (type.type !== 'struct') return struct
  const fields = type.fields.map((field) => {
    const own = defaults.filter(({ path }) => path[depth] === field.name)
    const value = own.find(({ path }) => path.length === depth + 1)?.value
    const sql =
      value === undefined
        ? withDefaults(
            `${struct}.${quoteIdentifier(field.name)}`,
            own.length > 0 ? field.type : none,
            own,
            depth + 1,
          )
        : scalarSql(value, field.type)
    return `${quoteIdentifier(field.name)} := ${sql}`
  })
  return `CASE WHEN ${struct} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
}

const withWitness = (type: LogicalType): LogicalType =>
  type.type === 'struct'
    ? { type: 'struct', fields: [...type.fields, { name: witnessField, type: { type: 'string' } }] }
    : type

const none: LogicalType = { type: 'null' }

const groupSql = (group: FileGroup, relation: Relation): string => {
  const where = group.hasDeleted ? ` WHERE NOT data.${quoteIdentifier(deletedColumn)}` : ''
  return `${dataSql(group, relation)} AS data${group.equality.map(antiJoin).join('')}${where}`
}

const dataSql = ({ paths, hasDeleted, witnesses }: FileGroup, relation: Relation): string => {
  const columns = [
    ...relation.schema.columns
      .filter(({ name }) => relation.columns.has(name))
      .map(({ name, type }) => ({ name, type: witnesses.includes(name) ? withWitness(type) : type })),
    ...relation.deleteColumns,
    ...(hasDeleted ? [{ name: deletedColumn, type: { type: 'boolean' } as const }] : []),
  ]
  // Without columns only rows are counted, which footers alone answer.
  if (columns.length === 0) return `read_parquet(${quoteTextList(paths)})`
  return readMapped(paths, columns)
}

/** Reads local files by name, whichever of the columns each of them has. */
export const readMapped = (
  paths: readonly string[],
  columns: readonly Pick<ScanColumn, 'name' | 'type'>[],
): string => {
  const entries = columns.map(
    ({ name, type }) =>
      `${quoteText(name)}: {'name': ${quoteText(name)}, 'type': ${quoteText(duckdbType(type))}, 'default_value': NULL}`,
  )
  // Files tell nothing of NaN, and DuckDB would prune as if there were none.
  return `read_parquet(${quoteTextList(paths)}, schema = MAP {${entries.join(', ')}}, can_have_nan = true)`
}

const antiJoin = ({ paths, columns }: EqualityFiles, index: number): string => {
  const alias = `deletes${index}`
  const equal = columns
    .map(({ name }) => quoteIdentifier(name))
    .map((name) => `data.${name} IS NOT DISTINCT FROM ${alias}.${name}`)
  return ` ANTI JOIN ${readMapped(paths, columns)} AS ${alias} ON ${equal.join(' AND ')}`
}
