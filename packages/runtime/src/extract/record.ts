import {
  type Connection,
  connectionOfKind,
  type ProgressListener,
  type RunRecord,
  type TableEngine,
} from '@penstock/core'
import { type RecordOptions, recordRun } from '../project/record-run.ts'
import { resourcesOf } from '../project/resources.ts'
import type { ResourceOptions } from '../project/schema.ts'
import { createRunId, extract } from './extract.ts'

export interface RecordedExtraction {
  readonly connection: Connection
  /** Requests: the connector's selection and load options. */
  readonly tables: readonly Readonly<Record<string, unknown>>[]
  readonly engine: TableEngine
  readonly resources: ResourceOptions
  readonly command: string
  /** Id of the run (default: a new one). */
  readonly runId?: string
  readonly signal: AbortSignal
  readonly onProgress: ProgressListener
}

/** Runs one extraction and keeps it in the project's history. */
export const runExtraction = (extraction: RecordedExtraction, record: RecordOptions): Promise<RunRecord> => {
  const { connection, resources, tables, engine, command, signal, onProgress } = extraction
  const started: RunRecord = {
    runId: extraction.runId ?? createRunId(),
    command,
    connector: connection.connector.name,
    ...(connection.name === undefined ? {} : { connection: connection.name }),
    status: 'running',
    startedAt: new Date().toISOString(),
    tables: [],
  }
  const work = () =>
    extract({
      source: connectionOfKind(connection, 'source'),
      tables,
      engine,
      signal,
      onProgress,
      resources: resourcesOf(resources),
      command,
      runId: started.runId,
    })
  return recordRun(started, work, record)
}
