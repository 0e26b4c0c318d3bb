import type { RunRecord, StreamResult, TableResult } from '@penstock/core'
import { durationOf, type PipelineRun, totalsOf } from '@penstock/runtime'
import type { PipelineRunInfo, RunDetail, RunInfo, RunPart } from '../api.ts'

/** A run for a list. */
export const runInfo = (run: RunRecord): RunInfo => {
  const durationMs = durationOf(run)
  return {
    runId: run.runId,
    status: run.status,
    command: run.command,
    ...(run.connection === undefined ? {} : { connection: run.connection }),
    connector: run.connector,
    ...(run.pipeline === undefined ? {} : { pipeline: run.pipeline }),
    startedAt: run.startedAt,
    ...(durationMs === undefined ? {} : { durationMs }),
    names: [...run.tables, ...(run.export?.streams ?? [])].map(({ name }) => name),
    totals: totalsOf(run),
    ...(run.error ? { error: run.error } : {}),
  }
}

export const runDetail = (run: RunRecord): RunDetail => ({
  ...runInfo(run),
  parts: [...run.tables.map(tablePart), ...(run.export?.streams ?? []).map(streamPart)],
})

const tablePart = (table: TableResult): RunPart => ({
  name: table.name,
  mode: table.mode,
  status: table.status,
  objects: table.objects,
  bytes: table.bytes,
  rows: table.rowsLoaded,
  rejected: table.rowsRejected,
  durationMs: table.durationMs,
  columns: table.columns,
  ...(table.rejectTable === undefined ? {} : { rejectTable: table.rejectTable }),
  ...(table.error ? { error: table.error } : {}),
})

const streamPart = (stream: StreamResult): RunPart => ({
  name: stream.name,
  mode: stream.mode,
  status: stream.status,
  objects: stream.files,
  bytes: stream.bytes,
  rows: stream.rows,
  rejected: stream.rowsDropped,
  durationMs: stream.durationMs,
  columns: stream.columns,
  ...(stream.error ? { error: stream.error } : {}),
})

export const pipelineRunInfo = ({ runId, status, startedAt, finishedAt }: PipelineRun): PipelineRunInfo => ({
  runId,
  status,
  startedAt,
  ...(finishedAt === undefined ? {} : { durationMs: Date.parse(finishedAt) - Date.parse(startedAt) }),
})
