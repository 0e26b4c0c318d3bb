import type {
  AuthorizationQuery,
  Decision,
  Denial,
  PolicyDocument,
  PolicyStatement,
  Principal,
} from '../types.ts'
import { conditionHolds } from './conditions.ts'
import { matchesText, type Variables } from './pattern.ts'

interface Scope {
  action: string
  resource: string
  context: Record<string, string | readonly string[] | undefined>
  variables: Variables
}

/**
 * How a resource policy names the caller. `account` only hands the decision to the caller's own account; `session`
 * (the ARN of one role session) also goes past a session policy that says nothing.
 */
type Naming = 'session' | 'direct' | 'account'

/**
 * Decides one request as IAM does ("Policy evaluation logic", IAM user guide): an explicit Deny anywhere wins; in one
 * account an Allow of the identity or of the resource is enough; across accounts both have to allow; a trust policy
 * always has to; session policies limit. Pure.
 */
export function authorize(query: AuthorizationQuery): Decision {
  const { principal } = query
  const scope = scopeOf(query)
  const kind = query.resourcePolicyKind ?? 'resource'
  const identity = evaluate(principal.policies, scope)
  const session = principal.sessionPolicies && evaluate(principal.sessionPolicies, scope)
  const resource = evaluateResource(query.resourcePolicy, principal, scope)

  if (identity === 'deny') return deny(query, { policy: 'identity', explicit: true })
  if (session === 'deny') return deny(query, { policy: 'session', explicit: true })
  if (resource === 'deny') return deny(query, { policy: kind, explicit: true })

  const silent = (policy: Denial['policy']) => deny(query, { policy, explicit: false })
  if (principal.type === 'anonymous') return resource ? allow : silent(kind)

  const sameAccount = (query.resourceAccount ?? principal.account) === principal.account
  if (sameAccount && resource === 'session') return allow
  if (kind === 'trust' && !resource) return silent('trust')
  const needsIdentity = !(sameAccount && resource === 'direct')
  if (needsIdentity && principal.type !== 'root' && identity !== 'allow') return silent('identity')
  if (session === 'none') return silent('session')
  if (!sameAccount && !resource) return silent('resource')
  return allow
}

const allow: Decision = Object.freeze({ allowed: true, message: '' })

function scopeOf({ principal, action, resource, context, resourceAccount }: AuthorizationQuery): Scope {
  const currentTime = context['aws:currenttime']
  const epoch = typeof currentTime === 'string' ? Date.parse(currentTime) / 1000 : Number.NaN
  const keys: Scope['context'] = {
    ...context,
    'aws:userid': principal.type === 'anonymous' ? 'anonymous' : principal.userId,
    'aws:principaltype': principalTypes[principal.type],
    'aws:resourceaccount': resourceAccount,
    'aws:epochtime':
      context['aws:epochtime'] ?? (Number.isNaN(epoch) ? undefined : String(Math.floor(epoch))),
    ...(principal.type !== 'anonymous' && {
      'aws:principalaccount': principal.account,
      // Of a session, AWS gives the ARN of its role here.
      'aws:principalarn': principal.roleArn ?? principal.arn,
    }),
    ...(principal.type === 'user' && { 'aws:username': principal.arn.split('/').at(-1) }),
  }
  const variables: Variables = (name) => {
    const value = keys[name]
    return typeof value === 'string' ? value : undefined
  }
  return { action, resource, context: keys, variables }
}

const principalTypes = {
  root: 'Account',
  user: 'User',
  'assumed-role': 'AssumedRole',
  anonymous: 'Anonymous',
} as const

function evaluate(policies: readonly PolicyDocument[], scope: Scope): 'allow' | 'deny' | 'none' {
  let result: 'allow' | 'none' = 'none'
  for (const policy of policies) {
    for (const statement of listOf(policy.Statement)) {
      if (!applies(statement, policy, scope)) continue
      if (statement.Effect === 'Deny') return 'deny'
      result = 'allow'
    }
  }
  return result
}

const strength: Record<Naming, number> = { account: 1, direct: 2, session: 3 }

function evaluateResource(
  policy: PolicyDocument | undefined,
  principal: Principal,
  scope: Scope,
): Naming | 'deny' | undefined {
  let best: Naming | undefined
  for (const statement of policy ? listOf(policy.Statement) : []) {
    const naming = namingOf(statement.Principal, principal)
    if (!policy || !naming || !applies(statement, policy, scope)) continue
    if (statement.Effect === 'Deny') return 'deny'
    if (!best || strength[naming] > strength[best]) best = naming
  }
  return best
}

function namingOf(named: PolicyStatement['Principal'], principal: Principal): Naming | undefined {
  if (named === undefined) return undefined
  const names = named === '*' ? ['*'] : listOf(named.AWS ?? [])
  let best: Naming | undefined
  for (const name of names) {
    const naming = matchName(name, principal)
    if (naming && (!best || strength[naming] > strength[best])) best = naming
  }
  return best
}

function matchName(name: string, principal: Principal): Naming | undefined {
  if (name === '*') return 'direct'
  if (principal.type === 'anonymous') return undefined
  if (name === principal.arn) return principal.type === 'assumed-role' ? 'session' : 'direct'
  if (name === principal.roleArn) return 'direct'
  if (name === principal.account || name === `arn:aws:iam::${principal.account}:root`) return 'account'
  return undefined
}

function applies(statement: PolicyStatement, policy: PolicyDocument, scope: Scope): boolean {
  // Policy variables came with version 2012-10-17; before, `${...}` is plain text.
  const variables = policy.Version === '2012-10-17' ? scope.variables : undefined
  return (
    actionApplies(statement, scope.action) &&
    resourceApplies(statement, scope.resource, variables) &&
    conditionHolds(statement.Condition, { context: scope.context, variables })
  )
}

function actionApplies({ Action: action, NotAction: notAction }: PolicyStatement, name: string): boolean {
  const matches = (pattern: string) => matchesText(pattern, name, { ignoreCase: true })
  if (action !== undefined) return listOf(action).some(matches)
  return notAction !== undefined && !listOf(notAction).some(matches)
}

/** Trust policies have neither element: they speak of the role that they belong to. */
function resourceApplies(
  { Resource: resource, NotResource: notResource }: PolicyStatement,
  name: string,
  variables: Variables | undefined,
): boolean {
  const matches = (pattern: string) => matchesText(pattern, name, variables ? { variables } : {})
  if (resource !== undefined) return listOf(resource).some(matches)
  return notResource === undefined || !listOf(notResource).some(matches)
}

const policyNames: Record<Denial['policy'], { silent: string; explicit: string }> = {
  identity: { silent: 'no identity-based policy', explicit: 'an identity-based policy' },
  session: { silent: 'no session policy', explicit: 'a session policy' },
  resource: { silent: 'no resource-based policy', explicit: 'a resource-based policy' },
  trust: { silent: 'no role trust policy', explicit: 'the role trust policy' },
}

function deny({ principal, action, resource }: AuthorizationQuery, denial: Denial): Decision {
  const user = principal.type === 'anonymous' ? 'anonymous' : principal.arn
  const target = action.startsWith('s3:') ? `"${resource}"` : resource
  const names = policyNames[denial.policy]
  const reason = denial.explicit
    ? `with an explicit deny in ${names.explicit}`
    : `because ${names.silent} allows the ${action} action`
  return {
    allowed: false,
    message: `User: ${user} is not authorized to perform: ${action} on resource: ${target} ${reason}`,
    denial,
  }
}

const listOf = <Value>(value: Value | Value[]): Value[] => (Array.isArray(value) ? value : [value])
