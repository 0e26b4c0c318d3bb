import { resolve } from 'node:path'
import { type AnyConnector, type AnySource, parse, requireKind, schemaFields } from '@penstock/core'
import type { z } from 'zod'
import { loadRequest } from '../extract/request.ts'
import type { FieldPath } from './document.ts'
import { type Project, type ProjectPipeline, pipelineNamed } from './project.ts'
import { mapReferences, type ResolveOptions, resolveText } from './references.ts'
import { pipelineOptions, type ResourceOptions, resourceOptions, tableEntry } from './schema.ts'
import { rethrown, throwIssues, withoutReferences } from './validate.ts'

type Fields = Readonly<Record<string, unknown>>

/** The tables of a pipeline that come from one connection: what one `extract` takes. */
export interface PipelineGroup {
  readonly connection: string
  /** Requests as `extract` takes them: the connector's selection and load options. */
  readonly tables: readonly Fields[]
}

export interface OpenedPipeline {
  readonly name: string
  /** Absolute path of the DuckDB file, or `:memory:`. */
  readonly into: string
  readonly groups: readonly PipelineGroup[]
  readonly resources: ResourceOptions
}

/**
 * Makes a pipeline ready for use: references are resolved, options of the pipeline go into its tables, tables are
 * grouped by connection in the order of the file. `connectorOf` gives the connector of a connection's name.
 * Everything wrong is a `config` error with line and column.
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
  const groups = new Map<string, Fields[]>()
  for (const [index, table] of pipeline.tables.entries()) {
    const path = [...base, 'tables', index]
    const connection = connectionOf(project, pipeline, table, path)
    const { connection: _, ...fields } = table
    checkTable(project, path, fields, load, requireKind(await connectorOf(connection), 'source'))
    const request = await resolveFields(project, path, { ...load, ...fields }, env)
    groups.set(connection, [...(groups.get(connection) ?? []), request])
  }
  const into = await resolveText(pipeline.into, `pipelines.${name}.into`, { env, folder: project.folder })
  return Object.freeze({
    name,
    into: into === ':memory:' ? into : resolve(project.folder, into),
    groups: [...groups].map(([connection, tables]) => ({ connection, tables })),
    resources: parse(
      resourceOptions,
      await resolveFields(project, [...base, 'options'], resources, env),
      'the options',
    ),
  })
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

const connectionOf = (
  project: Project,
  pipeline: ProjectPipeline,
  table: Fields,
  path: FieldPath,
): string => {
  const name = table.connection ?? pipeline.connection
  if (typeof name === 'string' && Object.hasOwn(project.connections, name)) return name
  const known = Object.keys(project.connections).join(', ') || 'none yet'
  if (name === undefined)
    throw project.document.problem(path, `This table of pipeline "${pipeline.name}" has no connection.`, {
      hint: `Set connection for the pipeline or for the table. The project has: ${known}.`,
    })
  const place =
    table.connection === undefined ? ['pipelines', pipeline.name, 'connection'] : [...path, 'connection']
  throw project.document.problem(place, `The project has no connection "${String(name)}".`, {
    code: 'NoSuchConnection',
    hint: `The project has: ${known}.`,
  })
}

/** Checks the fields of one table against the load options and the connector's selection. */
const checkTable = (
  project: Project,
  path: FieldPath,
  fields: Fields,
  defaults: Fields,
  connector: AnySource,
): void => {
  const own = Object.entries(fields)
  const isLoad = ([name]: [string, unknown]) => name in loadRequest.shape
  const load = { ...defaults, ...Object.fromEntries(own.filter(isLoad)) }
  const selection = Object.fromEntries(own.filter((entry) => !isLoad(entry)))
  const selectionSchema: z.ZodType | undefined = connector.select ? connector.selection : undefined
  const known = [
    ...Object.keys(tableEntry.shape),
    ...(selectionSchema ? schemaFields(selectionSchema).map((field) => field.name) : ['table']),
    ...Object.keys(loadRequest.shape),
  ]
  const describe = () => ({ subject: 'a table', known })
  for (const [schema, input] of [
    [loadRequest, load],
    [selectionSchema, selection],
  ] as const) {
    const result = schema?.safeParse(input)
    if (!result || result.success) continue
    const issues = withoutReferences(result.error.issues, input)
    if (issues.length > 0) throwIssues(project.document, path, issues, describe)
  }
}

const resolveFields = async (
  project: Project,
  base: FieldPath,
  fields: Fields,
  env: ResolveOptions['env'],
): Promise<Fields> =>
  (await mapReferences(fields, base, async (text, path) => {
    try {
      return await resolveText(text, path.join('.'), { env, folder: project.folder })
    } catch (error) {
      throw rethrown(project.document, path, error)
    }
  })) as Fields
