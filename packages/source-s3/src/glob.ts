import { ConnectorError } from '@penstock/core'

/** Texts of the capture groups of a match: by number (`1`) and, where the group has one, by name. */
export type Captures = Readonly<Record<string, string | undefined>>

/**
 * A compiled glob. Keys are plain texts here, not paths: `//`, `./`, `../` and backslashes mean themselves, a
 * leading dot hides nothing, and case counts. That is why no path-matching library serves (picomatch never
 * matches a `..` segment, drops a leading `./` and stops `**` at a newline).
 */
export interface Glob {
  readonly source: string
  /** Every matching key begins with this text: what comes before the first special character. */
  readonly prefix: string
  /** `prefix` up to its last slash: the folder that the glob fixes. */
  readonly folder: string
  /** No key with a further slash after `prefix` matches, so one level of the listing is enough. */
  readonly oneLevel: boolean
  /** Numbers and names of the capture groups. */
  readonly groups: readonly string[]
  readonly test: (key: string) => boolean
  /** The captures of a matching key; undefined for a key that does not match. */
  readonly match: (key: string) => Captures | undefined
}

/**
 * Compiles a glob:
 * `*` any run of characters but `/` · `**` as a whole segment: any number of segments · `?` one character but `/` ·
 * `[a-z]`, `[!a-z]` one character of a set, never `/` · `{a,b}` alternatives · `(*)`, `(?<name>*)` capture what they
 * match · `\` takes the next character as it stands.
 * Throws a `config` error that names the place of what can't be read, rather than guess.
 */
export const compileGlob = (source: string): Glob => {
  const parsed = parse(source)
  const expression = new RegExp(`^(?:${parsed.pattern})$`, 'us')
  return Object.freeze({
    source,
    prefix: parsed.prefix,
    folder: parsed.prefix.slice(0, parsed.prefix.lastIndexOf('/') + 1),
    oneLevel: !parsed.deep,
    groups: parsed.groups,
    test: (key: string) => expression.test(key),
    match: (key: string) => {
      const found = expression.exec(key)
      return found ? capturesOf(found) : undefined
    },
  })
}

/** Captures of a regular expression's match, by number and by name. */
export const capturesOf = (found: RegExpExecArray): Captures => {
  const captures: Record<string, string | undefined> = {}
  for (let index = 1; index < found.length; index++) captures[index] = found[index]
  return found.groups ? Object.assign(captures, found.groups) : captures
}

/** Text as a regular expression (flag `u`) that matches just it. */
const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')

interface Parsed {
  readonly pattern: string
  readonly prefix: string
  readonly groups: readonly string[]
  readonly deep: boolean
}

const parse = (source: string): Parsed => {
  const characters = [...source]
  const groups: string[] = []
  let position = 0
  let groupCount = 0
  let prefix = ''
  let prefixOpen = true
  let deep = false

  const fail = (problem: string, at: number, hint: string): never => {
    throw new ConnectorError(
      'config',
      `The glob ${JSON.stringify(source)} can't be read: ${problem} at character ${at + 1}.`,
      { code: 'InvalidGlob', hint },
    )
  }

  const add = (text: string): string => {
    if (prefixOpen) prefix += text
    else if (text === '/') deep = true
    return literal(text)
  }

  /**
   * Reads until the end or one of `stops`, which stays unread. `start` tells whether a segment begins here.
   * Returns the pattern, and whether a segment begins after it.
   */
  const sequence = (
    stops: string,
    start: boolean,
    inside: 'top' | 'group' | 'braces',
  ): { pattern: string; start: boolean } => {
    let pattern = ''
    let segmentStart = start
    while (position < characters.length) {
      const character = characters[position] as string
      if (stops.includes(character)) break
      if (character === '*') {
        prefixOpen = false
        const stars = starsAt()
        if (stars === 1) {
          if (!pattern.endsWith('[^/]*')) pattern += '[^/]*'
          segmentStart = false
          continue
        }
        deep = true
        pattern += wholeSegments(segmentStart, stars, inside)
        segmentStart = true
        continue
      }
      position++
      if (character === '?') {
        prefixOpen = false
        pattern += '[^/]'
        segmentStart = false
      } else if (character === '[') {
        prefixOpen = false
        pattern += characterSet(position - 1)
        segmentStart = false
      } else if (character === '{' || character === '(') {
        prefixOpen = false
        const part = character === '{' ? alternatives(segmentStart) : captureGroup(segmentStart)
        pattern += part.pattern
        segmentStart = part.start
      } else if (character === '}' || character === ')') {
        fail(`"${character}" closes nothing`, position - 1, `Write \\${character} for the character itself.`)
      } else if (character === '\\') {
        const escaped = characters[position]
        if (escaped === undefined)
          return fail('"\\" escapes nothing', position - 1, 'Write \\\\ for a backslash.')
        position++
        pattern += add(escaped)
        segmentStart = escaped === '/'
      } else {
        pattern += add(character)
        segmentStart = character === '/'
      }
    }
    return { pattern, start: segmentStart }
  }

  const starsAt = (): number => {
    const from = position
    while (characters[position] === '*') position++
    return position - from
  }

  const wholeSegments = (segmentStart: boolean, stars: number, inside: string): string => {
    const at = position - stars
    const next = characters[position]
    const hint = 'Write it between slashes, such as exports/**/*.csv; * matches within one segment.'
    if (inside === 'group')
      fail('"**" can\'t be captured', at, 'Use --pattern with a regular expression instead.')
    if (stars > 2 || !segmentStart || (next !== undefined && next !== '/'))
      fail('"**" has to be a whole segment', at, hint)
    if (next === undefined) return '.*'
    position++
    // `**/**/` means the same as `**/`, and as a pattern it would be read in quadratically many ways.
    while (characters.slice(position, position + 3).join('') === '**/') position += 3
    return '(?:[^/]*/)*'
  }

  const characterSet = (at: number): string => {
    let set = ''
    let negated = false
    if (characters[position] === '!' || characters[position] === '^') {
      negated = true
      position++
    }
    const member = (): string => {
      const character = characters[position]
      if (character === undefined || (character === '\\' && characters[position + 1] === undefined))
        return fail('"[" is not closed', at, 'Close it with ], or write \\[ for the character itself.')
      if (character === '[' && characters[position + 1] === ':')
        return fail('named sets such as [:alpha:] are unknown', position, 'Write a range: [a-zA-Z].')
      position += character === '\\' ? 2 : 1
      return characters[position - 1] as string
    }
    for (let first = true; first || characters[position] !== ']'; first = false) {
      const low = member()
      if (characters[position] !== '-' || characters[position + 1] === ']') {
        set += inSet(low)
        continue
      }
      const hyphen = position
      position++
      const high = member()
      if ((low.codePointAt(0) ?? 0) > (high.codePointAt(0) ?? 0))
        fail(`the range ${low}-${high} runs backwards`, hyphen, `Write ${high}-${low}.`)
      set += `${inSet(low)}-${inSet(high)}`
    }
    position++
    return `(?!/)[${negated ? '^' : ''}${set}]`
  }

  const alternatives = (segmentStart: boolean): { pattern: string; start: boolean } => {
    const at = position - 1
    const parts = [sequence(',}', segmentStart, 'braces')]
    while (characters[position] === ',') {
      position++
      parts.push(sequence(',}', segmentStart, 'braces'))
    }
    if (characters[position] !== '}')
      fail('"{" is not closed', at, 'Close it with }, or write \\{ for the character itself.')
    if (parts.length === 1)
      fail('"{...}" holds no comma', at, 'List alternatives as {a,b}, or write \\{ for the character itself.')
    position++
    return {
      pattern: `(?:${parts.map((part) => part.pattern).join('|')})`,
      start: parts.every((part) => part.start),
    }
  }

  const captureGroup = (segmentStart: boolean): { pattern: string; start: boolean } => {
    const at = position - 1
    const named = /^\?<([A-Za-z_]\w*)>/.exec(characters.slice(position, position + 80).join(''))
    const name = named?.[1]
    if (name !== undefined && groups.includes(name))
      fail(`two groups are named ${name}`, at, 'Give each group a name of its own.')
    position += named?.[0].length ?? 0
    groups.push(String(++groupCount))
    if (name !== undefined) groups.push(name)
    const content = sequence(')', segmentStart, 'group')
    if (characters[position] !== ')')
      fail('"(" is not closed', at, 'Close it with ), or write \\( for the character itself.')
    position++
    const open = name === undefined ? '(' : `(?<${name}>`
    return { pattern: `${open}${content.pattern})`, start: content.start }
  }

  const { pattern } = sequence('', true, 'top')
  return { pattern, prefix, groups, deep }
}

const inSet = (character: string): string => character.replace(/[\\\]^[-]/u, '\\$&')
