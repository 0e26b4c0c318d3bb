import type { DuckDBConnection } from '@duckdb/node-api'
import { type InferredColumn, type LogicalType, type StagedFile, sameType } from '@penstock/core'
import { firstRow, quoteIdentifier } from '../sql.ts'
import { givenType } from './columns.ts'
import { inferTypes } from './infer-types.ts'
import { groupFiles, withPaths } from './inputs.ts'
import { jsonKeys, jsonLayout } from './json.ts'
import { text, widen } from './lattice.ts'
import { formatsOf } from './loader.ts'
import { doubtOf, type SourceValue } from './proofs.ts'
import type { InputFile, Layout } from './reading.ts'
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
  const read = { folder: options.stagingFolder, signal: options.signal ?? new AbortController().signal }
  for (const [ordinal, file] of files.entries()) {
    const [group] = await groupFiles(connection, [{ ordinal, file } satisfies InputFile], [], read.signal)
    if (!group) continue
    await withPaths(group, read, async (paths) => {
      const layout = await completeLayout(connection, group.layout, paths)
      for (const [index, found] of (await typesOf(connection, layout, file, paths, ordinal)).entries())
        note(layout.names[index] ?? '', found)
    })
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
  return jsonLayout(await jsonKeys(connection, paths, layout.json), layout.json)
}

const typesOf = async (
  connection: DuckDBConnection,
  layout: Layout,
  file: StagedFile,
  paths: readonly string[],
  ordinal: number,
): Promise<Found[]> => {
  if (layout.declared) return layout.declared.map((type) => ({ type }))
  const source = layout.source(
    paths,
    layout.names.map(() => undefined),
  )
  const sample = `temp.${quoteIdentifier(`__penstock_infer_${ordinal}`)}`
  try {
    const picked = source.columns.map((_, index) => index)
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE ${sample.slice(5)} AS SELECT row_number() OVER () AS record, * FROM ${source.from}`,
    )
    const values = picked.flatMap((index) => source.columns[index]?.value ?? [])
    const types = await inferTypes(connection, (use) => use(sample), values, formatsOf(file))
    const found: Found[] = []
    for (const [index, type] of types.entries()) {
      const value = values[index]
      const evidence = value && type && (await evidenceFor(connection, sample, value, type, file, layout))
      found.push({ type, ...(evidence && { evidence }) })
    }
    return found
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

/** The first value that the next narrower type does not hold; for the narrowest types the first value. */
const evidenceFor = async (
  connection: DuckDBConnection,
  sample: string,
  value: SourceValue,
  type: LogicalType,
  file: StagedFile,
  layout: Layout,
): Promise<Found['evidence']> => {
  const doubt = narrower[type.type] && doubtOf(value, narrower[type.type])
  const row = await firstRow(
    connection,
    `SELECT record, left(${value.text}, 100) FROM ${sample} WHERE ${value.text} IS NOT NULL ${doubt ? `AND ${doubt}` : ''} ORDER BY record LIMIT 1`,
  )
  if (!row) return undefined
  const isLines = layout.type === 'csv' || layout.type === 'ndjson'
  const header = (layout.dialect?.header ? 1 : 0) + (layout.dialect?.skipLines ?? 0)
  return { object: file.url, value: String(row[1]), ...(isLines && { line: Number(row[0]) + header }) }
}
