import { type AnyConnector, type AuthMethod, schemaFields } from '@penstock/core'
import { loadRequest, needsExternalId } from '@penstock/runtime'
import { z } from 'zod'
import type { ConnectorForm, ConnectorInfo, Schema } from '../api.ts'
import type { HostConnector } from './host.ts'

/** JSON Schema of what a form takes: the input, before defaults and transformations. */
const schemaOf = (schema: z.ZodType): Schema => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return json as Schema
}

export const connectorInfo = ({ reference, origin, connector, error }: HostConnector): ConnectorInfo => ({
  reference,
  name: connector?.name ?? reference,
  title: connector?.title ?? connector?.name ?? reference,
  ...(connector?.description === undefined ? {} : { description: connector.description }),
  kind: connector?.kind ?? 'source',
  origin,
  ...(error ? { error } : {}),
})

/** Everything that the forms of a connector are made of. */
export const connectorForm = (known: HostConnector & { connector: AnyConnector }): ConnectorForm => {
  const { connector } = known
  const methods: readonly AuthMethod[] = connector.auth ?? []
  return {
    ...connectorInfo(known),
    config: schemaOf(connector.config),
    auth: methods.map((method) => ({
      id: method.id,
      title: method.title,
      ...(method.description === undefined ? {} : { description: method.description }),
      ...(method.recommended === undefined ? {} : { recommended: method.recommended }),
      schema: schemaOf(method.fields),
      makesExternalId: needsExternalId(method, {}),
    })),
    ...(connector.kind === 'source'
      ? { load: schemaOf(loadRequest), modes: connector.capabilities.modes }
      : { modes: [] }),
    ...(connector.kind === 'source' && connector.select ? { selection: schemaOf(connector.selection) } : {}),
    canShare:
      connector.kind === 'zero-copy' && schemaFields(connector.config).some(({ name }) => name === 'shares'),
  }
}
