import type { LineageColumn, LogicalType } from '@penstock/core'
import { duckdbType } from '../logical-types.ts'
import { quoteIdentifier, quoteNullableText, quoteTextList } from '../sql.ts'
import { findColumn, type StageColumn } from './columns.ts'
import { fits } from './lattice.ts'
import { castOf, doubtOf, type SourceValue, type TimeFormats } from './proofs.ts'
import type { InputFile, Source } from './reading.ts'

export const fileColumn = '__file'
export const badColumn = '__bad'

/** SQL of the value of each staging column, and of the first doubt about a row. */
export interface RowSql {
  readonly values: readonly string[]
  /** SQL of the column's value as text, for messages. */
  readonly texts: readonly string[]
  /** Why the row is bad: position of a column, a row fault, or null. */
  readonly bad: string
}

const constantValue = (files: readonly InputFile[], name: string): SourceValue => {
  const values = files.map(({ file }) => findConstant(file.constants, name))
  const list = `[${values.map(quoteNullableText).join(', ')}]`
  const text = files.length === 1 ? quoteNullableText(values[0]) : `(${list})[file_index::INTEGER + 1]`
  return { raw: text, text, literal: text }
}

const findConstant = (constants: Readonly<Record<string, string | null>>, name: string): string | null => {
  const found = Object.entries(constants).find(([constant]) => constant.toLowerCase() === name.toLowerCase())
  return found?.[1] ?? null
}

const lineageValue = (files: readonly InputFile[], name: LineageColumn): string => {
  switch (name) {
    case '_file':
      return `(${quoteTextList(files.map(({ file }) => file.url))})[file_index::INTEGER + 1]`
    case '_modified':
      return `make_timestamptz(([${files.map(({ file }) => Math.round(file.entry.modified * 1000))}]::BIGINT[])[file_index::INTEGER + 1])`
    case '_row':
      return `row_number() OVER () + ${files[0]?.firstRow ?? 0}`
  }
}

/** Whether a cast from a declared type loses nothing. A type that the user gave may be narrower: then values are proved. */
const isHeld = (declared: LogicalType, type: LogicalType): boolean =>
  type.type === 'string' || fits(declared, type)

/** How the rows of a source become rows of the staging table. A column that the files lack is null. */
export const rowSql = (
  columns: readonly StageColumn[],
  source: Source,
  files: readonly InputFile[],
  formats: TimeFormats,
): RowSql => {
  const values: string[] = []
  const texts: string[] = []
  const doubts: string[] = []
  for (const [index, column] of columns.entries()) {
    if (column.kind === 'lineage') {
      values.push(lineageValue(files, column.name as LineageColumn))
      texts.push('NULL')
      continue
    }
    const read = column.kind === 'constant' ? undefined : findColumn(source.columns, column.name)
    const value = column.kind === 'constant' ? constantValue(files, column.name) : read?.value
    if (!value) {
      values.push(`NULL::${duckdbType(column.type ?? { type: 'string' })}`)
      texts.push('NULL')
      continue
    }
    texts.push(value.text)
    if (read?.declared && column.type && isHeld(read.declared, column.type)) {
      values.push(`${value.raw}::${duckdbType(column.type)}`)
      continue
    }
    values.push(castOf(value, column.type, formats))
    const doubt = doubtOf(value, column.type, formats)
    if (doubt) doubts.push(`WHEN ${doubt} THEN ${index}`)
  }
  const doubt = doubts.length > 0 ? `CASE ${doubts.join(' ')} END` : 'NULL'
  return { values, texts, bad: `coalesce(${source.fault ?? 'NULL'}, ${doubt})::INTEGER` }
}

/** INSERT of the rows of a source into the staging table, each with its file and its doubt. */
export const insertSql = (
  table: string,
  columns: readonly StageColumn[],
  source: Source,
  files: readonly InputFile[],
  formats: TimeFormats,
  limit: number | undefined,
): string => {
  const sql = rowSql(columns, source, files, formats)
  const names = [...columns.map(({ name }) => name), fileColumn, badColumn].map(quoteIdentifier)
  const limited = limit === undefined ? '' : ` LIMIT ${limit}`
  return `INSERT INTO ${table} (${names.join(', ')}) SELECT ${[...sql.values, ordinalSql(files), sql.bad].join(', ')} FROM ${source.from}${limited}`
}

/** Files mostly come in a row: then their ordinals need no list, which costs a look-up for each row. */
const ordinalSql = (files: readonly InputFile[]): string => {
  const first = files[0]?.ordinal ?? 0
  return files.every(({ ordinal }, index) => ordinal === first + index)
    ? `(${first} + file_index)::UINTEGER`
    : `([${files.map(({ ordinal }) => ordinal)}]::UINTEGER[])[file_index::INTEGER + 1]`
}
