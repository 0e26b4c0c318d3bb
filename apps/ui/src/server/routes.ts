import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConnectorError, toConnectorError } from '@penstock/core'
import { errorRecord } from '@penstock/runtime'
import type { CheckLine } from '../api.ts'
import {
  checkSteps,
  connectionPolicies,
  deleteConnection,
  draftCheck,
  readConnection,
  writeConnection,
} from './connections.ts'
import { connectorForm, connectorInfo } from './forms.ts'
import { projectOf, type UiHost } from './host.ts'
import { readJson, replyEvents, replyJson, replyLines } from './http.ts'
import type { LiveRuns } from './live-runs.ts'
import { projectInfo } from './project.ts'
import {
  databasePath,
  listRuns,
  planLoad,
  readLoad,
  readPipelineRun,
  readRun,
  startLoad,
  startPipeline,
} from './runs.ts'
import {
  catalogNamespaces,
  catalogTables,
  changeShares,
  previewCatalog,
  previewDatabase,
  previewSource,
  sourceTables,
} from './tables.ts'

/** One request to the API. */
export interface Call {
  readonly host: UiHost
  readonly runs: LiveRuns
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Aborted when the browser goes away, or the server closes. */
  readonly signal: AbortSignal
  /** Aborted when the server closes. */
  readonly closing: AbortSignal
  /** Texts of the path, in the order of the route's placeholders. */
  readonly names: readonly string[]
  readonly query: URLSearchParams
}

/** Gives the JSON of the answer; a route that answers by itself gives undefined. */
type Handler = (call: Call) => Promise<unknown>

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

const done = { done: true }

const first = ({ names: [name = ''] }: Call): string => name

const routes: readonly (readonly [method: Method, path: string, handler: Handler])[] = [
  ['GET', '/api/project', ({ host }) => projectInfo(host)],
  ['GET', '/api/connectors', (call) => listConnectors(call)],
  ['GET', '/api/connectors/:reference', (call) => readConnector(call)],

  ['GET', '/api/connections/:name', (call) => readConnection(call.host, first(call))],
  [
    'PUT',
    '/api/connections/:name',
    async (call) => writeConnection(call.host, first(call), await readJson(call.request)),
  ],
  ['DELETE', '/api/connections/:name', (call) => deleteConnection(call.host, first(call)).then(() => done)],
  ['POST', '/api/connections/:name/check', (call) => check(call)],
  ['POST', '/api/drafts/:name/check', (call) => checkDraft(call)],
  ['GET', '/api/connections/:name/policy', (call) => connectionPolicies(call.host, first(call))],
  [
    'GET',
    '/api/connections/:name/tables',
    (call) => sourceTables(call.host, first(call), call.query.get('prefix') ?? undefined, call.signal),
  ],
  [
    'GET',
    '/api/connections/:name/namespaces',
    (call) => catalogNamespaces(call.host, first(call), call.signal),
  ],
  [
    'GET',
    '/api/connections/:name/catalog',
    (call) => catalogTables(call.host, first(call), call.query.getAll('namespace'), call.signal),
  ],
  ['PUT', '/api/connections/:name/shares', (call) => share(call)],
  ['POST', '/api/connections/:name/preview', (call) => preview(call)],

  [
    'POST',
    '/api/plan',
    async (call) => planLoad(call.host, readLoad(await readJson(call.request)), call.signal),
  ],
  [
    'POST',
    '/api/loads',
    async (call) => startLoad(call.host, call.runs, readLoad(await readJson(call.request))),
  ],
  ['POST', '/api/pipelines/:name/runs', (call) => startPipeline(call.host, call.runs, first(call))],
  ['GET', '/api/pipeline-runs/:id', (call) => readPipelineRun(call.host, first(call))],

  ['GET', '/api/live', async ({ runs }) => runs.list()],
  ['GET', '/api/live/:id/events', (call) => watch(call)],
  [
    'POST',
    '/api/live/:id/cancel',
    async (call) => {
      call.runs.cancel(first(call))
      return done
    },
  ],
  ['GET', '/api/runs', ({ host }) => listRuns(host)],
  ['GET', '/api/runs/:id', (call) => readRun(call.host, first(call))],
  ['POST', '/api/rows', (call) => rows(call)],
]

interface Match {
  readonly handler: Handler
  readonly names: readonly string[]
}

/** The route of a request: undefined where there is none. */
export const routeOf = (method: string, path: string): Match | undefined => {
  const parts = path.split('/')
  for (const [candidate, pattern, handler] of routes) {
    if (candidate !== method) continue
    const names = namesIn(pattern.split('/'), parts)
    if (names) return { handler, names }
  }
  return undefined
}

const namesIn = (pattern: readonly string[], parts: readonly string[]): readonly string[] | undefined => {
  if (pattern.length !== parts.length) return undefined
  const names: string[] = []
  for (const [index, piece] of pattern.entries()) {
    const part = parts[index] ?? ''
    if (piece.startsWith(':')) names.push(decoded(part))
    else if (piece !== part) return undefined
  }
  return names
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const listConnectors = async ({ host }: Call) => {
  const { folder } = await projectOf(host)
  return (await host.knownConnectors(folder)).map(connectorInfo)
}

/** The forms of a connector. One that is no package, such as `./connectors/issues.ts`, is loaded by its reference. */
const readConnector = async (call: Call) => {
  const { host } = call
  const reference = first(call)
  const { folder } = await projectOf(host)
  const known = (await host.knownConnectors(folder)).find((candidate) => candidate.reference === reference)
  if (known?.error) throw new ConnectorError(known.error.kind, known.error.message, known.error)
  const connector = known?.connector ?? (await host.loadConnector(reference, folder))
  return connectorForm({ reference, origin: known?.origin ?? 'installed', connector })
}

const check = (call: Call): Promise<undefined> =>
  replySteps(call, (tell) => checkSteps(call.host, first(call), call.signal, tell))

/** What is wrong in the form is an answer of its own, before the steps. */
const checkDraft = async (call: Call): Promise<undefined> => {
  const test = await draftCheck(call.host, first(call), await readJson(call.request))
  return replySteps(call, (tell) => test(call.signal, tell))
}

const replySteps = async (
  { host, response }: Call,
  run: (tell: (line: CheckLine) => void) => Promise<void>,
): Promise<undefined> => {
  const write = replyLines(response)
  const tell = (line: CheckLine) => write(host.redact(line))
  try {
    await run(tell)
  } catch (error) {
    if (!response.destroyed) tell({ error: errorRecord(toConnectorError(error)) })
  }
  response.end()
}

const share = async (call: Call) => {
  const { namespace, tables } = await readJson(call.request)
  if (!isTexts(namespace) || (tables !== undefined && !isTexts(tables)))
    throw new ConnectorError('config', 'A choice has a namespace, and tables or none.')
  await changeShares(call.host, first(call), { namespace, tables }, call.signal)
  return done
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string')

const preview = async (call: Call) => {
  const { selection, namespace, table } = await readJson(call.request)
  if (typeof selection === 'object' && selection !== null)
    return previewSource(call.host, first(call), selection as Record<string, unknown>, call.signal)
  if (isTexts(namespace) && typeof table === 'string')
    return previewCatalog(call.host, first(call), { namespace, name: table }, call.signal)
  throw new ConnectorError('config', 'A preview needs a selection, or a namespace and a table.')
}

const rows = async ({ host, request, signal }: Call) => {
  const { database, table } = await readJson(request)
  if (typeof database !== 'string' || typeof table !== 'string')
    throw new ConnectorError('config', 'Rows are those of a table in a database.')
  const { folder } = await projectOf(host)
  return previewDatabase(host, databasePath(folder, database), table, signal)
}

/** Server-sent events of a run, until it has ended. */
const watch = async (call: Call): Promise<undefined> => {
  const { host, runs, response, closing } = call
  const id = first(call)
  runs.get(id)
  const tell = replyEvents(response)
  const ended = Promise.withResolvers<void>()
  const unwatch = runs.watch(id, (run) => {
    tell('run', host.redact(run))
    if (run.status !== 'running') ended.resolve()
  })
  response.on('close', ended.resolve)
  closing.addEventListener('abort', () => ended.resolve(), { once: true })
  await ended.promise
  unwatch()
  response.end()
}

/** Answers a request to the API. Throws what is to be told as an error. */
export const answer = async (match: Match, call: Call): Promise<void> => {
  const result = await match.handler(call)
  if (result !== undefined) replyJson(call.response, call.host.redact(result))
}
