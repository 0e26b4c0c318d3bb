import { ConnectorError } from '@penstock/core'

/** A table name with placeholders: `{1}`, `{name}`; `{{` and `}}` stand for braces. */
export interface NameTemplate {
  readonly source: string
  /** Placeholders in the order of their appearance; empty for a plain name. */
  readonly placeholders: readonly string[]
  /** The name for these values. Throws a `config` error where a placeholder has no value, naming the key. */
  readonly render: (values: Readonly<Record<string, string | undefined>>, key: string) => string
}

const piece = /\{\{|\}\}|\{([^{}]*)\}|[{}]/gu

/** Reads a template. Throws a `config` error for a brace without a partner. */
export const compileTemplate = (source: string): NameTemplate => {
  const parts: ({ text: string } | { placeholder: string })[] = []
  let end = 0
  for (const found of source.matchAll(piece)) {
    if (found.index > end) parts.push({ text: source.slice(end, found.index) })
    end = found.index + found[0].length
    if (found[1] !== undefined) parts.push({ placeholder: found[1] })
    else if (found[0].length === 2) parts.push({ text: found[0].charAt(0) })
    else
      throw new ConnectorError(
        'config',
        `The table name ${JSON.stringify(source)} has a "${found[0]}" without a partner.`,
        { code: 'InvalidTableName', hint: 'Write {{ or }} for the brace itself.' },
      )
  }
  if (end < source.length) parts.push({ text: source.slice(end) })
  return Object.freeze({
    source,
    placeholders: parts.flatMap((part) => ('placeholder' in part ? [part.placeholder] : [])),
    render: (values: Readonly<Record<string, string | undefined>>, key: string) =>
      parts
        .map((part) =>
          'text' in part ? part.text : required(values[part.placeholder], part.placeholder, key),
        )
        .join(''),
  })
}

const required = (value: string | undefined, placeholder: string, key: string): string => {
  if (value !== undefined && value !== '') return value
  throw new ConnectorError('config', `{${placeholder}} is empty for the object ${JSON.stringify(key)}.`, {
    code: 'EmptyTableName',
    hint: 'Capture at least one character, or leave such objects out with --exclude.',
    place: { object: key },
  })
}

/** Throws a `config` error for a placeholder that nothing fills, listing the known ones. */
export const requirePlaceholders = (template: NameTemplate, known: readonly string[]): void => {
  const unknown = template.placeholders.filter((placeholder) => !known.includes(placeholder))
  if (unknown.length === 0) return
  throw new ConnectorError(
    'config',
    `The table name ${JSON.stringify(template.source)} uses ${unknown.map((name) => `{${name}}`).join(', ')}, which nothing fills.`,
    {
      code: 'UnknownPlaceholder',
      hint: `Known here: ${known.map((name) => `{${name}}`).join(', ')}. Capture groups add more: --glob 'exports/(*)/*.csv' fills {1}, --pattern '(?<day>...)' fills {day}.`,
    },
  )
}
