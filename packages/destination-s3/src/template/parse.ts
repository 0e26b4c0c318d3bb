import { ConnectorError, nearest } from '@penstock/core'

/** A piece of a template, and where it begins: the number of its first character, from 1. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  | {
      readonly kind: 'macro'
      /** As it stands in the template: `{part}`, `%DATETIME(YYYY)%`. */
      readonly source: string
      readonly spelling: 'brace' | 'percent'
      readonly name: string
      /** What stands in parentheses; of the percent spelling alone. */
      readonly argument?: string
      readonly at: number
    }

/** Error of a template: says which one, and where in it. */
export const templateError = (subject: string, source: string, at: number, what: string, hint: string) =>
  new ConnectorError('config', `${subject} ${JSON.stringify(source)}, character ${at}: ${what}.`, {
    code: 'InvalidKeyTemplate',
    hint,
    place: { value: source },
  })

const percentMacro = /%([A-Za-z][A-Za-z0-9_]*)(?:\(([^()]*)\))?%/y
/** What begins like a macro and is not closed is no percent sign that somebody wanted. */
const openPercent = /%([A-Z][A-Z_]+)/y

/**
 * Reads a template in both spellings: `{macro}`, with `{{` and `}}` for braces, and `%MACRO%` or `%MACRO(argument)%`,
 * with `%%` for a percent sign; one that begins no macro stands for itself. Throws `config` errors with positions.
 */
export const parseTemplate = (
  source: string,
  subject: string,
  percentNames: readonly string[],
): readonly Piece[] => {
  const pieces: Piece[] = []
  let text = ''
  let textAt = 0
  let index = 0
  // Lone surrogates included: users count characters, not UTF-16 units.
  const at = (position: number): number => Array.from(source.slice(0, position)).length + 1
  const fail = (position: number, what: string, hint: string) =>
    templateError(subject, source, at(position), what, hint)
  const add = (added: string, length = added.length): void => {
    if (text === '') textAt = at(index)
    text += added
    index += length
  }
  const flush = (): void => {
    if (text !== '') pieces.push({ kind: 'text', text, at: textAt })
    text = ''
  }
  const macro = (found: {
    name: string
    argument?: string
    spelling: 'brace' | 'percent'
    length: number
  }) => {
    const { length, ...rest } = found
    flush()
    pieces.push({ kind: 'macro', ...rest, source: source.slice(index, index + length), at: at(index) })
    index += length
  }

  while (index < source.length) {
    const character = source.charAt(index)
    const doubled = source.charAt(index + 1) === character
    if (character === '{' || character === '}') {
      if (doubled) {
        add(character, 2)
        continue
      }
      const end = character === '{' ? source.slice(index + 1).search(/[{}]/) : -1
      if (end === -1 || source.charAt(index + 1 + end) === '{')
        throw fail(index, `"${character}" has no partner`, 'Write {{ or }} for the brace itself.')
      macro({ spelling: 'brace', name: source.slice(index + 1, index + 1 + end), length: end + 2 })
      continue
    }
    if (character !== '%') {
      add(character)
      continue
    }
    if (doubled) {
      add('%', 2)
      continue
    }
    percentMacro.lastIndex = index
    const [whole, name = '', argument] = percentMacro.exec(source) ?? []
    if (whole !== undefined) {
      macro({
        spelling: 'percent',
        name,
        ...(argument === undefined ? {} : { argument }),
        length: whole.length,
      })
      continue
    }
    openPercent.lastIndex = index
    const open = openPercent.exec(source)?.[1]
    if (open !== undefined && nearest(open, percentNames) !== undefined)
      throw fail(
        index,
        `"%${open}" is not closed`,
        `Write %${nearest(open, percentNames)}%, or %% for a percent sign.`,
      )
    add('%')
  }
  flush()
  return pieces
}
