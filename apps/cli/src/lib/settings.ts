import {
  type AnyConnector,
  type AuthMethod,
  ConnectorError,
  coerceText,
  nearest,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import { hasReference } from '@penstock/runtime'

type Fields = Record<string, unknown>

export interface Settings {
  readonly fields: Fields
  readonly auth: Fields
}

/** A pair of `--set`, its dotted key split. */
interface Setting {
  readonly path: readonly string[]
  readonly text: string
}

/** Reads `key=value` pairs. A pair without `=` is a `config` error that does not repeat it. */
export const readSettings = (pairs: readonly string[]): readonly Setting[] =>
  pairs.map((pair) => {
    const index = pair.indexOf('=')
    if (index > 0) return { path: pair.slice(0, index).split('.'), text: pair.slice(index + 1) }
    throw new ConnectorError('config', '--set takes KEY=VALUE.', {
      code: 'Usage',
      hint: 'For example --set region=eu-central-1 --set auth.roleArn=arn:aws:iam::111122223333:role/penstock',
    })
  })

/** Auth method that the settings name themselves: `--set auth.method=access-key`. */
export const methodOf = (settings: readonly Setting[]): string | undefined =>
  settings.find(({ path }) => path.join('.') === 'auth.method')?.text

/**
 * Applies settings to the fields of a connection. A key of the connector's config goes there; `auth.key`, or a key
 * that only the auth method knows, goes to auth. An empty value removes a field. Values become what the field takes;
 * references stay texts.
 */
export const applySettings = (
  settings: readonly Setting[],
  connector: AnyConnector,
  method: AuthMethod | undefined,
  before: Settings,
): Settings => {
  const known = schemaFields(connector.config)
  const authKnown = method ? schemaFields(method.fields) : []
  const result = { fields: structuredClone(before.fields), auth: structuredClone(before.auth) }
  for (const { path, text } of settings) {
    const [first = '', ...rest] = path
    if (first === 'auth') {
      if (path.join('.') === 'auth.method') continue
      assign(result.auth, authKnown, rest, text, path, 'auth.')
    } else if (
      !known.some((field) => field.name === first) &&
      authKnown.some((field) => field.name === first)
    )
      assign(result.auth, authKnown, path, text, path, '')
    else assign(result.fields, known, path, text, path, '')
  }
  return result
}

const assign = (
  target: Fields,
  known: readonly SchemaField[],
  path: readonly string[],
  text: string,
  full: readonly string[],
  prefix: string,
): void => {
  const [name = '', ...rest] = path
  const field = known.find((candidate) => candidate.name === name)
  if (!field) throw unknownKey(full, name, known, prefix)
  if (rest.length > 0 && field.fields) {
    target[name] ??= {}
    assign(target[name] as Fields, field.fields, rest, text, full, `${prefix}${name}.`)
  } else if (field.kind === 'map' && text !== '' && rest.length === 0) throw needsEntry(`${prefix}${name}`)
  else if (field.kind === 'map' && rest.length > 0) {
    const entry = rest.join('.')
    const { [entry]: _, ...others } = (target[name] ?? {}) as Fields
    target[name] =
      text === '' ? others : { ...others, [entry]: coerceText({ kind: field.item ?? 'text' }, text) }
  } else if (rest.length > 0) throw unknownKey(full, rest.join('.'), [], `${prefix}${name}.`)
  else if (text === '') delete target[name]
  else target[name] = valueOfText(field, text)
}

const valueOfText = (field: SchemaField, text: string): unknown => {
  if (field.kind === 'list') return text.split(',').map((entry) => coerceText(field, entry.trim()))
  return hasReference(text) ? text : coerceText(field, text)
}

const needsEntry = (path: string): ConnectorError =>
  new ConnectorError('config', `${path} has entries, each with a name of its own.`, {
    code: 'Usage',
    hint: `Give them as --set ${path}.NAME=VALUE.`,
  })

const unknownKey = (
  full: readonly string[],
  name: string,
  known: readonly SchemaField[],
  prefix: string,
): ConnectorError => {
  const names = known.map((field) => field.name)
  const guess = nearest(name, names)
  return new ConnectorError('config', `There is no field ${full.join('.')} to set.`, {
    code: 'UnknownField',
    hint: guess
      ? `Did you mean ${prefix}${guess}?`
      : `Fields: ${names.map((each) => prefix + each).join(', ') || 'none'}.`,
  })
}
