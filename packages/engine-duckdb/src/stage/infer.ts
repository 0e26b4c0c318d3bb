import type { DuckDBConnection } from '@duckdb/node-api'
import {
  ConnectorError,
  type InferredColumn,
  type LogicalType,
  type StagedFile,
  sameType,
} from '@penstock/core'
import { firstRow, quoteIdentifier } from '../sql.ts'
import { blame, mixedLineEndsCode } from './blame.ts'
import { givenType } from './columns.ts'
import { defaultCopyBytes } from './copies.ts'
import { inferTypes } from './infer-types.ts'
import { groupFiles, withPaths } from './inputs.ts'
import { jsonKeys, jsonLayout, withKeys } from './json.ts'
import { text, widen } from './lattice.ts'
import { formatsOf } from './loader.ts'
import { locateRecords } from './locate.ts'
import { doubtOf, type SourceValue } from './proofs.ts'
import type { InputFile, Layout, ReadContext } from './reading.ts'
import { textBytes } from './rewrite.ts'
import type { InferOptions } from './types.ts'

interface Found {
  readonly type: LogicalType | undefined
  readonly evidence?: { readonly object: string; readonly line?: number; readonly value: string }
}

/**
 * Types of the columns of some files, each with the value that forced it. Files that disagree show the type that holds
 * both where there is one, else text.
 */
export const inferColumns = async (
  connection: DuckDBConnection,
  files: readonly StagedFile[],
  options: InferOptions,
): Promise<readonly InferredColumn[]> => {
  const columns = new Map<string, { name: string; found: Found }>()
  const note = (name: string, found: Found) => {
    const known = columns.get(name.toLowerCase())
    columns.set(name.toLowerCase(), {
      name: known?.name ?? name,
      found: known ? merge(known.found, found) : found,
    })
  }
  const read = {
    folder: options.stagingFolder,
    copyBytes: defaultCopyBytes,
    signal: options.signal ?? new AbortController().signal,
  }
  for (const [ordinal, file] of files.entries()) {
    for (const [name, found] of await columnsOfFile(connection, { ordinal, file }, read)) note(name, found)
    for (const [name, value] of Object.entries(file.constants)) {
      const sql = value === null ? 'NULL::VARCHAR' : `'${value.replaceAll("'", "''")}'`
      const [type] = await inferTypes(connection, (use) => use('(SELECT 1)'), [
        { raw: sql, text: sql, literal: sql },
      ])
      note(name, { type: type?.type === 'int' || type?.type === 'date' ? type : type && text })
    }
  }
  return [...columns.values()].map(({ name, found }) => {
    const given = givenType(options.columnTypes, name) ?? (options.allText ? text : undefined)
    if (given) return { name, type: given, nullable: true }
    return {
      name,
      type: found.type ?? text,
      nullable: true,
      ...(found.evidence && { evidence: found.evidence }),
    }
  })
}

const merge = (a: Found, b: Found): Found => {
  if (!a.type || !b.type) return a.type ? a : b
  const type = widen(a.type, b.type) ?? text
  if (sameType(type, a.type)) return a
  return sameType(type, b.type) ? b : { type, ...(b.evidence && { evidence: b.evidence }) }
}

const completeLayout = async (
  connection: DuckDBConnection,
  layout: Layout,
  paths: readonly string[],
): Promise<Layout> => {
  if (!layout.json) return layout
  return jsonLayout(withKeys([], await jsonKeys(connection, paths, layout.json)), layout.json)
}

const columnsOfFile = async (
  connection: DuckDBConnection,
  input: InputFile,
  read: ReadContext,
): Promise<(readonly [string, Found])[]> => {
  const [group] = await groupFiles(connection, [input], [], read.signal)
  if (!group) return []
  try {
    return await withPaths(group, read, async (paths) => {
      const layout = await completeLayout(connection, group.layout, paths)
      const types = await typesOf(connection, layout, input, paths, read)
      return types.map((found, index) => [layout.names[index] ?? '', found] as const)
    })
  } catch (error) {
    const blamed = await blame(error, group, read)
    const { file } = input
    if (!hasCode(blamed, mixedLineEndsCode) || file.format.type !== 'csv') throw blamed
    const format = { ...file.format, lineEnds: 'mixed' } as const
    return columnsOfFile(connection, { ...input, file: { ...file, format } }, read)
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  ConnectorError.isInstance(error) && error.code === code

const typesOf = async (
  connection: DuckDBConnection,
  layout: Layout,
  { file, ordinal }: InputFile,
  paths: readonly string[],
  read: ReadContext,
): Promise<Found[]> => {
  if (layout.declared) return layout.declared.map((type) => ({ type }))
  const source = layout.source(
    paths,
    layout.names.map(() => undefined),
  )
  const sample = `temp.${quoteIdentifier(`__penstock_infer_${ordinal}`)}`
  try {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE ${sample.slice(5)} AS SELECT row_number() OVER () AS record, * FROM ${source.from}`,
    )
    const values = source.columns.map(({ value }) => value)
    const types = await inferTypes(connection, (use) => use(sample), values, formatsOf(file))
    const samples: (Sample | undefined)[] = []
    for (const [index, type] of types.entries()) {
      const value = values[index]
      samples.push(value && type && (await sampleOf(connection, sample, value, type)))
    }
    const lines = await linesOf(samples, layout, file, read)
    return types.map((type, index) => {
      const found = samples[index]
      if (!found) return { type }
      const line = lines.get(found.record)
      return { type, evidence: { object: file.url, value: found.value, ...(line !== undefined && { line }) } }
    })
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${sample}`)
  }
}

const narrower: Partial<Record<LogicalType['type'], LogicalType>> = {
  string: { type: 'double' },
  double: { type: 'decimal', precision: 38, scale: 18 },
  decimal: { type: 'int', bits: 64, signed: true },
  timestamp: { type: 'date' },
}

interface Sample {
  /** Number of the record in the file, from 1. */
  readonly record: number
  readonly value: string
}

/** The first value that the next narrower type does not hold; for the narrowest types the first value. */
const sampleOf = async (
  connection: DuckDBConnection,
  sample: string,
  value: SourceValue,
  type: LogicalType,
): Promise<Sample | undefined> => {
  const doubt = narrower[type.type] && doubtOf(value, narrower[type.type])
  const row = await firstRow(
    connection,
    `SELECT record, left(${value.text}, 100) FROM ${sample} WHERE ${value.text} IS NOT NULL ${doubt ? `AND ${doubt}` : ''} ORDER BY record LIMIT 1`,
  )
  return row && { record: Number(row[0]), value: String(row[1]) }
}

/** Physical lines of records, by their numbers: a record may have line ends inside quotes, and blank lines are none. */
const linesOf = async (
  samples: readonly (Sample | undefined)[],
  layout: Layout,
  file: StagedFile,
  read: ReadContext,
): Promise<Map<number, number>> => {
  const lines = new Map<number, number>()
  if (layout.type !== 'csv' && layout.type !== 'ndjson') return lines
  const records = [...new Set(samples.flatMap((found) => found?.record ?? []))].toSorted((a, b) => a - b)
  const located = locateRecords(textBytes(file, layout.rewrite, read.signal), {
    dialect: layout.dialect,
    columnCount: layout.names.length,
    rows: records.map((row) => ({ row })).values(),
    offsets: [].values() as Iterator<never>,
  })
  for await (const { wanted, place } of located) lines.set(wanted.row, place.line)
  return lines
}
