import { ConnectorError } from '@penstock/core'
import { isObject, type Json, listAt, objectAt, textAt } from './json.ts'

/** A table that a statement names, as it is written there. */
export interface TableName {
  readonly catalog: string
  readonly schema: string
  readonly table: string
}

const invalid = (message: string, hint: string): ConnectorError =>
  new ConnectorError('config', message, { code: 'InvalidSql', hint })

const name = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`
const names = String.raw`${name}(?:\s*\.\s*${name}){0,2}`
const gap = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/)`
const createHead = new RegExp(
  `^${gap}*create${gap}+(?:or${gap}+replace${gap}+)?table${gap}+(?:if${gap}+not${gap}+exists${gap}+)?${names}${gap}+as(?=${gap}|\\()`,
  'iu',
)
const insertHead = new RegExp(
  `^${gap}*insert${gap}+into${gap}+${names}${gap}*(?:\\(${gap}*${name}(?:${gap}*,${gap}*${name})*${gap}*\\)${gap}*)?(?:by${gap}+(?:name|position)${gap}+)?(?=${gap}*(?:\\(|select|from|with|values|table)(?:${gap}|\\(|$))`,
  'iu',
)

/**
 * Splits what keeps the rows (`CREATE TABLE name AS`, `INSERT INTO name`) from the SELECT that gives them. Everything
 * without such a head only reads.
 */
export const splitStatement = (sql: string): { target: string | undefined; select: string } => {
  const head = createHead.exec(sql)?.[0] ?? insertHead.exec(sql)?.[0]
  return { target: head, select: head === undefined ? sql : sql.slice(head.length) }
}

/**
 * Functions that a query may call in FROM. Everything else reads files, changes settings, runs SQL that is hidden in a
 * text, or reads memory.
 */
const allowedFunctions: ReadonlySet<string> = new Set([
  'duckdb_columns',
  'duckdb_functions',
  'duckdb_schemas',
  'duckdb_tables',
  'duckdb_types',
  'duckdb_views',
  'generate_series',
  'icu_calendar_names',
  'json_each',
  'json_tree',
  'pg_timezone_names',
  'pragma_table_info',
  'pragma_version',
  'range',
  'repeat',
  'repeat_row',
  'summary',
  'unnest',
])

/**
 * Reads DuckDB's syntax tree (`json_serialize_sql`) of the SELECT. Throws `config` for what is no single SELECT and for
 * functions that would reach beyond the tables.
 */
export const readSyntaxTree = (tree: Json): readonly TableName[] => {
  const error = textAt(tree, 'error_message')
  if (error !== undefined)
    throw error.startsWith('Only SELECT')
      ? invalid(
          'Over mounted tables only SELECT runs, and CREATE TABLE ... AS or INSERT INTO ... with a SELECT.',
          'Everything else would change the database or reach beyond it: run it on the file alone, without --connection.',
        )
      : invalid(error, 'Correct the statement.')
  const statements = listAt(tree, 'statements')
  if (statements.length !== 1)
    throw invalid(
      statements.length === 0
        ? 'The query is empty.'
        : `A query is one statement; these are ${statements.length}.`,
      'Give one SELECT.',
    )
  const tables = new Map<string, TableName>()
  walk(statements[0] as Json, (node) => {
    if (node.type === 'BASE_TABLE') {
      const found = {
        catalog: textAt(node, 'catalog_name') ?? '',
        schema: textAt(node, 'schema_name') ?? '',
        table: textAt(node, 'table_name') ?? '',
      }
      refuseFile(found.table)
      tables.set(JSON.stringify(found), found)
    }
    if (node.type === 'TABLE_FUNCTION')
      refuseFunction(textAt(objectAt(node, 'function'), 'function_name') ?? '')
  })
  return [...tables.values()]
}

const walk = (node: Json, see: (node: { readonly [key: string]: Json }) => void): void => {
  if (Array.isArray(node)) for (const item of node as readonly Json[]) walk(item, see)
  if (!isObject(node)) return
  see(node)
  for (const value of Object.values(node)) walk(value, see)
}

const refuseFunction = (called: string): void => {
  if (allowedFunctions.has(called.toLowerCase())) return
  throw new ConnectorError('config', `The function ${called} can't be used over mounted tables.`, {
    code: 'FunctionRefused',
    hint: 'A query over mounted tables reads those tables and the local database alone: no files, no settings, no network.',
  })
}

/** A table name that DuckDB would take for a file. */
const refuseFile = (table: string): void => {
  if (!/[/\\]|\.(?:csv|tsv|json|jsonl|ndjson|parquet|txt|gz|zst|duckdb|db)$/i.test(table)) return
  throw new ConnectorError('config', `"${table}" is a file; a query over mounted tables reads no files.`, {
    code: 'FileRefused',
    hint: 'Load the file into the local database first: penstock extract.',
  })
}
