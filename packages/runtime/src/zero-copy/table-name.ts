import { type CatalogTable, ConnectorError } from '@penstock/core'

/** Levels of a name, joined with dots; one with a dot in it in double quotes: `"a.b".orders`. */
export const splitName = (text: string): readonly string[] => {
  const levels: string[] = []
  const level = /"((?:[^"]|"")+)"|([^."]+)/y
  for (let position = 0; ; position = level.lastIndex + 1) {
    level.lastIndex = position
    const [whole, quoted, plain] = level.exec(text) ?? []
    if (whole === undefined) throw badName(text)
    levels.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (level.lastIndex === text.length) return levels
    if (text[level.lastIndex] !== '.') throw badName(text)
  }
}

/** `namespace.table`, the namespace with as many levels as it has. Throws a `config` error for another form. */
export const parseTableName = (text: string): CatalogTable => {
  const levels = splitName(text)
  if (levels.length < 2) throw badName(text)
  return { namespace: levels.slice(0, -1), name: levels.at(-1) ?? '' }
}

const badName = (text: string): ConnectorError =>
  new ConnectorError('config', `"${text}" is no name of a table in a catalog.`, {
    code: 'Usage',
    hint: 'Write it as namespace.table; a level with a dot in double quotes: "a.b".orders.',
  })

/** The reverse of {@link splitName}. */
export const joinName = (levels: readonly string[]): string =>
  levels.map((level) => (/[."]/.test(level) ? `"${level.replaceAll('"', '""')}"` : level)).join('.')

export const tableLabel = ({ namespace, name }: CatalogTable): string => joinName([...namespace, name])
