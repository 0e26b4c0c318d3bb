import type { Column } from './model.ts'

type Value = string | null
type Test = (values: ReadonlyMap<string, string>) => boolean

/** `<>` is written as such; `!=` is the same. */
const operators = ['<=', '>=', '<>', '!=', '=', '<', '>'] as const
type Operator = (typeof operators)[number]

const token =
  /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w]*|"[^"]+"|`[^`]+`)|(<=|>=|<>|!=|[=<>(),]))/y

/**
 * Reads the `Expression` of GetPartitions: comparisons of partition keys with literals by `=`, `<>`, `<`, `<=`, `>`,
 * `>=`, `IN`, `BETWEEN`, `LIKE` and `IS [NOT] NULL`, put together by AND, OR, NOT and brackets. Throws an Error that says
 * what is wrong. Source: GetPartitions, AWS Glue API reference.
 */
export function parseExpression(text: string, keys: readonly Column[]): Test {
  const tokens = tokenize(text)
  let position = 0
  const types = new Map(keys.map(({ Name, Type }) => [Name.toLowerCase(), Type ?? 'string']))
  const peek = () => tokens[position]
  const next = () => tokens[position++]
  const word = (name: string): boolean => {
    if (peek()?.toUpperCase() !== name) return false
    position++
    return true
  }
  const expect = (name: string) => {
    if (!word(name)) throw new Error(`${name} is expected before ${peek() ?? 'the end'}`)
  }

  const either = (): Test => {
    let test = both()
    while (word('OR')) {
      const [left, right]: [Test, Test] = [test, both()]
      test = (values) => left(values) || right(values)
    }
    return test
  }
  const both = (): Test => {
    let test = negated()
    while (word('AND')) {
      const [left, right]: [Test, Test] = [test, negated()]
      test = (values) => left(values) && right(values)
    }
    return test
  }
  const negated = (): Test => {
    if (word('NOT')) {
      const inner = negated()
      return (values) => !inner(values)
    }
    if (word('(')) {
      const inner = either()
      expect(')')
      return inner
    }
    return comparison()
  }
  const literal = (): string => {
    const found = next()
    if (found?.startsWith("'")) return found.slice(1, -1).replaceAll("''", "'")
    if (found !== undefined && /^-?\d/.test(found)) return found
    throw new Error(`A literal is expected at ${found ?? 'the end'}`)
  }
  const literals = (): string[] => {
    expect('(')
    const list = [literal()]
    while (word(',')) list.push(literal())
    expect(')')
    return list
  }
  const comparison = (): Test => {
    const name = (next() ?? '').replace(/^["`]|["`]$/g, '').toLowerCase()
    const type = types.get(name)
    if (type === undefined) throw new Error(`${name} is no partition key`)
    const test =
      (check: (value: Value) => boolean): Test =>
      (values) =>
        check(values.get(name) ?? null)
    const compared = (operator: Operator, right: string) => (value: Value) =>
      value !== null && holds(operator, compare(value, right, type))
    if (word('IS')) {
      const not = word('NOT')
      expect('NULL')
      return test((value) => (value === null) !== not)
    }
    const not = word('NOT')
    const signed = (check: (value: Value) => boolean) => test((value) => check(value) !== not)
    if (word('IN')) {
      const list = literals()
      return signed((value) => list.some((entry) => compared('=', entry)(value)))
    }
    if (word('BETWEEN')) {
      const low = literal()
      expect('AND')
      const high = literal()
      return signed((value) => compared('>=', low)(value) && compared('<=', high)(value))
    }
    if (word('LIKE')) {
      const pattern = likePattern(literal())
      return signed((value) => value !== null && pattern.test(value))
    }
    const operator = operators.find((candidate) => candidate === peek())
    if (operator === undefined || not) throw new Error(`An operator is expected at ${peek() ?? 'the end'}`)
    position++
    return test(compared(operator, literal()))
  }

  const test = either()
  if (position < tokens.length) throw new Error(`${peek()} is not expected`)
  return test
}

function tokenize(text: string): string[] {
  const tokens: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.trimEnd().length) {
    const start = token.lastIndex
    const match = token.exec(text)
    if (!match) throw new Error(`${text.slice(start).trim()} cannot be read`)
    tokens.push(match.slice(1).find((part) => part !== undefined) as string)
  }
  return tokens
}

const numeric = /^(tinyint|smallint|int|integer|bigint|long|decimal|double|float)/i

function compare(left: string, right: string, type: string): number {
  if (/^(tinyint|smallint|int|integer|bigint|long)/i.test(type)) {
    const [a, b] = [BigInt(left), BigInt(right)]
    return a < b ? -1 : a > b ? 1 : 0
  }
  if (numeric.test(type)) return Number(left) - Number(right)
  return left < right ? -1 : left > right ? 1 : 0
}

function holds(operator: Operator, order: number): boolean {
  switch (operator) {
    case '=':
      return order === 0
    case '<>':
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

const likePattern = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('%', '.*')
      .replaceAll('_', '.')}$`,
    's',
  )
