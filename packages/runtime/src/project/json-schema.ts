import { type AnyConnector, type AuthMethod, isSecretSchema } from '@penstock/core'
import { z } from 'zod'
import { loadRequest } from '../extract/request.ts'
import { connectionEntry, pipelineEntry, pipelineOptions, tableEntry } from './schema.ts'

type JsonSchema = Record<string, unknown>

const reference = {
  type: 'string',
  pattern: '\\$\\{(env|file):[^{}]+\\}',
  description: 'A reference to an environment variable or a file, resolved when it is used',
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
        properties: connectionProperties,
        allOf: connectors.map(connectionRule),
      },
    },
    pipelines: {
      description: 'What is extracted into which database, by name',
      type: ['object', 'null'],
      additionalProperties: pipelineSchema(connectors),
    },
  },
  definitions: { reference },
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
        ...connectionProperties,
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

const pipelineSchema = (connectors: readonly AnyConnector[]): JsonSchema => {
  const selections = connectors.map((connector) =>
    connector.kind === 'source' ? (connector.selection as z.ZodType | undefined) : undefined,
  )
  const selection = Object.assign({}, ...selections.map((schema) => (schema ? propertiesOf(schema) : {})))
  return {
    type: 'object',
    additionalProperties: false,
    required: requiredOf(convert(pipelineEntry)),
    properties: {
      ...propertiesOf(pipelineEntry),
      options: { type: 'object', additionalProperties: false, properties: propertiesOf(pipelineOptions) },
      tables: {
        description: 'What to extract, and how',
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: { ...propertiesOf(tableEntry), ...selection, ...propertiesOf(loadRequest) },
        },
      },
    },
  }
}

/** Read when the file is, so that they can't be references. */
const connectionProperties = z.toJSONSchema(connectionEntry, { target: 'draft-7', io: 'input' })
  .properties as JsonSchema

const propertiesOf = (schema: z.ZodType): JsonSchema => (convert(schema).properties as JsonSchema) ?? {}
const requiredOf = (schema: JsonSchema): string[] => (schema.required as string[]) ?? []

const convert = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) =>
      allowReference(zodSchema as unknown as z.ZodType, jsonSchema as JsonSchema),
  }) as JsonSchema

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
