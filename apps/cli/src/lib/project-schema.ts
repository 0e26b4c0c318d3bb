import { fileURLToPath } from 'node:url'
import { projectJsonSchema, projectSchemaUrl } from '@penstock/runtime'
import { builtInConnectors } from './connectors.ts'

/** The committed JSON Schema of penstock.yaml. */
export const schemaFile = fileURLToPath(new URL('../../schema/penstock.schema.json', import.meta.url))

/** The JSON Schema as the built-in connectors give it now. */
export const projectSchema = async (): Promise<Record<string, unknown>> => {
  const connectors = await Promise.all(builtInConnectors.map((connector) => connector.load()))
  return projectJsonSchema(connectors, projectSchemaUrl)
}
