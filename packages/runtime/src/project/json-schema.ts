import { type AnyAction, type AnyConnector, type AuthMethod, isSecretSchema } from '@penstock/core'
import { z } from 'zod'
import { alertEntry } from '../alerts/alert-schema.ts'
import { loadRequest } from '../extract/request.ts'
import { scheduleEntry } from '../schedule/schedule.ts'
import { connectionEntry, pipelineEntry, pipelineOptions } from './schema.ts'
import { stepEntry, stepKinds, tableEntry } from './step-schema.ts'

type JsonSchema = Record<string, unknown>

const reference = {
  type: 'string',
  pattern: '\\$\\{(env|file):[^{}]+\\}|\\$\\{(steps|run)[^{}:]+\\}',
  description:
    'A reference to an environment variable, a file or a value of an earlier step, resolved when it is used',
}

/**
 * JSON Schema of penstock.yaml for editors. The given connectors are described field by field; connections of other
 * connectors may have any fields.
 */
export const projectJsonSchema = (connectors: readonly AnyConnector[], id: string): JsonSchema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: id,
  title: 'Penstock project file',
  type: 'object',
  additionalProperties: false,
  properties: {
    connections: {
      description: 'Where data comes from, by name',
      type: ['object', 'null'],
      additionalProperties: {
        type: 'object',
        required: ['connector'],
        properties: connectionProperties(),
        allOf: connectors.map(connectionRule),
      },
    },
    pipelines: {
      description: 'What is done, with which database and when, by name',
      type: ['object', 'null'],
      additionalProperties: pipelineSchema(connectors),
    },
    alerts: alertsSchema,
  },
  definitions: { reference, table: tableSchema(connectors), alert: convert(alertEntry) },
})

const connectionRule = (connector: AnyConnector): JsonSchema => {
  const config = convert(connector.config)
  const methods: readonly AuthMethod[] = connector.auth ?? []
  return {
    if: { required: ['connector'], properties: { connector: { const: connector.name } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      additionalProperties: false,
      required: [...requiredOf(config), ...(methods.length > 0 ? ['auth'] : [])],
      properties: {
        ...connectionProperties(),
        ...propertiesOf(connector.config),
        connector: { const: connector.name, description: connector.title ?? connector.name },
        ...(methods.length > 0 ? { auth: authSchema(methods) } : {}),
      },
    },
  }
}

const authSchema = (methods: readonly AuthMethod[]): JsonSchema => ({
  type: 'object',
  required: ['method'],
  properties: { method: { enum: methods.map((method) => method.id) } },
  allOf: methods.map((method) => ({
    if: { required: ['method'], properties: { method: { const: method.id } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      additionalProperties: false,
      required: ['method', ...requiredOf(convert(method.fields))],
      properties: {
        method: { const: method.id, description: method.description ?? method.title },
        ...propertiesOf(method.fields),
      },
    },
  })),
})

/** Names that stand for what all pipelines share: editors show them, and the schema holds them once. */
const definition = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` })

const pipelineSchema = (connectors: readonly AnyConnector[]): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  oneOf: [{ required: ['tables'] }, { required: ['steps'] }],
  properties: {
    ...propertiesOf(pipelineEntry),
    options: { type: 'object', additionalProperties: false, properties: propertiesOf(pipelineOptions) },
    tables: tablesSchema,
    steps: {
      description: 'What to do, in this order',
      type: 'array',
      minItems: 1,
      items: stepSchema(connectors),
    },
    schedule: literal(scheduleEntry),
    alerts: alertsSchema,
  },
})

const tablesSchema: JsonSchema = {
  description: 'What to extract, and how',
  type: 'array',
  minItems: 1,
  items: definition('table'),
}

const alertsSchema: JsonSchema = {
  description: 'Who is told about the runs',
  type: 'array',
  items: definition('alert'),
}

const tableSchema = (connectors: readonly AnyConnector[]): JsonSchema => {
  const selections = connectors.map((connector) =>
    connector.kind === 'source' ? (connector.selection as z.ZodType | undefined) : undefined,
  )
  const selection = Object.assign({}, ...selections.map((schema) => (schema ? propertiesOf(schema) : {})))
  return {
    type: 'object',
    properties: { ...propertiesOf(tableEntry), ...selection, ...propertiesOf(loadRequest) },
  }
}

/** What an editor knows of a step: exactly one kind of work, fields of the known connectors. */
const stepSchema = (connectors: readonly AnyConnector[]): JsonSchema => {
  const { properties, ...frame } = literal(stepEntry) as { properties: Record<string, JsonSchema> }
  const actions = connectors.flatMap(actionRules)
  const nested = (kind: string) => (properties[kind]?.properties ?? {}) as JsonSchema
  return {
    ...frame,
    oneOf: stepKinds.map((kind) => ({ required: [kind] })),
    properties: {
      ...properties,
      extract: { ...properties.extract, properties: { ...nested('extract'), tables: tablesSchema } },
      export: {
        ...properties.export,
        properties: { ...nested('export'), ...exportProperties(connectors) },
      },
      action: { ...properties.action, ...(actions.length > 0 ? { allOf: actions } : {}) },
    },
  }
}

const exportProperties = (connectors: readonly AnyConnector[]): JsonSchema => {
  const options = connectors.map((connector) =>
    connector.kind === 'destination' ? (connector.options as z.ZodType | undefined) : undefined,
  )
  return Object.assign({}, ...options.map((schema) => (schema ? propertiesOf(schema) : {})))
}

const actionRules = (connector: AnyConnector): JsonSchema[] =>
  connector.kind === 'actions'
    ? Object.entries(connector.actions as Readonly<Record<string, AnyAction>>).map(([name, action]) => ({
        if: { required: ['name'], properties: { name: { const: name } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { name: { description: action.title }, input: convert(action.input) } },
      }))
    : []

const connectionProperties = (): JsonSchema => literal(connectionEntry).properties as JsonSchema

const propertiesOf = (schema: z.ZodType): JsonSchema => (convert(schema).properties as JsonSchema) ?? {}
const requiredOf = (schema: JsonSchema): string[] => (schema.required as string[]) ?? []

/** JSON Schema of what is read when the file is, so that it can't be a reference. */
const literal = (schema: z.ZodType): JsonSchema => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  })
  return json
}

const convert = (schema: z.ZodType): JsonSchema => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) =>
      allowReference(zodSchema as unknown as z.ZodType, jsonSchema as JsonSchema),
  })
  return json
}

const annotations = ['title', 'description', 'default', 'examples']

/** Constraints of a value hold for what a reference resolves to, not for the reference. A secret has to be one. */
const allowReference = (schema: z.ZodType, json: JsonSchema): void => {
  if (isSecretSchema(schema)) {
    const kept = Object.fromEntries(Object.entries(json).filter(([name]) => annotations.includes(name)))
    for (const name of Object.keys(json)) delete json[name]
    Object.assign(json, kept, { type: 'string', pattern: '^\\$\\{(env|file):[^{}]+\\}$' })
    return
  }
  const scalar = ['string', 'number', 'integer', 'boolean'].includes(String(json.type))
  if (
    !scalar ||
    (json.type === 'string' &&
      Object.keys(json).every((name) => name === 'type' || annotations.includes(name)))
  )
    return
  const entries = Object.entries(json)
  for (const name of Object.keys(json)) delete json[name]
  Object.assign(json, Object.fromEntries(entries.filter(([name]) => annotations.includes(name))), {
    anyOf: [
      Object.fromEntries(entries.filter(([name]) => !annotations.includes(name))),
      { $ref: '#/definitions/reference' },
    ],
  })
}
