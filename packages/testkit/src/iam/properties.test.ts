import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PolicyStatement, Principal } from '../types.ts'
import { authorize } from './authorize.ts'
import { conditionHolds } from './conditions.ts'

const actions = ['s3:GetObject', 's3:PutObject', 's3:ListBucket'] as const
const resources = ['arn:aws:s3:::a/1', 'arn:aws:s3:::a/2', 'arn:aws:s3:::b/1'] as const

const conditionArbitrary = fc.option(
  fc.constantFrom<NonNullable<PolicyStatement['Condition']>>(
    { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    { StringLike: { 's3:prefix': 'home/*' } },
    { Null: { 's3:prefix': 'true' } },
  ),
  { nil: undefined },
)

const statementArbitrary: fc.Arbitrary<PolicyStatement> = fc
  .record({
    Effect: fc.constantFrom<'Allow' | 'Deny'>('Allow', 'Allow', 'Deny'),
    Action: fc.constantFrom('*', 's3:*', 's3:Get*', ...actions),
    Resource: fc.constantFrom('*', 'arn:aws:s3:::a/*', 'arn:aws:s3:::?/1', ...resources),
    Condition: conditionArbitrary,
  })
  .map(({ Condition, ...rest }) => ({ ...rest, ...(Condition && { Condition }) }))

const requestArbitrary = fc.record({
  action: fc.constantFrom(...actions),
  resource: fc.constantFrom(...resources),
  context: fc.record({
    'aws:sourceip': fc.constantFrom('10.1.2.3', '203.0.113.7', '2001:db8::1'),
    's3:prefix': fc.constantFrom(undefined, 'home/x', 'other'),
  }),
})

type Request = typeof requestArbitrary extends fc.Arbitrary<infer Value> ? Value : never

function allows(statements: PolicyStatement[], request: Request, session?: PolicyStatement[]): boolean {
  const principal: Principal = {
    type: 'assumed-role',
    account: '111122223333',
    arn: 'arn:aws:sts::111122223333:assumed-role/r/s',
    userId: 'AROA:s',
    policies: [{ Version: '2012-10-17', Statement: statements }],
    ...(session && { sessionPolicies: [{ Version: '2012-10-17', Statement: session }] }),
  }
  return authorize({ principal, ...request }).allowed
}

const statements = fc.array(statementArbitrary, { maxLength: 4 })

test('a Deny never grants, and an Allow never takes away', () => {
  fc.assert(
    fc.property(statements, statementArbitrary, requestArbitrary, (list, extra, request) => {
      const before = allows(list, request)
      const after = allows([...list, extra], request)
      if (extra.Effect === 'Deny') expect(after && !before).toBe(false)
      else expect(before && !after).toBe(false)
    }),
  )
})

test('the order of statements, and how they are spread over policies, does not matter', () => {
  fc.assert(
    fc.property(statements, statements, requestArbitrary, (left, right, request) => {
      expect(allows([...left, ...right], request)).toBe(allows([...right, ...left], request))
    }),
  )
})

test('with a session policy, exactly what both policies allow is allowed', () => {
  fc.assert(
    fc.property(statements, statements, requestArbitrary, (role, session, request) => {
      expect(allows(role, request, session)).toBe(allows(role, request) && allows(session, request))
    }),
  )
})

test('what no statement matches is denied', () => {
  fc.assert(
    fc.property(statements, (list) => {
      const request = { action: 's3:GetObject', resource: 'arn:aws:s3:::a/1', context: {} } as const
      const others = list
        .filter(({ Resource }) => Resource !== '*')
        .map((one) => ({ ...one, Action: 's3:Put*' }))
      expect(
        authorize({ principal: { ...emptyUser, policies: [{ Statement: others }] }, ...request }).allowed,
      ).toBe(false)
    }),
  )
})

const emptyUser: Principal = {
  type: 'user',
  account: '111122223333',
  arn: 'arn:aws:iam::111122223333:user/ana',
  userId: 'AIDA',
  policies: [],
}

const value = fc.constantFrom('a', 'b', 'ab', 'a*', 'A', '')
const wanted = fc.array(value, { minLength: 1, maxLength: 3 })

const holds = (operator: string, values: string[], actual: string | string[] | undefined) =>
  conditionHolds({ [operator]: { 'aws:key': values } }, { context: { 'aws:key': actual } })

test.each(['StringEquals', 'StringLike', 'StringEqualsIgnoreCase', 'NumericEquals', 'DateEquals', 'ArnLike'])(
  'the negated operator of %s is its complement, with and without the key',
  (operator) => {
    const negated = operator.replace(/(Equals|Like)/, 'Not$1')
    fc.assert(
      fc.property(wanted, fc.option(value, { nil: undefined }), (values, actual) => {
        expect(holds(negated, values, actual)).toBe(!holds(operator, values, actual))
      }),
    )
  },
)

test('IfExists differs from the plain operator only when the key is missing', () => {
  fc.assert(
    fc.property(wanted, fc.option(value, { nil: undefined }), (values, actual) => {
      expect(holds('StringLikeIfExists', values, actual)).toBe(
        actual === undefined || holds('StringLike', values, actual),
      )
    }),
  )
})

test('ForAllValues and ForAnyValue of the opposite operator exclude each other', () => {
  fc.assert(
    fc.property(wanted, fc.array(value, { maxLength: 4 }), (values, actual) => {
      expect(holds('ForAnyValue:StringEquals', values, actual)).toBe(
        !holds('ForAllValues:StringNotEquals', values, actual),
      )
    }),
  )
})

test('numbers compare as numbers', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (policy, actual) => {
      const check = (operator: string) => holds(operator, [String(policy)], String(actual))
      expect(check('NumericLessThan')).toBe(actual < policy)
      expect(check('NumericLessThanEquals')).toBe(actual <= policy)
      expect(check('NumericGreaterThan')).toBe(actual > policy)
      expect(check('NumericGreaterThanEquals')).toBe(actual >= policy)
      expect(check('NumericEquals')).toBe(actual === policy)
    }),
  )
})
