import { expect, test } from 'vitest'
import type { PolicyStatement } from '../types.ts'
import { conditionHolds, conditionProblem } from './conditions.ts'

type Condition = NonNullable<PolicyStatement['Condition']>
type Context = Record<string, string | string[]>

const holds = (condition: Condition, context: Context) => {
  expect(conditionProblem(condition)).toBeUndefined()
  return conditionHolds(condition, { context })
}

test.each<[string, string | string[], string | undefined, boolean]>([
  ['StringEquals', 'a', 'a', true],
  ['StringEquals', 'a', 'A', false],
  ['StringEquals', ['a', 'b'], 'b', true],
  ['StringEquals', 'a*', 'abc', false],
  ['StringEquals', 'a', undefined, false],
  ['StringNotEquals', ['a', 'b'], 'b', false],
  ['StringNotEquals', ['a', 'b'], 'c', true],
  ['StringNotEquals', 'a', undefined, true],
  ['StringEqualsIgnoreCase', 'ABC', 'abc', true],
  ['StringNotEqualsIgnoreCase', 'ABC', 'abc', false],
  ['StringLike', 'logs/*/x?', 'logs/2025/xy', true],
  ['StringLike', 'logs/*', 'Logs/2025', false],
  ['StringNotLike', 'logs/*', 'data/x', true],
  ['StringNotLike', ['logs/*', 'data/*'], 'data/x', false],
  ['ArnLike', 'arn:aws:iam::*:role/*', 'arn:aws:iam::111122223333:role/x', true],
  ['ArnEquals', 'arn:aws:iam::*:role/x', 'arn:aws:iam::111122223333:role/x', true],
  ['ArnLike', 'arn:aws:*', 'arn:aws:iam::111122223333:role/x', false],
  ['ArnLike', 'arn:*:x', 'arn:aws:iam::1:x', false],
  ['ArnNotLike', 'arn:aws:iam::1:role/*', 'arn:aws:iam::2:role/x', true],
  ['ArnNotEquals', 'arn:aws:iam::1:role/*', undefined, true],
  ['Bool', 'true', 'true', true],
  ['Bool', 'true', 'false', false],
  ['Bool', 'false', undefined, false],
  ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ5', true],
  ['NumericEquals', '10', '10.0', true],
  ['NumericNotEquals', '10', '11', true],
  ['NumericLessThan', '10', '9', true],
  ['NumericLessThan', '10', '10', false],
  ['NumericLessThanEquals', '10', '10', true],
  ['NumericGreaterThan', '10', '9', false],
  ['NumericGreaterThanEquals', '10', '10', true],
  ['NumericLessThan', '10', 'many', false],
  ['NumericLessThanEquals', '10', undefined, false],
  ['DateLessThan', '2025-06-01T00:00:00Z', '2025-05-31T23:59:59Z', true],
  ['DateGreaterThan', '2025-06-01T00:00:00Z', '2025-06-01T02:00:00+02:00', false],
  ['DateGreaterThanEquals', '2025-06-01T00:00:00Z', '2025-06-01T02:00:00+02:00', true],
  ['DateEquals', '1748736000', '2025-06-01T00:00:00Z', true],
  ['DateLessThan', '2025-06-01', '1748735999', true],
  ['IpAddress', '203.0.113.0/24', '203.0.113.255', true],
  ['IpAddress', '203.0.113.0/24', '203.0.114.0', false],
  ['IpAddress', '203.0.113.7', '203.0.113.7', true],
  ['IpAddress', ['10.0.0.0/8', '203.0.113.7/32'], '203.0.113.7', true],
  ['IpAddress', '10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['IpAddress', '2001:db8::/32', '2001:db8:1::5', true],
  ['IpAddress', '2001:db8::/32', '2001:db9::5', false],
  ['IpAddress', '0.0.0.0/0', '2001:db8::1', false],
  ['IpAddress', '::/0', '10.0.0.1', false],
  ['IpAddress', '0.0.0.0/0', 'unknown', false],
  ['NotIpAddress', '10.0.0.0/8', '11.0.0.1', true],
  ['NotIpAddress', '10.0.0.0/8', '10.0.0.1', false],
  ['NotIpAddress', '10.0.0.0/8', undefined, true],
  ['Null', 'true', undefined, true],
  ['Null', 'true', 'x', false],
  ['Null', 'false', 'x', true],
  ['StringEqualsIfExists', 'a', undefined, true],
  ['StringEqualsIfExists', 'a', 'b', false],
  ['BoolIfExists', 'true', undefined, true],
  ['IpAddressIfExists', '10.0.0.0/8', '11.0.0.1', false],
])('%s %j, with %j: %s', (operator, wanted, actual, expected) => {
  const context = actual === undefined ? {} : { 'aws:key': actual }
  expect(holds({ [operator]: { 'aws:Key': wanted } }, context)).toBe(expected)
})

test.each<[string, string[], string[] | undefined, boolean]>([
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
  ['ForAllValues:StringEquals', ['a'], undefined, true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c'], false],
  ['ForAnyValue:StringEquals', ['a'], undefined, false],
  ['ForAnyValue:StringEquals', ['a'], [], false],
  ['ForAllValues:StringNotEquals', ['a'], ['b', 'c'], true],
  ['ForAllValues:StringNotEquals', ['a'], ['b', 'a'], false],
  ['ForAnyValue:StringNotLike', ['a*'], ['ab', 'b'], true],
  ['ForAnyValue:StringEqualsIfExists', ['a'], undefined, true],
])('%s %j, with %j: %s', (operator, wanted, actual, expected) => {
  expect(holds({ [operator]: { 'aws:TagKeys': wanted } }, actual ? { 'aws:tagkeys': actual } : {})).toBe(
    expected,
  )
})

test('all operators and all keys must hold', () => {
  const condition: Condition = {
    StringEquals: { 's3:prefix': ['', 'home/'], 's3:delimiter': '/' },
    Bool: { 'aws:SecureTransport': false },
    NumericLessThanEquals: { 's3:max-keys': 10 },
  }
  const met = { 's3:prefix': '', 's3:delimiter': '/', 'aws:securetransport': 'false', 's3:max-keys': '10' }
  expect(holds(condition, met)).toBe(true)
  for (const key of Object.keys(met)) expect(holds(condition, { ...met, [key]: '11' })).toBe(false)
})

test('variables count in string and ARN values', () => {
  const variables = (name: string) => (name === 'aws:username' ? 'a*' : undefined)
  const check = (condition: Condition, prefix: string) =>
    conditionHolds(condition, { context: { 's3:prefix': prefix }, variables })
  expect(check({ StringLike: { 's3:prefix': `home/\${aws:username}/*` } }, 'home/a*/x')).toBe(true)
  // A wildcard inside a value is text: no one widens a policy by choosing a name.
  expect(check({ StringLike: { 's3:prefix': `home/\${aws:username}/*` } }, 'home/abc/x')).toBe(false)
  expect(check({ StringEquals: { 's3:prefix': `\${aws:userid}` } }, '')).toBe(false)
  expect(check({ ArnLike: { 's3:prefix': `arn:aws:x:::\${aws:username}` } }, 'arn:aws:x:::a*')).toBe(true)
})

test.each<[unknown, string]>([
  [{ StringEqualz: { 'aws:x': 'a' } }, 'Invalid Condition type : StringEqualz'],
  [{ stringequals: { 'aws:x': 'a' } }, 'Invalid Condition type : stringequals'],
  [{ 'ForSomeValues:StringEquals': { 'aws:x': 'a' } }, 'Invalid Condition type'],
  [{ NullIfExists: { 'aws:x': 'true' } }, 'Invalid Condition type'],
  [{ constructor: { 'aws:x': 'true' } }, 'Invalid Condition type'],
  [{ StringEquals: { prefix: 'a' } }, 'must be prefaced by a vendor'],
  [{ StringEquals: 'a' }, 'Syntax errors in policy.'],
  [{ StringEquals: { 'aws:x': { a: 1 } } }, 'Syntax errors in policy.'],
  [{ StringEquals: { 'aws:x': [null] } }, 'Syntax errors in policy.'],
  ['StringEquals', 'Syntax errors in policy.'],
  [{ IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } }, 'Value 10.0.0.0/33 of aws:SourceIp is not valid'],
  [{ IpAddress: { 'aws:SourceIp': 'anywhere' } }, 'is not valid'],
  [{ NumericLessThan: { 's3:max-keys': 'ten' } }, 'is not valid'],
  [{ DateLessThan: { 'aws:CurrentTime': 'tomorrow' } }, 'is not valid'],
  [{ Bool: { 'aws:SecureTransport': 'yes' } }, 'is not valid'],
])('%j is refused when it is stored', (condition, problem) => {
  expect(conditionProblem(condition)).toContain(problem)
})

test('an operator that is not known throws rather than holds', () => {
  expect(() => conditionHolds({ StringEqualz: { 'aws:x': 'a' } }, { context: {} })).toThrow('StringEqualz')
})
