import { resolve } from 'node:path'
import { type AnyConnector, parse } from '@penstock/core'
import { loadRequest } from '../extract/request.ts'
import type { Extraction } from './extraction.ts'
import { checkExtraction, groupTables } from './extraction.ts'
import { type Project, type ProjectPipeline, pipelineNamed } from './project.ts'
import { type ResolveOptions, resolveText } from './references.ts'
import { resolveFields } from './resolve-fields.ts'
import { pipelineOptions, type ResourceOptions, resourceOptions } from './schema.ts'
import { type OpenedStep, openSteps } from './steps.ts'
import { rethrown, throwIssues, withoutReferences } from './validate.ts'

type Fields = Readonly<Record<string, unknown>>

/** A pipeline that is checked and ready to run. */
export interface OpenedPipeline {
  readonly name: string
  /** Absolute path of the DuckDB file, or `:memory:`. Undefined for a pipeline of actions alone. */
  readonly into: string | undefined
  readonly steps: readonly OpenedStep[]
  /** Connections that its steps use, each once. */
  readonly connections: readonly string[]
  readonly resources: ResourceOptions
}

/**
 * Makes a pipeline ready for use: everything that can be known before it runs is checked, references to variables
 * and files among it. `connectorOf` gives the connector of a connection's name. Everything wrong is a `config` error
 * with line and column.
 */
export const openPipeline = async (
  project: Project,
  name: string,
  connectorOf: (connection: string) => Promise<AnyConnector>,
  env: ResolveOptions['env'] = process.env,
): Promise<OpenedPipeline> => {
  const pipeline = pipelineNamed(project, name)
  const base = ['pipelines', name]
  const { load, resources } = splitOptions(project, pipeline)
  const opened =
    pipeline.steps === undefined
      ? await openTables(project, pipeline, load, connectorOf, env)
      : await openSteps(project, pipeline, pipeline.steps, { load, connectorOf, env })
  return Object.freeze({
    name,
    into: await databaseOf(project, pipeline, env),
    ...opened,
    resources: parse(
      resourceOptions,
      await resolveFields(project, [...base, 'options'], resources, { env }),
      'the options',
    ),
  })
}

/** A pipeline of tables is one step that extracts them. */
const openTables = async (
  project: Project,
  { name, tables = [], connection }: ProjectPipeline,
  load: Fields,
  connectorOf: (connection: string) => Promise<AnyConnector>,
  env: ResolveOptions['env'],
): Promise<Pick<OpenedPipeline, 'steps' | 'connections'>> => {
  const path = ['pipelines', name]
  const extraction: Extraction = {
    path,
    tables,
    connection: { name: connection, path: [...path, 'connection'] },
    load,
    subject: `pipeline "${name}"`,
  }
  const connections = await checkExtraction(project, extraction, connectorOf)
  const groups = await groupTables(project, extraction, (at, fields) =>
    resolveFields(project, at, fields, { env }),
  )
  const step: OpenedStep = {
    id: 'extract',
    kind: 'extract',
    condition: 'success',
    retries: { count: 0, delay: 0 },
    continueOnError: false,
    input: async () => groups,
  }
  return { steps: [step], connections }
}

const databaseOf = async (
  project: Project,
  { name, into }: ProjectPipeline,
  env: ResolveOptions['env'],
): Promise<string | undefined> => {
  if (into === undefined) return undefined
  const path = ['pipelines', name, 'into']
  try {
    const text = await resolveText(into, path.join('.'), { env, folder: project.folder })
    return text === ':memory:' ? text : resolve(project.folder, text)
  } catch (error) {
    throw rethrown(project.document, path, error)
  }
}

const splitOptions = (project: Project, pipeline: ProjectPipeline): { load: Fields; resources: Fields } => {
  const path = ['pipelines', pipeline.name, 'options']
  const result = pipelineOptions.safeParse(pipeline.options)
  if (!result.success) {
    const issues = withoutReferences(result.error.issues, pipeline.options)
    const known = Object.keys(pipelineOptions.shape)
    const subject = `options of pipeline "${pipeline.name}"`
    if (issues.length > 0) throwIssues(project.document, path, issues, () => ({ subject, known }))
  }
  const entries = Object.entries(pipeline.options)
  const isLoad = ([name]: [string, unknown]) => name in loadRequest.shape
  return {
    load: Object.fromEntries(entries.filter(isLoad)),
    resources: Object.fromEntries(entries.filter((entry) => !isLoad(entry))),
  }
}
