import { Args, Flags, type Interfaces } from '@oclif/core'
import {
  type AnyAction,
  type AnyActions,
  type AuthMethod,
  ConnectorError,
  nearest,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import { argumentLabel, flagName, schemaFlags } from '../schema/flags.ts'

const connectionGroup = 'CONNECTION'

/** The action of a long name or an alias. Throws a `config` error that lists them. */
export const findAction = (connector: AnyActions, word: string): { name: string; action: AnyAction } => {
  const actions = Object.entries(connector.actions as Readonly<Record<string, AnyAction>>)
  const found = actions.find(([name, { aliases }]) => name === word || aliases?.includes(word))
  if (found) return { name: found[0], action: found[1] }
  const names = actions.flatMap(([name, { aliases = [] }]) => [name, ...aliases])
  const guess = nearest(word, names)
  throw new ConnectorError('config', `${connector.name} has no such action.`, {
    code: 'Usage',
    hint: guess ? `Did you mean ${guess}?` : `Actions: ${actions.map(([name]) => name).join(', ')}.`,
  })
}

/** What a connection is made of when none is named: environment and flags. */
export const connectionFields = (connector: AnyActions) => {
  const { auth = {} } = connector.environment?.({}) ?? {}
  const { method: id } = auth as { readonly method?: unknown }
  const methods = (connector.auth ?? []) as readonly AuthMethod[]
  return { methods, standard: methods.find((method) => method.id === id) }
}

/**
 * Arguments, flags, texts and examples of an action's command, all from its definition. `fixed`: the connection is
 * chosen already.
 */
export const actionDefinition = (connector: AnyActions, name: string, fixed = false) => {
  const { action } = findAction(connector, name)
  const fields = new Map(schemaFields(action.input).map((field) => [field.name, field]))
  const named = action.arguments ?? []
  const args: Interfaces.ArgInput = {}
  for (const field of named) args[field] = argumentOf(fields.get(field), field)
  const inputFlags = schemaFlags(action.input, { omit: named })
  return {
    summary: `${action.title}.`,
    description: action.description ?? action.title,
    args,
    flags: {
      ...(fixed ? { concurrency } : connectionFlags(connector, Object.keys(inputFlags))),
      ...inputFlags,
    },
    examples: (action.examples ?? []).map(({ description, input }) => ({
      description,
      command: `<%= config.bin %> <%= command.id %> ${exampleOf(action, fields, input as object)}`,
    })),
  }
}

const argumentOf = (field: SchemaField | undefined, name: string) =>
  Args.string({
    name: argumentLabel(name),
    description: field?.description ?? field?.title ?? name,
    required: field?.required ?? false,
    ignoreStdin: true,
  })

const concurrency = Flags.integer({
  description: 'Requests in flight.',
  helpValue: 'N',
  min: 1,
  max: 512,
  helpGroup: connectionGroup,
})

const connectionFlags = (connector: AnyActions, taken: readonly string[]): Interfaces.FlagInput => {
  const { methods, standard } = connectionFields(connector)
  const group = { group: connectionGroup }
  const own = {
    connection: Flags.string({
      description: 'Connection of the project (default: the environment, and the flags below).',
      helpValue: 'NAME',
      helpGroup: connectionGroup,
    }),
    concurrency,
    ...(methods.length > 1
      ? {
          auth: Flags.string({
            description: `Auth method (default: ${standard?.id ?? methods[0]?.id}).`,
            options: methods.map((method) => method.id),
            helpGroup: connectionGroup,
          }),
        }
      : {}),
  }
  const flags = {
    ...own,
    ...(standard ? schemaFlags(standard.fields, group) : {}),
    ...schemaFlags(connector.config, group),
  }
  return Object.fromEntries(Object.entries(flags).filter(([flag]) => !taken.includes(flag)))
}

/** An example's input as one types it. */
const exampleOf = (action: AnyAction, fields: ReadonlyMap<string, SchemaField>, input: object): string => {
  const given = new Map<string, unknown>(Object.entries(input))
  const words: string[] = []
  for (const name of action.arguments ?? []) if (given.has(name)) words.push(quoted(String(given.get(name))))
  for (const [name, value] of given) {
    const field = fields.get(name)
    if (!field || action.arguments?.includes(name)) continue
    const flag = `--${flagName(field)}`
    if (value === true) words.push(flag)
    else if (value === false) words.push(`--no-${flagName(field)}`)
    else if (field.kind === 'map')
      words.push(
        ...Object.entries(value as object).map(([key, text]) => `${flag} ${quoted(`${key}=${text}`)}`),
      )
    else words.push(...[value].flat().map((text) => `${flag} ${quoted(String(text))}`))
  }
  return words.join(' ')
}

/** Quoted for a shell where needed. */
const quoted = (text: string): string =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
