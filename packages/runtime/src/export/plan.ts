import {
  type AnyDestination,
  describeType,
  type ExportCursor,
  type ExportLosses,
  type ExportMode,
  type WritePlan,
  withContext,
} from '@penstock/core'
import { type ExportOptions, newRun, prepareExport } from './prepare.ts'

/** What an export would do. */
export interface ExportPlan extends WritePlan {
  readonly exportId: string
  readonly name: string
  readonly mode: ExportMode
  readonly commitId: string
  /** True when an earlier try is not known to be complete: this run would finish it. */
  readonly retried: boolean
  readonly streams: readonly PlannedExportStream[]
}

export interface PlannedExportStream extends ExportLosses {
  readonly name: string
  readonly rows: number
  /** Before compression. */
  readonly estimatedBytes: number
  readonly cursor?: ExportCursor
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

/** Shows what an export would write and remove. Runs the queries to count their rows; writes nothing, stores nothing. */
export const planExport = async <Connector extends AnyDestination>(
  given: ExportOptions<Connector>,
): Promise<ExportPlan> => {
  const options = given as unknown as ExportOptions
  const { destination, engine, resources } = options
  const { connector } = destination
  const signal = options.signal ?? new AbortController().signal
  const prepared = await prepareExport(options, newRun(options))
  const { run } = prepared
  const opened = await engine.openExport(prepared.selections, { signal })
  try {
    const streams = []
    const planned = []
    for (const stream of opened.streams) {
      const { id, name, schema, cursor } = stream
      const { rows, bytes } = await stream.estimate()
      const common = { name, rows, estimatedBytes: bytes, ...(cursor && { cursor }) }
      planned.push({ ...common, id, schema })
      streams.push({
        ...common,
        ...(await stream.losses()),
        columns: schema.columns.map((column) => ({ name: column.name, type: describeType(column.type) })),
      })
    }
    const request = { run, options: prepared.options, streams: planned }
    const plan = await withContext(
      destination,
      async (context): Promise<WritePlan> => {
        await connector.checkOptions?.(context, request)
        return (
          (await connector.plan?.(context, request)) ?? {
            files: [],
            removes: [],
            warnings: [`${connector.name} does not tell in advance what it writes.`],
          }
        )
      },
      {
        signal,
        clock: options.clock,
        concurrency: resources?.concurrency,
        notice: (message) => options.onProgress?.({ type: 'notice', message }),
      },
    )
    const { exportId, exportName: name, mode, commitId, retried } = run
    return { exportId, name, mode, commitId, retried, streams, ...plan }
  } finally {
    await opened.close()
  }
}
