import { existsSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { ConnectorError, connectionOfKind, describeType } from '@penstock/core'
import {
  openPipeline,
  openPipelineConnections,
  pipelineContext,
  pipelineHistory,
  plan,
  runExtraction,
  runHistory,
  runPipeline,
  type SchemaChange,
} from '@penstock/runtime'
import type { LiveRun, LoadDraft, PlanInfo, RunDetail, RunInfo } from '../api.ts'
import { connectorOf, projectOf, type UiHost, useConnection, withEngine } from './host.ts'
import type { LiveRuns } from './live-runs.ts'
import { runDetail, runInfo } from './run-info.ts'

/** Runs of the history that a page gets. */
const listedRuns = 200

export const listRuns = async (host: UiHost): Promise<readonly RunInfo[]> => {
  const { folder } = await projectOf(host)
  return (await runHistory(folder).list({ limit: listedRuns })).map(runInfo)
}

export const readRun = async (host: UiHost, id: string): Promise<RunDetail> => {
  const { folder } = await projectOf(host)
  return runDetail(await runHistory(folder).read(id))
}

export const readLoad = (body: Readonly<Record<string, unknown>>): LoadDraft => {
  const { connection, tables, options = {}, into } = body
  if (typeof connection !== 'string' || !Array.isArray(tables) || typeof into !== 'string')
    throw new ConnectorError('config', 'A load has a connection, tables, and a database to load into.')
  return { connection, tables, options: options as LoadDraft['options'], into }
}

/** Path of a database of the project: a file in its folder, so that a page can't make files elsewhere. */
export const databasePath = (folder: string, given: string): string => {
  const path = resolve(folder, given)
  const inside = relative(folder, path)
  if (inside !== '' && !inside.startsWith('..') && !isAbsolute(inside) && !inside.startsWith('.penstock'))
    return path
  throw new ConnectorError('config', 'The database has to be a file in the folder of the project.', {
    hint: 'For example warehouse.duckdb. Elsewhere: penstock extract ... --into PATH.',
  })
}

const requestsOf = ({ tables, options }: LoadDraft) => tables.map((table) => ({ ...options, ...table }))

/** What a load would do. Changes nothing. */
export const planLoad = async (host: UiHost, draft: LoadDraft, signal: AbortSignal): Promise<PlanInfo> => {
  const project = await projectOf(host)
  const source = connectionOfKind(await useConnection(host, project, draft.connection), 'source')
  const into = databasePath(project.folder, draft.into)
  const path = existsSync(into) ? into : ':memory:'
  const options = { readOnly: path !== ':memory:', stagingFolder: host.inPlace.stagingFolder }
  const found = await withEngine(host, path, options, (engine) =>
    plan({ source, tables: requestsOf(draft), engine, signal }),
  )
  return {
    tables: found.tables.map(({ schema, schemaChanges, samples: _, ...table }) => ({
      ...table,
      columns: schema.map(({ name, type, evidence }) => ({
        name,
        type: describeType(type),
        ...(evidence ? { because: `${evidence.value} in ${evidence.object}` } : {}),
      })),
      changes: schemaChanges.map(changeText),
    })),
  }
}

const changeText = ({ column, change, from, to }: SchemaChange): string => {
  if (change === 'added') return `${column} is new${to === undefined ? '' : ` (${to})`}`
  return change === 'missing' ? `${column} is not in the new objects` : `${column}: ${from} becomes ${to}`
}

/** Starts a load. What is wrong with it before anything moves is told by the run. */
export const startLoad = async (host: UiHost, runs: LiveRuns, draft: LoadDraft): Promise<LiveRun> => {
  const project = await projectOf(host)
  const connection = await useConnection(host, project, draft.connection)
  connectionOfKind(connection, 'source')
  const into = databasePath(project.folder, draft.into)
  const subject = { title: `Load from ${draft.connection}`, connection: draft.connection, into: draft.into }
  return runs.start(subject, ({ runId, signal, onProgress, onNotice }) =>
    withEngine(host, into, {}, (engine) =>
      runExtraction(
        {
          connection,
          tables: requestsOf(draft),
          engine,
          resources: {},
          command: 'extract',
          runId,
          signal,
          onProgress,
        },
        { folder: project.folder, redact: host.redact, onProblem: onNotice },
      ),
    ),
  )
}

/** Starts a pipeline. What is wrong with its configuration is told at once. */
export const startPipeline = async (host: UiHost, runs: LiveRuns, name: string): Promise<LiveRun> => {
  const project = await projectOf(host)
  const pipeline = await openPipeline(project, name, (connection) => connectorOf(host, project, connection))
  const connections = await openPipelineConnections(pipeline.connections, (connection) =>
    useConnection(host, project, connection),
  )
  const into = pipeline.into === undefined ? {} : { into: relative(project.folder, pipeline.into) }
  return runs.start(
    { title: `Pipeline ${name}`, pipeline: name, ...into },
    ({ runId, signal, onPipeline }) => {
      const { openEngine, redact, addSecrets } = host
      const base = pipelineContext({ project, connections, openEngine, redact, addSecrets })
      return runPipeline(pipeline, { ...base, signal, onEvent: onPipeline }, { runId })
    },
  )
}

/** A pipeline run that is over, as a live one would be shown. */
export const readPipelineRun = async (host: UiHost, id: string): Promise<LiveRun> => {
  const { folder } = await projectOf(host)
  const run = await pipelineHistory(folder).read(id)
  const ended = run.finishedAt ?? new Date().toISOString()
  const records = (await runHistory(folder).list()).filter(
    ({ pipeline, startedAt }) =>
      pipeline === run.pipeline && startedAt >= run.startedAt && startedAt <= ended,
  )
  return {
    id: run.runId,
    title: `Pipeline ${run.pipeline}`,
    pipeline: run.pipeline,
    ...(run.into === undefined ? {} : { into: relative(folder, run.into) }),
    status: run.status,
    cancelling: false,
    startedAt: run.startedAt,
    ...(run.finishedAt === undefined ? {} : { finishedAt: run.finishedAt }),
    tables: [],
    steps: run.steps,
    notices: [],
    records: records.map(runDetail),
    ...(run.error ? { error: run.error } : {}),
  }
}
