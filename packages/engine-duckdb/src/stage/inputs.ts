import type { DuckDBConnection } from '@duckdb/node-api'
import type { CsvFormat, StagedFile } from '@penstock/core'
import { firstRow } from '../sql.ts'
import { isCopied, plainSizeOf, withCopies } from './copies.ts'
import { beginsWith, csvLayout } from './csv.ts'
import { isStreamed } from './head.ts'
import { columnsByName, jsonLayout, jsonReader } from './json.ts'
import { parquetLayout } from './parquet.ts'
import { throughPipe } from './pipe.ts'
import type { InputFile, Layout, ReadContext } from './reading.ts'
import { textBytes } from './rewrite.ts'

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
    const streamed = isStreamed(input.file)
    const header = streamed ? undefined : last?.layout.headerBytes
    if (last && header && isAlike(input.file, last) && beginsWith(input.file, header)) {
      last.files.push(input)
      continue
    }
    const layout = await layoutOf(connection, input.file, names, signal)
    if (!layout) continue
    const id = streamed ? `${layout.id} ${input.ordinal}` : layout.id
    const group = groups.get(id) ?? { layout, files: [] }
    group.files.push(input)
    groups.set(id, group)
    if (!streamed) last = group
  }
  return [...groups.values()]
}

const isAlike = ({ format }: StagedFile, { files }: FileGroup): boolean =>
  format.type === 'csv' && format.compression === files[0]?.file.format.compression

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
 * each thread, DuckDB 1.5 passes over a record at the end of a file whose quote does not close, without a word. And
 * only as many as have room for their copies; a file that has none is alone.
 */
export const statementsOf = async (
  connection: DuckDBConnection,
  group: FileGroup,
  { copyBytes }: ReadContext,
): Promise<readonly FileGroup[]> => {
  const { layout, files } = group
  const [threads] = (await firstRow(connection, "SELECT current_setting('threads')")) ?? []
  const maxFiles = layout.type === 'csv' ? 2 * Number(threads) : Number.POSITIVE_INFINITY
  const sizeOf = isCopied(group) ? plainSizeOf : () => 0
  const parts: InputFile[][] = []
  let room = 0
  for (const input of files) {
    const size = sizeOf(input.file)
    const last = parts.at(-1)
    room -= size
    if (last && room >= 0 && last.length < maxFiles) last.push(input)
    else {
      parts.push([input])
      room = copyBytes - size
    }
  }
  return parts.map((part) => ({ layout, files: part }))
}

/** Copies that take as much room as they need. */
const withAllCopies = <Result>(
  group: FileGroup,
  read: ReadContext,
  use: (paths: readonly string[]) => Promise<Result>,
): Promise<Result> =>
  withCopies(group, { ...read, copyBytes: Number.POSITIVE_INFINITY }, use) as Promise<Result>

/** Runs `use` with the path of a pipe through which the text of a file flows. Windows has none: there it is a copy. */
export const withPipe = <Result>(
  group: FileGroup,
  read: ReadContext,
  use: (paths: readonly string[]) => Promise<Result>,
): Promise<Result> => {
  const { layout, files } = group
  const { folder, signal } = read
  const [first] = files as [InputFile]
  if (!isStreamed(first.file) && process.platform === 'win32') return withAllCopies(group, read, use)
  return throughPipe(
    folder,
    `pipe-${first.ordinal}`,
    () => textBytes(first.file, layout.rewrite, signal),
    (path) => use([path]),
    signal,
  )
}

/**
 * Runs `use` with local paths that DuckDB can read, for a look at the files: the staged files, rewritten copies, or a
 * pipe. Rows that are loaded come from {@link withCopies} where files are compressed.
 */
export const withPaths = async <Result>(
  group: FileGroup,
  read: ReadContext,
  use: (paths: readonly string[]) => Promise<Result>,
): Promise<Result> => {
  const { layout, files } = group
  if (files[0] && isStreamed(files[0].file)) return withPipe(group, read, use)
  if (!layout.rewrite) return use(files.map(({ file }) => file.path ?? ''))
  const result = await withCopies(group, read, async (paths) => ({ value: await use(paths) }))
  if (result) return result.value
  return files.length === 1 ? withPipe(group, read, use) : withAllCopies(group, read, use)
}
