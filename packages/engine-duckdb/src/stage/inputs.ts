import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { CsvFormat, StagedFile } from '@penstock/core'
import { firstRow } from '../sql.ts'
import { beginsWith, csvLayout } from './csv.ts'
import { columnsByName, jsonLayout, jsonReader } from './json.ts'
import { parquetLayout } from './parquet.ts'
import { throughPipe } from './pipe.ts'
import type { InputFile, Layout, ReadContext } from './reading.ts'
import { textBytes, writeCopy } from './rewrite.ts'

/** Files of one layout, in the order in which they came. */
export interface FileGroup {
  readonly layout: Layout
  readonly files: InputFile[]
}

/**
 * Sorts files into groups that one statement can read. A file without any record is in none. `names`: columns of JSON
 * records as far as they are known.
 */
export const groupFiles = async (
  connection: DuckDBConnection,
  files: readonly InputFile[],
  names: readonly string[],
  signal: AbortSignal,
): Promise<FileGroup[]> => {
  const groups = new Map<string, FileGroup>()
  let last: FileGroup | undefined
  for (const input of files) {
    if (input.file.entry.size === 0) continue
    // A pipe serves one file, so a streamed file is a group of its own.
    const isStreamed = input.file.path === undefined
    const header = isStreamed ? undefined : last?.layout.headerBytes
    if (last && header && input.file.format.type === 'csv' && beginsWith(input.file, header)) {
      last.files.push(input)
      continue
    }
    const layout = await layoutOf(connection, input.file, names, signal)
    if (!layout) continue
    const id = isStreamed ? `${layout.id} ${input.ordinal}` : layout.id
    const group = groups.get(id) ?? { layout, files: [] }
    group.files.push(input)
    groups.set(id, group)
    if (!isStreamed) last = group
  }
  return [...groups.values()]
}

const layoutOf = async (
  connection: DuckDBConnection,
  file: StagedFile,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Layout | undefined> => {
  const { format } = file
  switch (format.type) {
    case 'csv':
      return csvLayout(file, format as CsvFormat, signal)
    case 'parquet':
      return parquetLayout(connection, file)
    default: {
      const reader = await jsonReader(file, signal)
      return reader && jsonLayout(columnsByName(names), reader)
    }
  }
}

/**
 * Parts of a group that one statement reads. Of delimited text only so many files: where there are more than two for
 * each thread, DuckDB 1.5 passes over a record at the end of a file whose quote does not close, without a word.
 */
export const statementsOf = async (
  connection: DuckDBConnection,
  { layout, files }: FileGroup,
): Promise<readonly FileGroup[]> => {
  if (layout.type !== 'csv') return [{ layout, files }]
  const [threads] = (await firstRow(connection, "SELECT current_setting('threads')")) ?? []
  const count = 2 * Number(threads)
  return Array.from({ length: Math.ceil(files.length / count) }, (_, index) => ({
    layout,
    files: files.slice(index * count, (index + 1) * count),
  }))
}

/** Runs `use` with local paths that DuckDB can read: the staged files, rewritten copies, or a pipe. */
export const withPaths = async <Result>(
  group: FileGroup,
  { folder, signal }: ReadContext,
  use: (paths: readonly string[]) => Promise<Result>,
): Promise<Result> => {
  const { layout, files } = group
  const { rewrite } = layout
  const [first] = files
  if (first && first.file.path === undefined)
    return throughPipe(
      folder,
      `pipe-${first.ordinal}`,
      () => textBytes(first.file, rewrite, signal),
      (path) => use([path]),
      signal,
    )
  if (!rewrite) return use(files.map(({ file }) => file.path ?? ''))
  const copies: string[] = []
  try {
    for (const { file, ordinal } of files)
      copies.push(await writeCopy(file, rewrite, folder, `copy-${ordinal}`, signal))
    return await use(copies)
  } finally {
    for (const { ordinal } of files) await rm(join(folder, `copy-${ordinal}`), { force: true })
  }
}
