import type { DecodedValue, ScanDelete, ScanFile } from '@penstock/core'
import { readParquetRows } from './parquet.ts'

export type Row = Readonly<Record<string, DecodedValue>>

/** Executes a plan the plain way, row by row: what an engine has to give. */
export const executeFiles = async (
  files: readonly ScanFile[],
  bytesOf: (path: string) => Uint8Array,
): Promise<Row[]> => {
  const rows: Row[] = []
  for (const file of files) {
    const all = await rowsOf(file, bytesOf)
    const deleted = new Set<DecodedValue[]>()
    for (const entry of file.deletes) await markDeleted(entry, file, all, deleted, bytesOf)
    for (const row of all)
      if (!deleted.has(row))
        rows.push(Object.fromEntries(file.columns.map(({ name }, index) => [name, row[index] ?? null])))
  }
  return rows
}

const { signal } = new AbortController()

const rowsOf = async (file: ScanFile, bytesOf: (path: string) => Uint8Array): Promise<DecodedValue[][]> => {
  if (!file.decode) return readParquetRows(bytesOf(file.file.url), file.columns)
  const rows: DecodedValue[][] = []
  for await (const page of file.decode({ signal })) rows.push(...page.map((row) => [...row]))
  return rows
}

const markDeleted = async (
  entry: ScanDelete,
  file: ScanFile,
  rows: readonly DecodedValue[][],
  deleted: Set<DecodedValue[]>,
  bytesOf: (path: string) => Uint8Array,
): Promise<void> => {
  const mark = (row: DecodedValue[] | undefined): void => {
    if (!row) throw new Error('a position is outside of the file')
    deleted.add(row)
  }
  switch (entry.kind) {
    case 'positions':
      for (const position of await entry.load({ signal })) mark(rows[Number(position)])
      return
    case 'position-file':
      for (const [path, position] of await rowsOf(entry.file, bytesOf))
        if (path === entry.dataPath) mark(rows[Number(position)])
      return
    case 'equality': {
      const keys = new Set((await rowsOf(entry.file, bytesOf)).map(keyOf))
      const indexes = entry.columns.map(({ name }) =>
        file.columns.findIndex((column) => column.name === name),
      )
      for (const row of rows) if (keys.has(keyOf(indexes.map((index) => row[index] ?? null)))) mark(row)
    }
  }
}

const keyOf = (values: readonly DecodedValue[]): string =>
  JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
