import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, describeType, type LogicalType } from '@penstock/core'
import { duckdbType } from '../logical-types.ts'
import { quoteIdentifier, quoteNullableText } from '../sql.ts'
import { blame } from './blame.ts'
import { findColumn, givenType, lineageColumn, refuseClash, type StageColumn, sameName } from './columns.ts'
import { inferTypes, type Scan } from './infer-types.ts'
import { type FileGroup, withPaths } from './inputs.ts'
import { jsonKeys, jsonLayout, withKeys } from './json.ts'
import { fits, text, widen } from './lattice.ts'
import { formatsOf, type LoaderContext } from './loader.ts'
import type { Layout } from './reading.ts'

/** Cells that a sample looks at: enough for a good guess, cheap for any width. */
const sampleCells = 1_000_000
const maxSampleRows = 20_480

/** Types of a layout's columns as the staging table has them. */
export const typesFor = (layout: Layout, columns: readonly StageColumn[]): (LogicalType | undefined)[] =>
  layout.names.map((name) => findColumn(columns, name)?.type)

/**
 * Columns of a load by its first file with records. Types, and the keys of JSON records, are a guess by a sample, which
 * the load proves.
 */
export const defineColumns = async (context: LoaderContext, group: FileGroup): Promise<FileGroup> => {
  const { state, options } = context
  const { layout, files } = await withSampledKeys(context, group)
  const file = files[0]?.file
  if (!file) return group
  const constants = Object.keys(file.constants)
  refuseClash(file.url, layout.names, [...constants, ...(options.lineage ?? [])])
  refuseUnknownTypes(context, [...layout.names, ...constants], file.url)
  const guessed = options.allText
    ? layout.names.map(() => text)
    : (layout.declared ?? (await inferredTypes(context, { layout, files }, layout.names, true)))
  const data = layout.names.map((name, index): StageColumn => {
    const given = givenType(options.columnTypes, name)
    return {
      name,
      type: given ?? guessed[index],
      kind: 'data',
      fixed: given !== undefined || options.allText === true,
    }
  })
  const constantColumns = await Promise.all(
    constants.map((name) => constantColumn(context, name, file.constants[name] ?? null)),
  )
  state.columns = [...data, ...constantColumns, ...(options.lineage ?? []).map(lineageColumn)]
  return { layout, files }
}

const withSampledKeys = async ({ connection, read }: LoaderContext, group: FileGroup): Promise<FileGroup> => {
  const { json } = group.layout
  if (!json) return group
  const keys = await withPaths(group, read, (paths) =>
    jsonKeys(connection, paths, json, { records: maxSampleRows }),
  ).catch(async (error: unknown) => {
    throw await blame(error, group, read)
  })
  return { layout: jsonLayout(withKeys([], keys), json), files: group.files }
}

const refuseUnknownTypes = ({ options }: LoaderContext, names: readonly string[], url: string): void => {
  for (const given of Object.keys(options.columnTypes ?? {})) {
    if (names.some((name) => sameName(name, given))) continue
    throw new ConnectorError(
      'config',
      `A type is given for the column "${given}", which ${url} does not have.`,
      {
        place: { object: url, column: given },
        hint: `It has: ${names.slice(0, 30).join(', ')}.`,
      },
    )
  }
}

/** Types of some columns by the rows of a group; with `sampled` by its first rows. */
export const inferredTypes = async (
  { connection, read }: LoaderContext,
  group: FileGroup,
  names: readonly string[],
  sampled: boolean,
): Promise<(LogicalType | undefined)[]> => {
  if (names.length === 0) return []
  const { layout, files } = group
  const unknown = layout.names.map(() => undefined)
  const rows = Math.max(100, Math.min(maxSampleRows, Math.floor(sampleCells / names.length)))
  const { columns } = layout.source([], unknown)
  const values = names.flatMap((name) => findColumn(columns, name)?.value ?? [])
  const formats = files[0] ? formatsOf(files[0].file) : {}
  const infer = (scan: Scan) => inferTypes(connection, scan, values, formats)
  const scanOf =
    (source: FileGroup): Scan =>
    (use) =>
      withPaths(source, read, (paths) => use(layout.source(paths, unknown).from))
  const types = sampled
    ? scanOf({ layout, files: files.slice(0, 1) })((from) => onSample(connection, from, rows, infer))
    : infer(scanOf(group))
  return types.catch(async (error: unknown) => {
    throw await blame(error, group, read)
  })
}

/** Several statements look at a sample, so the file is read for it once. */
const onSample = async <Result>(
  connection: DuckDBConnection,
  from: string,
  rows: number,
  use: (scan: Scan) => Promise<Result>,
): Promise<Result> => {
  const table = '__penstock_sample'
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} AS SELECT * FROM ${from} LIMIT ${rows}`)
  const result = await use((scanned) => scanned(`temp.${table}`))
  await connection.run(`DROP TABLE temp.${table}`)
  return result
}

/** Partitions are whole numbers, dates or text: what widens to text without another look at the files. */
const constantColumn = async (
  { connection, options }: LoaderContext,
  name: string,
  value: string | null,
): Promise<StageColumn> => {
  const given = givenType(options.columnTypes, name)
  if (given || options.allText) return { name, type: given ?? text, kind: 'constant', fixed: true }
  const sql = quoteNullableText(value)
  const [type] = await inferTypes(connection, (use) => use('(SELECT 1)'), [
    { raw: sql, text: sql, literal: sql },
  ])
  const isPlain = type === undefined || type.type === 'int' || type.type === 'date'
  return { name, type: isPlain ? type : text, kind: 'constant', fixed: false }
}

/**
 * Compares a group's columns with those of the staging table, and changes the table where the policy allows it.
 * Otherwise a `data` error names the file, the column and the difference.
 */
export const alignColumns = async (context: LoaderContext, given: FileGroup): Promise<FileGroup> => {
  const { state, options } = context
  const columns = state.columns ?? []
  const group = withPositionalNames(given, columns)
  const { layout, files } = group
  const file = files[0]?.file
  if (!file) return group
  const constants = Object.keys(file.constants)
  markConstants(columns, constants, layout)
  const known = columns.filter(({ kind }) => kind !== 'lineage')
  const missing = known.filter(
    ({ name }) => ![...layout.names, ...constants].some((other) => sameName(other, name)),
  )
  const extra = [...layout.names, ...constants].filter((name) => !findColumn(known, name))
  const evolves = options.schemaPolicy === 'evolve'
  if (missing[0] && !evolves && !layout.json)
    throw differs(file.url, missing[0].name, `it has no column "${missing[0].name}"`, allowing(context))
  if (extra[0] !== undefined && !evolves)
    throw differs(
      file.url,
      extra[0],
      `it has a column "${extra[0]}" that ${columnsOwner(context)} does not have`,
      allowing(context),
    )
  if (extra.length > 0) await addColumns(context, group, extra)
  for (const [index, type] of (layout.declared ?? []).entries())
    await alignDeclared(context, file.url, layout.names[index] ?? '', type)
  return group
}

const columnsOwner = ({ options, state }: LoaderContext) =>
  options.mode !== 'full' && state.nextOrdinal === 0 ? `table "${options.table}"` : 'the schema of this load'

const differs = (url: string, column: string, what: string, wayOut: string): ConnectorError =>
  new ConnectorError('data', `${url} does not conform: ${what}.`, {
    code: 'SchemaMismatch',
    place: { object: url, column },
    hint: `${wayOut}, or leave the object out with --exclude.`,
  })

/** What allows other columns. A schema that the user gave can't evolve. */
const allowing = ({ options }: LoaderContext): string =>
  options.schemaPolicy === 'freeze' ? 'Correct the columns that are given' : 'Allow it with --schema evolve'

/** Files without a header have their columns by position. */
const withPositionalNames = (group: FileGroup, columns: readonly StageColumn[]): FileGroup => {
  const { layout, files } = group
  const data = columns.filter(({ kind }) => kind === 'data')
  if (!layout.dialect || layout.dialect.header || data.length !== layout.names.length) return group
  const names = data.map(({ name }) => name)
  const source: Layout['source'] = (paths, types, options) => {
    const inner = layout.source(paths, types, options)
    return {
      ...inner,
      columns: inner.columns.map((column, index) => ({ ...column, name: names[index] ?? column.name })),
    }
  }
  return { layout: { ...layout, names, source }, files }
}

/** A table's column that this load's paths give is a partition, though the table can't tell. */
const markConstants = (columns: StageColumn[], constants: readonly string[], layout: Layout): void => {
  for (const [index, column] of columns.entries())
    if (
      column.kind === 'data' &&
      constants.some((name) => sameName(name, column.name)) &&
      !layout.names.some((name) => sameName(name, column.name))
    )
      columns[index] = { ...column, kind: 'constant' }
}

/** Adds columns that a group brings; rows that are there already have null in them. */
export const addColumns = async (
  context: LoaderContext,
  group: FileGroup,
  names: readonly string[],
): Promise<void> => {
  const { state, options } = context
  const columns = state.columns ?? []
  const file = group.files[0]?.file
  const constants = Object.keys(file?.constants ?? {})
  const data = names.filter((name) => !constants.some((constant) => sameName(constant, name)))
  const declared = group.layout.declared
  const types = declared
    ? data.map((name) => declared[group.layout.names.indexOf(name)])
    : options.allText
      ? data.map(() => text)
      : await inferredTypes(context, group, data, true)
  const added: StageColumn[] = data.map((name, index) => ({
    name,
    type: types[index],
    kind: 'data',
    fixed: options.allText === true,
  }))
  for (const name of names)
    if (!data.includes(name)) added.push(await constantColumn(context, name, file?.constants[name] ?? null))
  for (const column of added) {
    columns.push(column)
    if (state.exists)
      await context.connection.run(
        `ALTER TABLE ${state.table} ADD COLUMN ${quoteIdentifier(column.name)} ${duckdbType(column.type ?? text)}`,
      )
  }
}

const alignDeclared = async (
  context: LoaderContext,
  url: string,
  name: string,
  type: LogicalType,
): Promise<void> => {
  const { state, options } = context
  const column = findColumn(state.columns ?? [], name)
  if (!column || column.fixed) return
  if (column.type === undefined || !fits(type, column.type)) {
    const possible = widen(column.type, type)
    const wider = column.type === undefined || options.schemaPolicy === 'evolve' ? possible : undefined
    if (!wider)
      throw differs(
        url,
        name,
        `column "${name}" is ${describeType(type)}, and ${column.type ? describeType(column.type) : 'text'} in the files before it`,
        possible
          ? allowing(context)
          : `No type holds both without loss: load all of the column as text with --column ${name}=text (columns: {${name}: text})${state.isTemporary ? ' and --mode full' : ''}`,
      )
    await changeType(context, column, wider)
  }
}

/** Gives a column of the staging table a type that holds all its values. */
export const changeType = async (
  { connection, state }: LoaderContext,
  column: StageColumn,
  type: LogicalType,
): Promise<void> => {
  const name = quoteIdentifier(column.name)
  // A column without a type of its own holds nulls and empty texts only.
  const using =
    column.type === undefined ? ` USING try_cast(nullif(${name}::VARCHAR, '') AS ${duckdbType(type)})` : ''
  if (state.exists)
    await connection.run(`ALTER TABLE ${state.table} ALTER ${name} SET DATA TYPE ${duckdbType(type)}${using}`)
  column.type = type
}
