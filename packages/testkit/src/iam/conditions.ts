import type { PolicyStatement } from '../types.ts'
import { addressInRange, isAddressRange } from './addresses.ts'
import { matchesText, type Variables } from './pattern.ts'

/** Condition keys in lower case, and the policy's variables when its version has them. */
export interface ConditionScope {
  context: Readonly<Record<string, string | readonly string[] | undefined>>
  variables?: Variables | undefined
}

type Condition = NonNullable<PolicyStatement['Condition']>
type Test = (wanted: string, actual: string, variables: Variables | undefined) => boolean

interface Operator {
  test: Test
  /** `...Not...`: true when none of the values matches, and when the request lacks the key. */
  negated: boolean
  /** Says whether a policy may hold this value. */
  valid?: (wanted: string) => boolean
}

const text =
  (wildcards: boolean, ignoreCase: boolean): Test =>
  (wanted, actual, variables) =>
    matchesText(wanted, actual, { wildcards, ignoreCase, ...(variables && { variables }) })

/** Each of the six parts of an ARN on its own, so that a `*` never reaches over a colon of the first five. */
const arn: Test = (wanted, actual, variables) => {
  const wantedParts = splitArn(wanted)
  const actualParts = splitArn(actual)
  if (!wantedParts || !actualParts) return false
  return wantedParts.every((part, index) =>
    matchesText(part, actualParts[index] ?? '', variables ? { variables } : {}),
  )
}

/** Colons inside `${...}` do not part an ARN. */
function splitArn(value: string): string[] | undefined {
  const parts: string[] = []
  let from = 0
  for (let index = 0; index < value.length && parts.length < 5; index++) {
    if (value.startsWith('${', index)) index = Math.max(index, value.indexOf('}', index))
    else if (value[index] === ':') {
      parts.push(value.slice(from, index))
      from = index + 1
    }
  }
  return parts.length === 5 ? [...parts, value.slice(from)] : undefined
}

const numberOf = (value: string): number => (value.trim() === '' ? Number.NaN : Number(value))

/** Epoch ms of an ISO 8601 date or of epoch seconds: both are allowed in policies. */
const dateOf = (value: string): number =>
  /^-?\d{5,}(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value)

const isBoolean = (value: string) => /^(true|false)$/i.test(value)

type Compare = (actual: number, wanted: number) => boolean

const comparisons: Record<string, Compare> = {
  Equals: (actual, wanted) => actual === wanted,
  LessThan: (actual, wanted) => actual < wanted,
  LessThanEquals: (actual, wanted) => actual <= wanted,
  GreaterThan: (actual, wanted) => actual > wanted,
  GreaterThanEquals: (actual, wanted) => actual >= wanted,
}

function ordered(prefix: string, parse: (value: string) => number): [string, Operator][] {
  const valid = (wanted: string) => !Number.isNaN(parse(wanted))
  const tests = Object.entries(comparisons).map(([name, compare]): [string, Operator] => [
    `${prefix}${name}`,
    { test: (wanted, actual) => compare(parse(actual), parse(wanted)), negated: false, valid },
  ])
  const equals: Test = (wanted, actual) => parse(actual) === parse(wanted)
  return [...tests, [`${prefix}NotEquals`, { test: equals, negated: true, valid }]]
}

const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['StringEquals', { test: text(false, false), negated: false }],
  ['StringNotEquals', { test: text(false, false), negated: true }],
  ['StringEqualsIgnoreCase', { test: text(false, true), negated: false }],
  ['StringNotEqualsIgnoreCase', { test: text(false, true), negated: true }],
  ['StringLike', { test: text(true, false), negated: false }],
  ['StringNotLike', { test: text(true, false), negated: true }],
  // AWS: ArnEquals and ArnLike behave identically.
  ['ArnEquals', { test: arn, negated: false }],
  ['ArnNotEquals', { test: arn, negated: true }],
  ['ArnLike', { test: arn, negated: false }],
  ['ArnNotLike', { test: arn, negated: true }],
  [
    'Bool',
    {
      test: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(),
      negated: false,
      valid: isBoolean,
    },
  ],
  ['BinaryEquals', { test: (wanted, actual) => wanted === actual, negated: false }],
  ['IpAddress', { test: addressInRange, negated: false, valid: isAddressRange }],
  ['NotIpAddress', { test: addressInRange, negated: true, valid: isAddressRange }],
  ...ordered('Numeric', numberOf),
  ...ordered('Date', dateOf),
])

interface ParsedOperator {
  /** Absent for Null, which looks only at whether the key is there. */
  operator?: Operator
  set?: 'any' | 'all'
  ifExists: boolean
}

function parseOperator(name: string): ParsedOperator | undefined {
  const parts = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name)
  if (!parts) return undefined
  const [, set, base = '', ifExists] = parts
  if (base === 'Null') return set || ifExists ? undefined : { ifExists: false }
  const operator = operators.get(base)
  if (!operator) return undefined
  return {
    operator,
    ifExists: ifExists !== undefined,
    ...(set && { set: set === 'ForAnyValue' ? 'any' : 'all' }),
  }
}

const listOf = (value: string | number | boolean | readonly (string | number | boolean)[]): string[] =>
  typeof value === 'object' ? value.map(String) : [String(value)]

/**
 * Problem of a Condition element in AWS's words, or undefined. An operator that is not known is refused here, when
 * the policy is stored: one that is ignored would turn a restriction into a grant.
 */
export function conditionProblem(condition: unknown): string | undefined {
  if (!isRecord(condition)) return 'Syntax errors in policy.'
  for (const [name, keys] of Object.entries(condition)) {
    const parsed = parseOperator(name)
    if (!parsed) return `Invalid Condition type : ${name}`
    if (!isRecord(keys)) return 'Syntax errors in policy.'
    for (const [key, values] of Object.entries(keys)) {
      if (!/^[A-Za-z0-9-]+:.+$/.test(key)) {
        return `Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. (${key})`
      }
      const list: unknown[] = Array.isArray(values) ? values : [values]
      if (!list.every((value) => ['string', 'number', 'boolean'].includes(typeof value))) {
        return 'Syntax errors in policy.'
      }
      const valid = parsed.operator ? parsed.operator.valid : isBoolean
      const wrong = valid && list.map(String).find((value) => !valid(value))
      if (wrong !== undefined) return `Value ${wrong} of ${key} is not valid for the condition type ${name}`
    }
  }
  return undefined
}

/** Several operators and several keys must all hold; of several values one is enough. */
export function conditionHolds(condition: Condition | undefined, scope: ConditionScope): boolean {
  if (!condition) return true
  return Object.entries(condition).every(([name, keys]) => {
    const parsed = parseOperator(name)
    if (!parsed) throw new Error(`Condition operator ${name} passed the policy check but is not known`)
    return Object.entries(keys).every(([key, values]) =>
      keyHolds(parsed, listOf(values), scope.context[key.toLowerCase()], scope.variables),
    )
  })
}

function keyHolds(
  { operator, set, ifExists }: ParsedOperator,
  wanted: string[],
  value: string | readonly string[] | undefined,
  variables: Variables | undefined,
): boolean {
  if (!operator) return wanted.some((flag) => (flag.toLowerCase() === 'true') === (value === undefined))
  const actual = value === undefined ? [] : typeof value === 'string' ? [value] : value
  if (actual.length === 0) {
    if (ifExists || set === 'all') return true
    return set === undefined && operator.negated
  }
  const one = (entry: string) =>
    wanted.some((text) => operator.test(text, entry, variables)) !== operator.negated
  // Without a set operator a negated test has to hold for all values of a key, a plain one for any.
  const all = set === 'all' || (set === undefined && operator.negated)
  return all ? actual.every(one) : actual.some(one)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
