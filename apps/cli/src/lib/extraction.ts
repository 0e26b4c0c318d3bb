import { formatBytes, formatCount, formatDuration, type TableColumn } from '@penstock/command-kit'
import {
  type Connection,
  connectionOfKind,
  type ProgressListener,
  type RunRecord,
  type TableEngine,
} from '@penstock/core'
import {
  createRunId,
  extract,
  type RecordOptions,
  type ResourceOptions,
  recordRun,
  resourcesOf,
} from '@penstock/runtime'

export interface Extraction {
  readonly connection: Connection
  readonly tables: readonly Readonly<Record<string, unknown>>[]
  readonly engine: TableEngine
  readonly resources: ResourceOptions
  readonly command: string
  readonly pipeline?: string
  readonly signal: AbortSignal
  readonly onProgress: ProgressListener
}

/** Runs one extraction and keeps it in the project's history. */
export const runExtraction = (extraction: Extraction, record: RecordOptions): Promise<RunRecord> => {
  const { connection, resources, pipeline } = extraction
  const started: RunRecord = {
    runId: createRunId(),
    command: extraction.command,
    connector: connection.connector.name,
    ...(connection.name === undefined ? {} : { connection: connection.name }),
    ...(pipeline === undefined ? {} : { pipeline }),
    status: 'running',
    startedAt: new Date().toISOString(),
    tables: [],
  }
  const work = () =>
    extract({
      source: connectionOfKind(connection, 'source'),
      tables: extraction.tables,
      engine: extraction.engine,
      signal: extraction.signal,
      onProgress: extraction.onProgress,
      resources: resourcesOf(resources),
      command: extraction.command,
      pipeline,
      runId: started.runId,
    })
  return recordRun(started, work, record)
}

export const resultColumns: readonly TableColumn[] = [
  { title: 'TABLE', cut: 'middle' },
  { title: 'MODE', cut: 'never' },
  { title: 'STATUS', cut: 'never' },
  { title: 'FILES', align: 'right', cut: 'never' },
  { title: 'BYTES', align: 'right', cut: 'never' },
  { title: 'ROWS', align: 'right', cut: 'never' },
  { title: 'REJECTED', align: 'right', cut: 'never' },
  { title: 'TIME', align: 'right', cut: 'never' },
]

/** Rows of a table of results, for {@link resultColumns}. */
export const resultRows = (run: RunRecord): string[][] =>
  run.tables.map((table) => [
    table.name,
    table.mode,
    table.status,
    formatCount(table.objects),
    formatBytes(table.bytes),
    formatCount(table.rowsLoaded),
    formatCount(table.rowsRejected),
    formatDuration(table.durationMs),
  ])
