import { ConnectorError, describeType, type TableSchema } from '@penstock/core'
import { lockCreation } from './ledger.ts'
import { qualified, quoteName, quoteNames, shownName } from './names.ts'
import type { Session } from './session.ts'
import { requireType, type TargetType, takesType } from './types.ts'

/** A stream and the table that it goes to. */
export interface Target {
  readonly stream: string
  readonly schema: string
  readonly table: string
  readonly rows: TableSchema
}

export interface ExistingTable {
  readonly columns: ReadonlyMap<string, TargetType>
  /** Column sets that a unique index without a condition is on. */
  readonly uniqueKeys: readonly (readonly string[])[]
}

/** The table as it is now; undefined when there is none. Throws `config` for what is no table. */
export const findTable = async (session: Session, target: Target): Promise<ExistingTable | undefined> => {
  const [relation] = await session.query<{ oid: number; kind: string }>(
    `SELECT c.oid, c.relkind AS kind FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [target.schema, target.table],
  )
  if (!relation) return undefined
  if (relation.kind !== 'r' && relation.kind !== 'p')
    throw new ConnectorError('config', `${shown(target)} is there already, and is no table.`, {
      code: 'NoTable',
      place: { table: target.stream },
      hint: 'Give the stream another name (--stream, name).',
    })
  const columns = await session.query<{ name: string; type: string; is_enum: boolean }>(
    `SELECT a.attname AS name, coalesce(e.typtype, t.typtype) = 'e' AS is_enum,
       CASE WHEN t.typbasetype <> 0 THEN pg_catalog.format_type(t.typbasetype, t.typtypmod)
         ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END AS type
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     LEFT JOIN pg_catalog.pg_type e ON e.oid = nullif(t.typelem, 0)
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [relation.oid],
  )
  const keys = await session.query<{ columns: string[] }>(
    `SELECT (SELECT pg_catalog.array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1])) AS columns
     FROM pg_catalog.pg_index i
     WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL`,
    [relation.oid],
  )
  return {
    columns: new Map(columns.map(({ name, type, is_enum }) => [name, { name: type, isEnum: is_enum }])),
    uniqueKeys: keys.map((key) => key.columns),
  }
}

export const shown = ({ schema, table }: Target): string => shownName(schema, table)

const definition = ({ rows, stream }: Target, name: string): string => {
  const column = rows.columns.find((candidate) => candidate.name === name)
  return column ? `${quoteName(name)} ${requireType(column, stream)}` : ''
}

const createSql = (target: Target): string => {
  const { columns, key = [] } = target.rows
  const lines = columns.map(({ name }) => definition(target, name))
  if (key.length > 0) lines.push(`PRIMARY KEY (${quoteNames(key)})`)
  return `CREATE TABLE ${qualified(target.schema, target.table)} (${lines.join(', ')})`
}

/** Columns of the rows that the table lacks. */
export const newColumns = ({ rows }: Target, { columns }: ExistingTable): readonly string[] =>
  rows.columns.filter(({ name }) => !columns.has(name)).map(({ name }) => name)

/** Refuses columns that would not keep every value. */
export const requireTypes = (target: Target, { columns }: ExistingTable): void => {
  for (const column of target.rows.columns) {
    const there = columns.get(column.name)
    if (!there) continue
    if (takesType(there, column.type)) continue
    const wanted = requireType(column, target.stream)
    throw new ConnectorError(
      'config',
      `Column "${column.name}" of ${shown(target)} is ${there.name}, which does not keep every ${describeType(column.type)}.`,
      {
        code: 'ColumnType',
        place: { table: target.stream, column: column.name },
        hint: `Cast it in a SELECT, or: ALTER TABLE ${qualified(target.schema, target.table)} ALTER COLUMN ${quoteName(column.name)} TYPE ${wanted};`,
      },
    )
  }
}

/** Refuses to merge into a table that may hold a key twice. */
export const requireUniqueKey = (
  target: Target,
  key: readonly string[],
  { uniqueKeys }: ExistingTable,
): void => {
  const isKey = (columns: readonly string[]) =>
    columns.length === key.length && key.every((name) => columns.includes(name))
  if (uniqueKeys.some(isKey)) return
  throw new ConnectorError(
    'config',
    `${shown(target)} has no unique index on ${key.join(', ')}, so nothing can be merged by it.`,
    {
      code: 'NoUniqueKey',
      place: { table: target.stream },
      hint: `ALTER TABLE ${qualified(target.schema, target.table)} ADD PRIMARY KEY (${quoteNames(key)});`,
    },
  )
}

/**
 * Adds columns that a table lacks, in a transaction of its own: it needs a lock that keeps everybody out, which must not
 * last as long as the rows take.
 */
export const addColumns = async (session: Session, target: Target): Promise<void> => {
  const before = await findTable(session, target)
  if (!before || newColumns(target, before).length === 0) return
  await session.transaction(async () => {
    await lockCreation(session, target.schema)
    const table = await findTable(session, target)
    const names = table ? newColumns(target, table) : []
    if (names.length === 0) return
    const clauses = names.map((name) => `ADD COLUMN ${definition(target, name)}`)
    await session.query(`ALTER TABLE ${qualified(target.schema, target.table)} ${clauses.join(', ')}`)
  })
}

/** The table of a stream, made where there is none: then it is there for nobody else until the run is complete. */
export const openTable = async (
  session: Session,
  target: Target,
): Promise<{ readonly table: ExistingTable; readonly created: boolean }> => {
  const there = await findTable(session, target)
  if (there) return { table: there, created: false }
  await lockCreation(session, target.schema)
  const meanwhile = await findTable(session, target)
  if (meanwhile) return { table: meanwhile, created: false }
  await session.query(createSql(target))
  const table = await findTable(session, target)
  if (!table) throw new ConnectorError('internal', `${shown(target)} was created, and is not there.`)
  return { table, created: true }
}
