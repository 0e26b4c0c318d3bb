/** Looks up a policy variable such as `aws:username`; undefined when the request has no such key. */
export type Variables = (name: string) => string | undefined

export interface PatternOptions {
  /** `*` and `?` are wildcards (resources, actions, StringLike); else they are plain characters. */
  wildcards?: boolean
  /** Resolves `${...}`; absent means that `${...}` is plain text (policies of version 2008-10-17). */
  variables?: Variables
  ignoreCase?: boolean
}

/** A compiled policy value: UTF-16 code units, `anyText` and `anyCharacter`. */
export interface Pattern {
  readonly tokens: readonly number[]
  readonly ignoreCase: boolean
}

/** Upper case: unlike lower case (final sigma) it does not depend on the letters around. */
const fold = (text: string): string => text.toUpperCase()

const anyText = -1
const anyCharacter = -2

/**
 * Compiles a policy value. Undefined when it uses a variable without a value: AWS then lets the statement match
 * nothing ("Policy variables", IAM user guide). A variable's value is plain text, also where it contains `*`.
 */
function compilePattern(source: string, options: PatternOptions = {}): Pattern | undefined {
  const { wildcards = true, variables, ignoreCase = false } = options
  const text = ignoreCase ? fold(source) : source
  const tokens: number[] = []
  const literal = (value: string) => {
    const folded = ignoreCase ? fold(value) : value
    for (let index = 0; index < folded.length; index++) tokens.push(folded.charCodeAt(index))
  }
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    const end = variables && character === '$' && text[index + 1] === '{' ? text.indexOf('}', index) : -1
    if (variables && end > 0) {
      const value = resolveVariable(text.slice(index + 2, end), variables)
      if (value === undefined) return undefined
      literal(value)
      index = end
    } else if (wildcards && character === '*') {
      if (tokens.at(-1) !== anyText) tokens.push(anyText)
    } else if (wildcards && character === '?') tokens.push(anyCharacter)
    else literal(character)
  }
  return { tokens, ignoreCase }
}

/** `name`, `name, 'default'`, and the escapes `*`, `?` and `$`. */
function resolveVariable(expression: string, variables: Variables): string | undefined {
  if (expression === '*' || expression === '?' || expression === '$') return expression
  const withDefault = /^\s*([^,]+?)\s*,\s*'([^']*)'\s*$/.exec(expression)
  if (withDefault) return variables((withDefault[1] ?? '').toLowerCase()) ?? withDefault[2]
  return variables(expression.trim().toLowerCase())
}

/** Linear in both lengths for one `*`, at most their product for many: never exponential. */
function matchesPattern(pattern: Pattern, text: string): boolean {
  const { tokens } = pattern
  const value = pattern.ignoreCase ? fold(text) : text
  let token = 0
  let position = 0
  let retryToken = -1
  let retryPosition = 0
  while (position < value.length) {
    const wanted = tokens[token]
    if (wanted === anyText) {
      retryToken = token++
      retryPosition = position
    } else if (wanted === anyCharacter || wanted === value.charCodeAt(position)) {
      token++
      position++
    } else if (retryToken >= 0) {
      token = retryToken + 1
      position = ++retryPosition
    } else return false
  }
  while (tokens[token] === anyText) token++
  return token === tokens.length
}

/** Compiles and matches in one step; a pattern with an unresolved variable matches nothing. */
export function matchesText(text: string, value: string, options: PatternOptions = {}): boolean {
  const pattern = compilePattern(text, options)
  return pattern !== undefined && matchesPattern(pattern, value)
}
