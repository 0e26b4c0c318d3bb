import {
  type AnyAction,
  type AnyConnector,
  type AuthMethod,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import type { WrittenPage } from './command-pages.ts'
import { code, page, plain, table } from './markdown.ts'

/** A page for each connector: its configuration, ways to sign in, options and actions, from its schemas. */
export const connectorPages = (connectors: readonly AnyConnector[]): readonly WrittenPage[] =>
  connectors.map((connector) => ({
    text: connector.name,
    link: `/reference/${connector.name}`,
    content: page(
      `# ${connector.name}`,
      `${plain(connector.title ?? '')} (${connector.kind})`,
      '## Configuration',
      'Fields of a connection in `penstock.yaml`, and of `penstock connect --set`.',
      fieldTable(connector.config),
      ...authBlocks(connector.auth ?? []),
      ...ownBlocks(connector),
    ),
  }))

const authBlocks = (methods: readonly AuthMethod[]): string[] =>
  methods.length === 0
    ? []
    : [
        '## Signing in',
        ...methods.flatMap((method) => [
          `### ${method.id}`,
          plain(`${method.title}. ${method.description ?? ''}`),
          fieldTable(method.fields, 'auth.'),
        ]),
      ]

const ownBlocks = (connector: AnyConnector): string[] => {
  switch (connector.kind) {
    case 'source':
      return connector.selection
        ? [
            '## Selection',
            'What becomes a table, as flags of `extract` and in a pipeline.',
            fieldTable(connector.selection),
          ]
        : []
    case 'destination':
      return connector.options
        ? [
            '## Options',
            'How an export is written, as flags of `export` and in a pipeline.',
            fieldTable(connector.options),
          ]
        : []
    case 'actions':
      return [
        '## Actions',
        ...Object.entries<AnyAction>(connector.actions).flatMap(([name, action]) => [
          `### ${name}`,
          plain(action.description ?? action.title ?? ''),
          fieldTable(action.input),
        ]),
      ]
    default:
      return []
  }
}

const fieldTable = (schema: AnyConnector['config'], prefix = ''): string => {
  const rows = fieldRows(schemaFields(schema), prefix)
  return table(['field', 'takes', 'meaning'], rows)
}

const fieldRows = (fields: readonly SchemaField[], prefix: string): string[][] =>
  fields.flatMap((field) => {
    const name = `${prefix}${field.name}`
    return [
      [code(name), plain(takes(field)), meaning(field)],
      ...fieldRows(field.fields ?? [], `${name}.`),
      ...fieldRows(field.itemFields ?? [], `${name}[].`),
    ]
  })

const takes = ({ kind, item }: SchemaField): string => (item ? `${kind} of ${item}` : kind)

const meaning = (field: SchemaField): string =>
  [
    plain(field.description ?? field.title ?? ''),
    field.options ? `One of ${field.options.map(code).join(', ')}.` : '',
    field.required ? 'Required.' : '',
    field.default === undefined ? '' : `Default: ${code(JSON.stringify(field.default))}.`,
    field.examples ? `Example: ${code(JSON.stringify(field.examples[0]))}.` : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
