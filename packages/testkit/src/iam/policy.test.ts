import { expect, test } from 'vitest'
import { type PolicyKind, parsePolicy, requirePolicy } from './policy.ts'

const allow = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/*' }
const everyone = { ...allow, Principal: '*' }
const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '111122223333' } }

const problemOf = (statement: unknown, kind: PolicyKind = 'identity') =>
  parsePolicy({ Version: '2012-10-17', Statement: statement }, kind).problem

test('policies that AWS takes are taken, as text and as objects', () => {
  expect(problemOf(allow)).toBeUndefined()
  expect(problemOf([allow, { ...allow, Effect: 'Deny' }], 'session')).toBeUndefined()
  expect(problemOf(everyone, 'resource')).toBeUndefined()
  expect(problemOf(trust, 'trust')).toBeUndefined()
  expect(problemOf({ ...trust, Action: ['sts:AssumeRole', 'sts:TagSession'] }, 'trust')).toBeUndefined()
  expect(problemOf({ Effect: 'Allow', NotAction: 'iam:*', NotResource: '*' })).toBeUndefined()
  for (const AWS of [
    '*',
    'arn:aws:iam::111122223333:root',
    'arn:aws:iam::111122223333:user/team/ana',
    ['arn:aws:iam::111122223333:role/r', 'arn:aws:sts::111122223333:assumed-role/r/s'],
  ]) {
    expect(problemOf({ ...trust, Principal: { AWS } }, 'trust')).toBeUndefined()
  }
  expect(parsePolicy(JSON.stringify({ Statement: allow }), 'identity').policy).toEqual({ Statement: allow })
})

test('a stored policy does not change with the object that it came from', () => {
  const source = { Statement: { ...allow } }
  const { policy } = parsePolicy(source, 'identity')
  source.Statement.Action = 's3:*'
  expect(policy).toEqual({ Statement: allow })
})

test.each<[string, unknown, PolicyKind, string]>([
  ['no effect', { ...allow, Effect: undefined }, 'identity', 'Missing required field Effect'],
  ['a wrong effect', { ...allow, Effect: 'allow' }, 'identity', 'Invalid effect: allow'],
  ['an unknown field', { ...allow, Actions: 'x' }, 'identity', 'Unknown field Actions'],
  ['no action', { ...allow, Action: undefined }, 'identity', 'Policy statement must contain actions.'],
  ['both actions', { ...allow, NotAction: 's3:*' }, 'identity', 'Policy statement must contain actions.'],
  ['an action without a vendor', { ...allow, Action: 'GetObject' }, 'identity', 'prefaced by a vendor'],
  [
    'such an action in a bucket policy',
    { ...everyone, Action: 'Get' },
    'resource',
    'Policy has invalid action',
  ],
  ['no resource', { ...allow, Resource: undefined }, 'identity', 'Policy statement must contain resources.'],
  ['an empty list', { ...allow, Resource: [] }, 'identity', 'Policy statement must contain resources.'],
  [
    'a bucket name',
    { ...allow, Resource: 'lake' },
    'identity',
    'Resource lake must be in ARN format or "*".',
  ],
  ['a number', { ...allow, Resource: 1 }, 'identity', 'Syntax errors in policy.'],
  ['a principal', everyone, 'identity', 'Policy document should not specify a principal.'],
  ['a principal', everyone, 'session', 'Policy document should not specify a principal.'],
  ['no principal', allow, 'resource', 'Missing required field Principal'],
  [
    'a principal with a wildcard',
    { ...everyone, Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } },
    'resource',
    'Invalid principal in policy',
  ],
  ['a principal by name', { ...everyone, Principal: 'ana' }, 'resource', 'Invalid principal in policy'],
  [
    'an unknown type of principal',
    { ...everyone, Principal: { Everyone: '*' } },
    'resource',
    'Invalid principal',
  ],
  ['no principal in it', { ...everyone, Principal: {} }, 'resource', 'Invalid principal in policy'],
  ['a resource in a trust policy', { ...trust, Resource: '*' }, 'trust', 'Has prohibited field Resource'],
  [
    'another action there',
    { ...trust, Action: 's3:*' },
    'trust',
    'AssumeRole policy may only specify STS AssumeRole actions.',
  ],
  [
    'an unknown operator',
    { ...allow, Condition: { Is: { 'aws:x': '1' } } },
    'identity',
    'Invalid Condition type : Is',
  ],
  [
    'two equal ids',
    [
      { ...allow, Sid: 'a' },
      { ...allow, Sid: 'a' },
    ],
    'identity',
    'Statement IDs (SID) in a single policy must be unique.',
  ],
  ['no statement', undefined, 'identity', 'Missing required field Statement'],
  ['an empty list of statements', [], 'identity', 'Statement is empty'],
  ['a text as statement', ['x'], 'identity', 'Syntax errors in policy.'],
])('refuses %s', (_name, statement, kind, problem) => {
  const cleaned: unknown = JSON.parse(JSON.stringify({ Statement: statement }))
  expect(parsePolicy(cleaned, kind).problem).toContain(problem)
})

test('refuses what is no policy at all', () => {
  expect(parsePolicy('{', 'identity').problem).toBe('Syntax errors in policy.')
  expect(parsePolicy('x', 'resource').problem).toBe(
    "Policies must be valid JSON and the first byte must be '{'",
  )
  expect(parsePolicy('[]', 'identity').problem).toBe('Syntax errors in policy.')
  expect(parsePolicy({ Version: '2025-01-01', Statement: allow }, 'identity').problem).toContain(
    'valid version string',
  )
})

test('a bucket policy speaks of its bucket alone', () => {
  const problem = (Resource: string) =>
    parsePolicy({ Statement: { ...everyone, Resource } }, 'resource', { bucket: 'lake' }).problem
  for (const name of ['lake', 'lake/*', 'lake/a', 'lake*'])
    expect(problem(`arn:aws:s3:::${name}`)).toBeUndefined()
  for (const name of ['lakes', 'other/*', '*', 'lake-2/*']) {
    expect(problem(`arn:aws:s3:::${name}`)).toBe('Policy has invalid resource')
  }
})

test('requirePolicy throws with the name that AWS gives the error', () => {
  expect(() => requirePolicy({ Statement: [] }, 'identity')).toThrowError(
    expect.objectContaining({ name: 'MalformedPolicyDocument' }),
  )
})
