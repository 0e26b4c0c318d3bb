import { type AnyAction, listField, type SchemaField, schemaFields } from '@penstock/core'
import { formatBytes, formatTime } from '../text/numbers.ts'
import { pad, printable } from '../text/width.ts'

/** How a result is shown: to people, or in columns to another program. */
export interface ResultView {
  /** One of many, as a line. */
  item(item: Readonly<Record<string, unknown>>): string
  /** The result, as lines: a value alone where the action says which one it is. */
  result(output: Readonly<Record<string, unknown>>): readonly string[]
  /** The same in one line, where items or bytes were the result: of what is or is not so, what is so. */
  summary(output: Readonly<Record<string, unknown>>): string
  /** Field of the output that has the items, where there are many. */
  readonly list: string | undefined
  /** Output that must go out as it is, although it holds what proves an identity: a signed URL. */
  readonly exact: boolean
}

/** `dryRun` as people say it. */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

/** Columns: the last one ends the line as it is, the others keep their place. */
const widthOfField = (field: SchemaField): number => {
  if (field.meta.unit === 'bytes') return 10
  if (field.schema && isTime(field)) return 19
  return Math.max(String(field.title ?? field.name).length, 8)
}

const isTime = (field: SchemaField): boolean =>
  (field.schema._zod.def as { format?: unknown }).format === 'datetime'

const text = (field: SchemaField | undefined, value: unknown): string => {
  if (field?.meta.unit === 'bytes' && typeof value === 'number') return formatBytes(value)
  if (field && isTime(field)) return formatTime(String(value))
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export const resultView = (action: AnyAction, terminal: boolean): ResultView => {
  const fields = schemaFields(action.output)
  const byName = new Map(fields.map((field) => [field.name, field]))
  const list = listField(action)
  const columns = (list?.itemFields ?? []).filter((field) => (terminal ? field.meta.wide !== true : true))
  const single = fields.find((field) => field.meta.result === true)

  const item: ResultView['item'] = (entry) => {
    if (!terminal) return columns.map((field) => raw(entry[field.name])).join('\t')
    return columns
      .map((field, index) => {
        const shown = printable(isSet(entry[field.name]) ? text(field, entry[field.name]) : '')
        if (index === columns.length - 1) return shown
        return pad(shown, widthOfField(field), field.kind === 'number' ? 'right' : 'left')
      })
      .join('  ')
  }

  const pairs = (output: Readonly<Record<string, unknown>>): [string, string][] =>
    Object.entries(output)
      .filter(([name, value]) => name !== list?.name && isSet(value))
      .flatMap(([name, value]): [string, string][] => {
        const field = byName.get(name)
        if (field?.kind === 'map')
          return Object.entries(value as object).map(([key, each]) => [`${name}.${key}`, String(each)])
        // What a program reads has its times as lists give them.
        if (!terminal && field && isTime(field)) return [[name, raw(value)]]
        return [[name, text(field, value)]]
      })

  return {
    item,
    result: (output) => {
      if (single) return [String(output[single.name])]
      const shown = pairs(output)
      const width = Math.max(0, ...shown.map(([name]) => name.length))
      return shown.map(
        ([name, value]) => `${pad(name, width)}  ${value.split('\n').map(printable).join('\n')}`,
      )
    },
    summary: (output) =>
      pairs(Object.fromEntries(Object.entries(output).filter(([name]) => byName.get(name)?.kind !== 'map')))
        .filter(([name]) => output[name] !== false)
        .map(([name, value]) => (output[name] === true ? words(name) : `${words(name)} ${printable(value)}`))
        .join(', '),
    list: list?.name,
    exact: single !== undefined,
  }
}

/** For columns of a program: numbers with all digits, and no tab or line break but those between columns and lines. */
const raw = (value: unknown): string => {
  if (!isSet(value)) return ''
  const plain = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return plain.replace(/[\t\r\n\\]/g, (character) => escapes[character] ?? character)
}

const escapes: Readonly<Record<string, string>> = { '\t': '\\t', '\r': '\\r', '\n': '\\n', '\\': '\\\\' }
