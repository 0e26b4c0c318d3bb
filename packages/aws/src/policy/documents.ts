/** One statement of an IAM policy. */
export interface PolicyStatement {
  readonly Sid: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource?: string | readonly string[]
  readonly Principal?: '*' | { readonly AWS: string | readonly string[] }
  readonly Condition?: PolicyCondition
}

export type PolicyCondition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>

/** An IAM policy, as JSON ready to paste. */
export interface PolicyDocument {
  readonly Version: '2012-10-17'
  readonly Statement: readonly PolicyStatement[]
}

export const policyDocument = (statements: readonly PolicyStatement[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements,
})

/** Conditions of one statement together: all of them have to hold. */
export const withCondition = (statement: PolicyStatement, condition: PolicyCondition): PolicyStatement => {
  const merged = { ...statement.Condition }
  for (const [operator, keys] of Object.entries(condition))
    merged[operator] = { ...merged[operator], ...keys }
  return Object.keys(merged).length === 0 ? statement : { ...statement, Condition: merged }
}
