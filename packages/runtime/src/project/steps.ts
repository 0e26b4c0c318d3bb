import { type AnyConnector, type ExportMode, nearest, requireKind } from '@penstock/core'
import { z } from 'zod'
import type { StreamRequest } from '../export/request.ts'
import type { FieldPath } from './document.ts'
import { checkExtraction, type Extraction, groupTables, type PipelineGroup } from './extraction.ts'
import { actionOutput, exportOutput, extractOutput, runValues, sqlOutput } from './outputs.ts'
import { connectionPlace } from './pipeline-connection.ts'
import type { Project, ProjectPipeline } from './project.ts'
import type { ResolveOptions } from './references.ts'
import { checkReferences, resolveFields } from './resolve-fields.ts'
import { sqlLiteral } from './sql-literal.ts'
import type { StepCondition, StepEntry } from './step-schema.ts'
import { checkFields, rethrown } from './validate.ts'
import { checkValues, type KnownValues, lookUpValue, type RunValues } from './values.ts'

type Fields = Readonly<Record<string, unknown>>

interface StepFrame {
  readonly id: string
  readonly description?: string
  readonly condition: StepCondition
  /** Tries after the first one, and the pause before each in ms. */
  readonly retries: { readonly count: number; readonly delay: number }
  /** Time for one try, in ms. */
  readonly timeout?: number
  readonly continueOnError: boolean
}

/** What an export step hands to `exportTo`. */
interface ExportInput {
  readonly name: string
  readonly mode: ExportMode | undefined
  readonly streams: readonly StreamRequest[]
  /** The destination's own options. */
  readonly options: Fields
}

/** What a step does with the values that the run has by then. `input` throws `config` errors with their place. */
type StepWork =
  | { readonly kind: 'extract'; input(values: RunValues): Promise<readonly PipelineGroup[]> }
  | { readonly kind: 'sql'; input(values: RunValues): Promise<readonly string[]> }
  | { readonly kind: 'export'; readonly connection: string; input(values: RunValues): Promise<ExportInput> }
  | {
      readonly kind: 'action'
      readonly connection: string
      readonly action: string
      input(values: RunValues): Promise<Fields>
    }

/** A step that is checked and ready to run. */
export type OpenedStep = StepFrame & StepWork

interface StepsContext {
  readonly load: Fields
  readonly connectorOf: (connection: string) => Promise<AnyConnector>
  readonly env: ResolveOptions['env']
}

/** Checks the steps of a pipeline, in their order: each may refer to those before it. */
export const openSteps = async (
  project: Project,
  pipeline: ProjectPipeline,
  entries: readonly StepEntry[],
  context: StepsContext,
): Promise<{ steps: readonly OpenedStep[]; connections: readonly string[] }> => {
  const steps: OpenedStep[] = []
  const connections = new Set<string>()
  const outputs = new Map<string, z.ZodType>()
  for (const [index, entry] of entries.entries()) {
    const path = ['pipelines', pipeline.name, 'steps', index]
    checkCondition(project, [...path, 'if'], entry, [...outputs.keys()])
    const known = { steps: outputs, ids: entries.map(({ id }) => id), run: runValues }
    const opened = await openWork({ project, pipeline, entry, path, known, ...context })
    for (const connection of opened.connections) connections.add(connection)
    outputs.set(entry.id, opened.output)
    steps.push(Object.freeze({ ...frameOf(entry), ...opened.work }))
  }
  return { steps, connections: [...connections] }
}

const frameOf = ({
  id,
  description,
  if: condition,
  retries,
  timeout,
  continueOnError,
}: StepEntry): StepFrame => ({
  id,
  condition,
  retries,
  continueOnError,
  ...(description === undefined ? {} : { description }),
  ...(timeout === undefined ? {} : { timeout }),
})

const checkCondition = (
  project: Project,
  path: FieldPath,
  { if: condition, id }: StepEntry,
  earlier: readonly string[],
): void => {
  if (typeof condition === 'string') return
  for (const [name, ids] of Object.entries(condition))
    for (const wanted of ids) {
      if (earlier.includes(wanted)) continue
      const guess = nearest(wanted, earlier)
      const hint = earlier.length > 0 ? `Steps before it: ${earlier.join(', ')}.` : 'It is the first step.'
      throw project.document.problem([...path, name], `There is no step "${wanted}" before step "${id}".`, {
        hint: guess ? `Did you mean ${guess}?` : hint,
      })
    }
}

interface WorkContext extends StepsContext {
  readonly project: Project
  readonly pipeline: ProjectPipeline
  readonly entry: StepEntry
  readonly path: FieldPath
  readonly known: KnownValues
}

interface OpenedWork {
  readonly work: StepWork
  readonly connections: readonly string[]
  readonly output: z.ZodType
}

const openWork = (context: WorkContext): Promise<OpenedWork> => {
  const { entry } = context
  if (entry.extract) return openExtract(context, entry.extract)
  if (entry.export) return openExport(context, entry.export)
  if (entry.action) return openAction(context, entry.action)
  return openSql(context, entry.sql ?? [])
}

/** Checks the references of a step's input, and gives what resolves them at the time of the step. */
const withReferences = async <Input extends Fields | readonly string[]>(
  { project, known, env }: WorkContext,
  path: FieldPath,
  input: Input,
): Promise<(values: RunValues, encode?: ResolveOptions['encode']) => Promise<Input>> => {
  checkValues(project.document, path, input, known)
  await checkReferences(project, path, input, env)
  return (values, encode) =>
    resolveFields(project, path, input, { env, values: (target) => lookUpValue(target, values), encode })
}

const openExtract = async (
  context: WorkContext,
  { tables, connection }: NonNullable<StepEntry['extract']>,
): Promise<OpenedWork> => {
  const { project, pipeline, entry } = context
  const path = [...context.path, 'extract']
  const extraction: Extraction = {
    path,
    tables,
    connection:
      connection === undefined
        ? { name: pipeline.connection, path: ['pipelines', pipeline.name, 'connection'] }
        : { name: connection, path: [...path, 'connection'] },
    load: context.load,
    subject: `step "${entry.id}"`,
  }
  const connections = await checkExtraction(project, extraction, context.connectorOf)
  for (const [index, table] of tables.entries())
    await withReferences(context, [...path, 'tables', index], table)
  return {
    connections,
    output: extractOutput,
    work: {
      kind: 'extract',
      input: (values) =>
        groupTables(project, extraction, (at, fields) =>
          resolveFields(project, at, fields, {
            env: context.env,
            values: (target) => lookUpValue(target, values),
          }),
        ),
    },
  }
}

const openSql = async (context: WorkContext, sql: string | readonly string[]): Promise<OpenedWork> => {
  const path = [...context.path, 'sql']
  // A single text stands at the path itself, a list below it.
  const one = typeof sql === 'string'
  const resolve = one
    ? await withReferences(context, context.path, { sql })
    : await withReferences(context, path, sql)
  return {
    connections: [],
    output: sqlOutput,
    work: {
      kind: 'sql',
      input: async (values) => Object.values(await resolve(values, sqlLiteral)).map(String),
    },
  }
}

const connectorOfKind = async <Kind extends 'destination' | 'actions'>(
  { project, connectorOf }: WorkContext,
  name: string,
  path: FieldPath,
  kind: Kind,
) => {
  const connection = connectionPlace(project, name, path)
  try {
    return { connection, connector: requireKind(await connectorOf(connection), kind) }
  } catch (error) {
    throw rethrown(project.document, path, error)
  }
}

const noOptions = z.strictObject({})

const openExport = async (
  context: WorkContext,
  { connection: name, ...fields }: NonNullable<StepEntry['export']>,
): Promise<OpenedWork> => {
  const { project, entry, pipeline } = context
  const path = [...context.path, 'export']
  const { connection, connector } = await connectorOfKind(
    context,
    name,
    [...path, 'connection'],
    'destination',
  )
  const { name: exportName = `${pipeline.name}.${entry.id}`, mode, streams, ...options } = fields
  const schema: z.ZodType = connector.options ?? noOptions
  checkFields(project.document, path, schema, options, `the export of step "${entry.id}"`)
  const resolveOptions = await withReferences(context, path, options)
  const resolveStreams = await Promise.all(
    streams.map((stream, index) => openStream(context, [...path, 'streams', index], stream)),
  )
  return {
    connections: [connection],
    output: exportOutput,
    work: {
      kind: 'export',
      connection,
      input: async (values) => ({
        name: exportName,
        mode,
        streams: await Promise.all(resolveStreams.map((resolve) => resolve(values))),
        options: await resolveOptions(values),
      }),
    },
  }
}

/** References in the SQL of a stream are literals, in its other fields values. */
const openStream = async (
  context: WorkContext,
  path: FieldPath,
  { sql, ...fields }: StreamRequest,
): Promise<(values: RunValues) => Promise<StreamRequest>> => {
  const resolve = await withReferences(context, path, fields)
  const resolveSql = sql === undefined ? undefined : await withReferences(context, path, { sql })
  return async (values) => ({ ...(await resolve(values)), ...(await resolveSql?.(values, sqlLiteral)) })
}

const openAction = async (
  context: WorkContext,
  { connection: name, name: action, input }: NonNullable<StepEntry['action']>,
): Promise<OpenedWork> => {
  const { project, entry } = context
  const path = [...context.path, 'action']
  const { connection, connector } = await connectorOfKind(context, name, [...path, 'connection'], 'actions')
  const output = actionOutput(connector, action)
  const definition = connector.actions[action]
  if (!output || !definition) {
    const names = Object.keys(connector.actions)
    const guess = nearest(action, names)
    throw project.document.problem([...path, 'name'], `${connector.name} has no action "${action}".`, {
      code: 'NoSuchAction',
      hint: guess ? `Did you mean ${guess}?` : `Actions: ${names.join(', ')}.`,
    })
  }
  const inputPath = [...path, 'input']
  checkFields(project.document, inputPath, definition.input, input, `the input of step "${entry.id}"`)
  const resolve = await withReferences(context, inputPath, input)
  return {
    connections: [connection],
    output,
    work: { kind: 'action', connection, action, input: (values) => resolve(values) },
  }
}
