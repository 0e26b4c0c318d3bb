import { ConnectorError } from '@penstock/core'

/** NAMEDATALEN - 1: the server cuts longer names without a word, so that two could become one. */
const maxNameBytes = 63

/** Why a text can't be a name; undefined when it can. Any other character is fine within quotes. */
export const nameProblem = (name: string): string | undefined => {
  if (name === '') return 'is empty'
  if (name.includes('\0')) return 'holds a NUL character'
  if (Buffer.byteLength(name) > maxNameBytes) return `is longer than ${maxNameBytes} bytes`
  return undefined
}

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const quoteNames = (names: readonly string[]): string => names.map(quoteName).join(', ')

export const qualified = (schema: string, name: string): string => `${quoteName(schema)}.${quoteName(name)}`

/** A name as people read it: in quotes only where there are dots or spaces in it. */
export const shownName = (schema: string, name: string): string =>
  [schema, name].map((part) => (/^[\p{L}\p{N}_$-]+$/u.test(part) ? part : quoteName(part))).join('.')

export const requireName = (name: string, what: string, place: { table: string; column?: string }): void => {
  const problem = nameProblem(name)
  if (problem)
    throw new ConnectorError('config', `The name of ${what} ${problem}, which PostgreSQL does not take.`, {
      code: 'InvalidName',
      place,
      hint:
        place.column === undefined ? 'Name the stream (--stream, name).' : 'Rename it (--rename OLD=NEW).',
    })
}
