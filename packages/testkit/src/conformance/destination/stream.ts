import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  type ExportFile,
  type ExportFormat,
  type ExportStream,
  type FileLayout,
  type LogicalType,
  type TableSchema,
  text,
} from '@penstock/core'
import { fail } from '../expectations.ts'
import type { Row } from './options.ts'

/** A stream whose rows are in memory, with what happened to it. */
export interface TestStream extends ExportStream {
  /** Local files that were given and not released yet. */
  unreleased(): number
  remove(): Promise<void>
}

export interface StreamOptions {
  readonly name: string
  readonly rows: readonly Row[]
  /** Types of columns that are not text. */
  readonly types?: Readonly<Record<string, LogicalType>>
  readonly key?: readonly string[]
  /** Rows of a page and of a file, at most (default 3: small, so that few rows make several). */
  readonly pageRows?: number
  /** Fails after that many rows. */
  readonly failAfter?: number
}

export const testStream = (options: StreamOptions): TestStream => {
  const folders: string[] = []
  let unreleased = 0
  const schema = schemaOf(options)
  const { pageRows = 3 } = options

  async function* pages(size: number): AsyncGenerator<readonly Row[]> {
    for (let start = 0; start < options.rows.length; start += size) {
      if (options.failAfter !== undefined && start >= options.failAfter)
        throw new Error('The stream of the test breaks off here.')
      yield options.rows.slice(start, start + size)
    }
    if (options.failAfter !== undefined) throw new Error('The stream of the test breaks off here.')
  }

  async function* files(layout: FileLayout): AsyncGenerator<ExportFile> {
    if (layout.partitionBy?.length) fail('The streams of this suite are not partitioned.')
    const folder = await mkdtemp(join(tmpdir(), 'penstock-conformance-'))
    folders.push(folder)
    let part = 0
    const write = async (rows: readonly Row[]): Promise<ExportFile> => {
      const path = join(folder, `${++part}`)
      const bytes = encode(rows, schema, layout.format)
      await writeFile(path, bytes)
      unreleased++
      return {
        part,
        partition: {},
        path,
        size: bytes.length,
        rows: rows.length,
        release: async () => {
          unreleased--
          await rm(path)
        },
      }
    }
    for await (const rows of pages(Math.min(layout.maxRows ?? pageRows, pageRows))) yield await write(rows)
    if (part === 0 && layout.empty !== 'nothing') yield await write([])
  }

  return Object.freeze({
    id: '2f6c0f0e-6a53-4c28-9a39-0d8c1d1b7a11',
    name: options.name,
    schema,
    files,
    rows: () => pages(pageRows),
    unreleased: () => unreleased,
    remove: async () => {
      for (const folder of folders) await rm(folder, { recursive: true, force: true })
    },
  })
}

const schemaOf = ({ rows, types = {}, key }: StreamOptions): TableSchema => {
  const names = [...new Set([...rows.flatMap((row) => Object.keys(row)), ...Object.keys(types)])]
  return {
    columns: names.map((name) => ({ name, type: types[name] ?? text, nullable: !key?.includes(name) })),
    ...(key && { key }),
  }
}

const encode = (rows: readonly Row[], schema: TableSchema, format: ExportFormat): Buffer => {
  const plain = Buffer.from(
    format.type === 'csv' ? csvOf(rows, schema, format) : ndjsonOf(rows, schema, format),
  )
  if (format.type === 'parquet' || format.compression === 'none') return plain
  return format.compression === 'gzip' ? gzipSync(plain) : fail(`The suite writes no ${format.compression}.`)
}

const ndjsonOf = (rows: readonly Row[], { columns }: TableSchema, { type }: ExportFormat): string => {
  if (type === 'parquet') fail('The suite writes no Parquet: give exportOptions for CSV or NDJSON.')
  const line = (row: Row) => {
    const fields = columns.map(({ name, type }) => `${JSON.stringify(name)}:${jsonValue(row[name], type)}`)
    return `{${fields.join(',')}}\n`
  }
  return rows.map(line).join('')
}

/** As the engine writes it: a document as itself, and as texts what JSON has no word for. */
const jsonValue = (value: unknown, { type }: LogicalType): string => {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'bigint') return value.toString()
  if (type === 'json') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  return JSON.stringify(typeof value === 'number' || value instanceof Uint8Array ? textOf(value) : value)
}

const csvOf = (
  rows: readonly Row[],
  { columns }: TableSchema,
  { delimiter, header, nullValue, binary }: Extract<ExportFormat, { type: 'csv' }>,
): string => {
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
  const field = (value: unknown) =>
    value === null || value === undefined ? nullValue : quoted(textOf(value, binary))
  const names = columns.map(({ name }) => quoted(name)).join(delimiter)
  const lines = rows.map((row) => columns.map(({ name }) => field(row[name])).join(delimiter))
  return [...(header ? [names] : []), ...lines].map((line) => `${line}\n`).join('')
}

/** A value as text, in the words of the engine. */
export const textOf = (value: unknown, binary: 'base64' | 'hex' = 'base64'): string => {
  if (value instanceof Uint8Array)
    return binary === 'hex'
      ? `\\x${Buffer.from(value).toString('hex')}`
      : Buffer.from(value).toString('base64')
  if (typeof value === 'number' && !Number.isFinite(value))
    return String(value).replace('Infinity', 'inf').toLowerCase()
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
