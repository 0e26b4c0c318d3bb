import { flagName, type Interfaces, parseFlags, readFlags, schemaFlags } from '@penstock/command-kit'
import { type AnySource, ConnectorError, schemaFields } from '@penstock/core'
import { loadRequest, resourceOptions } from '@penstock/runtime'
import { z } from 'zod'

/** Selection of a source that has no selection of its own: tables by their names. */
const byName = z.strictObject({ table: z.string().min(1).describe('Name of a table of the source') })

const selectionOf = (connector: AnySource): z.ZodType => (connector.select ? connector.selection : byName)

/** Fields by which objects are chosen: given several times, each choice becomes a table of its own. */
const selectorNames = ['object', 'folder', 'glob']

const selectorsOf = (schema: z.ZodType): string[] =>
  schemaFields(schema)
    .filter((field) => selectorNames.includes(field.name) || field.meta.selector === true)
    .map((field) => field.name)

/** What stands for values in the help, where the name of the field says too little. */
const valueNames = {
  object: 'KEY',
  folder: 'PREFIX',
  table: 'NAME',
  exclude: 'GLOB',
  pattern: 'REGEX',
  quote: 'CHARACTER',
  escape: 'CHARACTER',
  comment: 'CHARACTER',
  delimiter: 'CHARACTER',
  nullStrings: 'TEXT',
  modifiedAfter: 'TIME',
  modifiedBefore: 'TIME',
  key: 'COLUMN',
  columns: 'NAME=TYPE',
  maxRejects: 'N|P%',
  staging: 'SIZE',
  memory: 'SIZE',
}

/** Flags by which tables of a connector are chosen. */
export const selectionFlags = (schema: z.ZodType): Interfaces.FlagInput =>
  schemaFlags(schema, { group: 'SELECTION', repeatable: [...selectorsOf(schema), 'table'], valueNames })

export const selectionFlagsOf = (connector: AnySource): Interfaces.FlagInput =>
  selectionFlags(selectionOf(connector))

/** Flags that say how tables are loaded, whatever the connector. */
export const loadFlags: Interfaces.FlagInput = schemaFlags(loadRequest, { group: 'LOAD', valueNames })

/** Flags for the ceilings of a run. */
export const resourceFlags: Interfaces.FlagInput = schemaFlags(resourceOptions, {
  group: 'RESOURCE',
  valueNames,
})

type Fields = Readonly<Record<string, unknown>>

/**
 * Table requests from flags. `--folder a/ --folder b/` are two tables with the same options; several names for
 * `--table` go to them in order. Everything is validated here, so that errors name flags.
 */
export const requestsFromFlags = (connector: AnySource, flags: Fields): Fields[] => {
  const schema = selectionOf(connector)
  const load = readFlags(loadRequest, flags)
  parseFlags(loadRequest, load)
  const { table, ...selection } = readFlags(schema, flags)
  const names = (table ?? []) as readonly string[]
  const choices = connector.select ? choicesOf(schema, selection) : names.map(() => ({}))
  if (choices.length === 0) throw nothingChosen(connector, schema)
  const named = connector.select ? withNames(choices, names) : names.map((name) => ({ table: name }))
  const selectors = selectorsOf(schema)
  const common = Object.fromEntries(Object.entries(selection).filter(([name]) => !selectors.includes(name)))
  return named.map((choice) => {
    const request = { ...common, ...choice }
    parseFlags(schema, request)
    return { ...request, ...load }
  })
}

const choicesOf = (schema: z.ZodType, selection: Fields): Fields[] => {
  const fields = schemaFields(schema)
  return selectorsOf(schema).flatMap((name): Fields[] => {
    const values = selection[name] as readonly unknown[] | undefined
    if (values === undefined) return []
    const takesList = fields.find((field) => field.name === name)?.kind === 'list'
    if (takesList) return [{ [name]: values.length === 1 ? values[0] : values }]
    return values.map((value) => ({ [name]: value }))
  })
}

const withNames = (choices: readonly Fields[], names: readonly string[]): Fields[] => {
  if (names.length === 0) return [...choices]
  const [only] = choices
  if (choices.length === 1 && only && names.length === 1) return [{ ...only, table: names[0] }]
  const spread = choices.flatMap((choice) => {
    const [[name, value] = ['', undefined]] = Object.entries(choice)
    return Array.isArray(value) ? value.map((entry) => ({ [name]: entry })) : [choice]
  })
  const kinds = new Set(spread.map((choice) => Object.keys(choice)[0]))
  if (spread.length === names.length && kinds.size === 1)
    return spread.map((choice, index) => ({ ...choice, table: names[index] }))
  throw new ConnectorError(
    'config',
    `${names.length} names (--table) can't be given to ${spread.length} choices.`,
    {
      code: 'Usage',
      hint: 'Give as many --table as choices, all of one kind, or make a pipeline in penstock.yaml and run it.',
    },
  )
}

const nothingChosen = (connector: AnySource, schema: z.ZodType): ConnectorError => {
  const flags = schemaFields(schema)
    .filter((field) => (connector.select ? selectorsOf(schema).includes(field.name) : field.name === 'table'))
    .map((field) => `--${flagName(field)}`)
  return new ConnectorError('config', `Nothing is chosen. Give ${flags.join(', ') || 'a selection'}.`, {
    code: 'Usage',
    hint: 'What there is to choose from: penstock tables CONNECTION',
  })
}
