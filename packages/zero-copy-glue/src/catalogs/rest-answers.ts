import { type CatalogTableSummary, ConnectorError } from '@penstock/core'
import { z } from 'zod'

const configAnswer = z.object({
  defaults: z.record(z.string(), z.unknown()).nullish(),
  overrides: z.record(z.string(), z.unknown()).nullish(),
})

const namespacesAnswer = z.object({ namespaces: z.array(z.array(z.string()).min(1)).nullish() })

const tablesAnswer = z.object({
  identifiers: z.array(z.object({ namespace: z.array(z.string()), name: z.string() })).nullish(),
})

const settings = z.record(z.string(), z.string())

const tableAnswer = z.object({
  'metadata-location': z.string().nullish(),
  metadata: z.unknown().optional(),
  config: settings.nullish(),
  'storage-credentials': z.array(z.object({ prefix: z.string(), config: settings })).nullish(),
  'read-restrictions': z.unknown().optional(),
})

const read = <Schema extends z.ZodType>(
  schema: Schema,
  answer: unknown,
  operation: string,
): z.output<Schema> => {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  const { path = [], message = '' } = result.error.issues[0] ?? {}
  throw new ConnectorError(
    'data',
    `The answer to ${operation} is not as the Iceberg REST protocol has it: ${path.join('.')} ${message}.`,
    { code: 'InvalidAnswer', hint: 'Check catalogEndpoint: something else than a catalog may answer there.' },
  )
}

/** Overrides of the catalog win over its defaults. */
export const readConfig = (answer: unknown): { readonly prefix?: string } => {
  const { defaults, overrides } = read(configAnswer, answer, 'GetConfig')
  const prefix = overrides?.prefix ?? defaults?.prefix
  return typeof prefix === 'string' ? { prefix } : {}
}

export const readNamespaces = (answer: unknown): readonly (readonly string[])[] =>
  read(namespacesAnswer, answer, 'ListNamespaces').namespaces ?? []

export const readIdentifiers = (answer: unknown): readonly CatalogTableSummary[] =>
  read(tablesAnswer, answer, 'ListTables').identifiers ?? []

export interface VendedKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

export interface TableAnswer {
  readonly metadataLocation?: string
  readonly metadata?: unknown
  readonly vended?: VendedKeys
}

export const readTable = (answer: unknown, name: string): TableAnswer => {
  const table = read(tableAnswer, answer, 'LoadTable')
  if (isRestricted(table['read-restrictions']))
    throw new ConnectorError('permission', `The catalog restricts what may be read of table ${name}.`, {
      code: 'ReadRestrictions',
      hint: 'Its column and row filters can not be applied here, so it is not read.',
    })
  const metadataLocation = table['metadata-location']
  if (!metadataLocation && (table.metadata === null || table.metadata === undefined))
    throw new ConnectorError('data', `The catalog gives no metadata of table ${name}.`, {
      code: 'NoMetadataLocation',
      hint: 'Neither metadata nor metadata-location is in its answer.',
    })
  const vended = keysOf(table['storage-credentials']?.[0]?.config) ?? keysOf(table.config)
  return {
    ...(metadataLocation ? { metadataLocation } : { metadata: table.metadata }),
    ...(vended ? { vended } : {}),
  }
}

const isRestricted = (restrictions: unknown): boolean =>
  typeof restrictions === 'object' && restrictions !== null && Object.keys(restrictions).length > 0

const keysOf = (given: Readonly<Record<string, string>> | null | undefined): VendedKeys | undefined => {
  const accessKeyId = given?.['s3.access-key-id']
  const secretAccessKey = given?.['s3.secret-access-key']
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined
  const sessionToken = given?.['s3.session-token']
  const expires = Number(given?.['s3.session-token-expires-at-ms'] ?? Number.NaN)
  return Object.freeze({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(Number.isNaN(expires) ? {} : { expiration: new Date(expires) }),
  })
}

/** JSON text again, every digit of a bigint kept. */
export const jsonBytes = (value: unknown): Uint8Array => {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
  const text = JSON.stringify(value, (_name, entry: unknown) =>
    typeof entry === 'bigint' ? rawJSON(String(entry)) : entry,
  )
  return new TextEncoder().encode(text)
}
