import { createHash } from 'node:crypto'
import {
  type AnyDestination,
  type Connection,
  connectUnknown,
  type ExportMode,
  type ExportRun,
  type WriteResult,
  withContext,
} from '@penstock/core'
import { fail, sameRows, show, unordered } from '../expectations.ts'
import { configAt } from '../options.ts'
import type { DestinationOptions, Row } from './options.ts'
import { type TestStream, textOf } from './stream.ts'

export interface Write {
  readonly streams: readonly TestStream[]
  readonly mode: ExportMode
  /** The same text is the same run, tried again. */
  readonly commit: string
  readonly retried?: boolean
  readonly signal: AbortSignal
  readonly notice?: (message: string) => void
  readonly config?: unknown
}

/** One run of an export, as the runtime starts it. */
const runOf = ({ commit, mode, retried = false }: Write): ExportRun => ({
  commitId: commit,
  exportId: '6f1d5a52-9f0e-4d0c-8d57-2b7f5b7c3c01',
  exportName: 'conformance',
  mode,
  loadTime: loadTimeOf(commit),
  retried,
})

/** The same for every try of a run, and another for each run: seconds from the beginning of 2026 on. */
const loadTimeOf = (commit: string): Date => {
  const seconds = createHash('sha256').update(commit).digest().readUInt32BE() >>> 8
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1000)
}

/** Writes streams through the connector's own contract; their local files are removed afterwards. */
export const write = async (
  connector: AnyDestination,
  options: DestinationOptions,
  request: Write,
): Promise<WriteResult> => {
  const { signal, notice } = request
  const connection = connectUnknown(
    connector,
    request.config ?? configAt(options),
  ) as Connection<AnyDestination>
  const parsed = connector.options?.parse(options.exportOptions ?? {})
  try {
    return await withContext(
      connection,
      (context) =>
        connector.write(context, {
          run: runOf(request),
          options: parsed,
          streams: request.streams,
          onProgress: () => {},
        }),
      { signal, ...(notice && { notice }) },
    )
  } finally {
    for (const stream of request.streams) await stream.remove()
  }
}

/** Rows as consumers see them: values as texts. */
const textsOf = (rows: readonly Row[]): Row[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? null : textOf(value)]),
    ),
  )

/** Rows as consumers see them, in an order of their own. */
export const textRows = (rows: readonly Row[]): string => unordered(textsOf(rows))

/** Fails unless the other side has exactly these rows of a stream. */
export const requireRows = async (
  options: DestinationOptions,
  stream: string,
  rows: readonly Row[],
  when: string,
): Promise<void> => {
  sameRows(await options.read(stream), textsOf(rows), {
    found: `The other side ${when}`,
    wanted: 'what was written',
  })
}

/** Fails unless the files that a write tells of have as many rows as the stream, and names of their own. */
export const requireTold = ({ files }: WriteResult, stream: string, rows: number): void => {
  const own = files.filter((file) => file.stream === stream)
  const told = own.reduce((sum, file) => sum + file.rows, 0)
  if (told !== rows) fail(`Its result tells of ${told} rows of ${stream} (files[].rows); it wrote ${rows}.`)
  if (new Set(own.map(({ name }) => name)).size < own.length || own.some(({ name }) => name === ''))
    fail(`Its result has files without a name of their own: ${show(own.map(({ name }) => name))}.`)
}

/** Runs a write that has to fail. */
export const requireFailure = async (result: Promise<WriteResult>, what: string): Promise<void> => {
  const failed = await result.then(
    () => false,
    () => true,
  )
  if (!failed) fail(`${what} ended as a success.`)
}
