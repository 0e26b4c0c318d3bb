import type { PolicyDocument } from '../types.ts'
import { conditionProblem } from './conditions.ts'

/**
 * Where a policy is attached: `identity` and `session` policies name no principal, `resource` policies (buckets) and
 * `trust` policies (roles) must, and a trust policy names no resource.
 */
export type PolicyKind = 'identity' | 'session' | 'resource' | 'trust'

export type ParsedPolicy = { policy: PolicyDocument; problem?: never } | { policy?: never; problem: string }

const syntax = 'Syntax errors in policy.'
const fields = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'Condition',
])

/**
 * Checks a policy as AWS does before it stores one: JSON text or a parsed document. `problem` is the text of a
 * MalformedPolicyDocument error (S3 calls it MalformedPolicy). With `bucket`, resources must lie in that bucket.
 */
export function parsePolicy(
  input: unknown,
  kind: PolicyKind,
  { bucket }: { bucket?: string } = {},
): ParsedPolicy {
  let document: unknown = input
  if (typeof input === 'string') {
    try {
      document = JSON.parse(input)
    } catch {
      return {
        problem: kind === 'resource' ? "Policies must be valid JSON and the first byte must be '{'" : syntax,
      }
    }
  }
  const problem = documentProblem(document, kind, bucket)
  // documentProblem has looked at every field, so the document has the declared shape.
  return problem === undefined ? { policy: structuredClone(document) as PolicyDocument } : { problem }
}

/** Like `parsePolicy`; throws an Error whose name is `MalformedPolicyDocument`. */
export function requirePolicy(input: unknown, kind: PolicyKind): PolicyDocument {
  const parsed = parsePolicy(input, kind)
  if (parsed.policy) return parsed.policy
  throw Object.assign(new Error(parsed.problem), { name: 'MalformedPolicyDocument' })
}

function documentProblem(
  document: unknown,
  kind: PolicyKind,
  bucket: string | undefined,
): string | undefined {
  if (!isRecord(document)) return syntax
  const { Version: version, Id: id, Statement: statement, ...rest } = document
  const unknownField = Object.keys(rest)[0]
  if (unknownField !== undefined) return `Unknown field ${unknownField}`
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') {
    return 'The policy must contain a valid version string'
  }
  if (id !== undefined && typeof id !== 'string') return syntax
  if (statement === undefined) return 'Missing required field Statement'
  const statements: unknown[] = Array.isArray(statement) ? statement : [statement]
  if (statements.length === 0) return 'Could not parse the policy: Statement is empty!'
  const ids = new Set<string>()
  for (const entry of statements) {
    if (!isRecord(entry)) return syntax
    const problem = statementProblem(entry, kind, bucket)
    if (problem !== undefined) return problem
    const sid = entry.Sid
    if (typeof sid !== 'string' || sid === '') continue
    if (ids.has(sid)) return 'Statement IDs (SID) in a single policy must be unique.'
    ids.add(sid)
  }
  return undefined
}

function statementProblem(
  statement: Record<string, unknown>,
  kind: PolicyKind,
  bucket: string | undefined,
): string | undefined {
  const unknownField = Object.keys(statement).find((name) => !fields.has(name))
  if (unknownField !== undefined) return `Unknown field ${unknownField}`
  if (statement.Sid !== undefined && typeof statement.Sid !== 'string') return syntax
  if (statement.Effect === undefined) return 'Missing required field Effect'
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') {
    return `Invalid effect: ${String(statement.Effect)}`
  }
  return (
    actionProblem(statement, kind) ??
    resourceProblem(statement, kind, bucket) ??
    principalProblem(statement.Principal, kind) ??
    (statement.Condition === undefined ? undefined : conditionProblem(statement.Condition))
  )
}

function actionProblem(
  { Action: action, NotAction: notAction }: Record<string, unknown>,
  kind: PolicyKind,
): string | undefined {
  if ((action === undefined) === (notAction === undefined)) return 'Policy statement must contain actions.'
  const actions = textsOf(action ?? notAction)
  if (!actions) return syntax
  if (actions.length === 0) return 'Policy statement must contain actions.'
  for (const name of actions) {
    if (name !== '*' && !/^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(name)) {
      return kind === 'resource'
        ? 'Policy has invalid action'
        : 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'
    }
    if (kind === 'trust' && !/^(sts:|\*$)/i.test(name))
      return 'AssumeRole policy may only specify STS AssumeRole actions.'
  }
  return undefined
}

function resourceProblem(
  { Resource: resource, NotResource: notResource }: Record<string, unknown>,
  kind: PolicyKind,
  bucket: string | undefined,
): string | undefined {
  if (kind === 'trust') {
    return resource === undefined && notResource === undefined ? undefined : 'Has prohibited field Resource'
  }
  if ((resource === undefined) === (notResource === undefined))
    return 'Policy statement must contain resources.'
  const resources = textsOf(resource ?? notResource)
  if (!resources) return syntax
  if (resources.length === 0) return 'Policy statement must contain resources.'
  for (const name of resources) {
    if (name !== '*' && !/^arn:[^:]*:[^:]*:[^:]*:[^:]*:.+$/.test(name)) {
      return `Resource ${name} must be in ARN format or "*".`
    }
    if (bucket !== undefined && !liesInBucket(name, bucket)) return 'Policy has invalid resource'
  }
  return undefined
}

function liesInBucket(resource: string, bucket: string): boolean {
  const arn = `arn:aws:s3:::${bucket}`
  return resource === arn || resource === `${arn}*` || resource.startsWith(`${arn}/`)
}

function principalProblem(principal: unknown, kind: PolicyKind): string | undefined {
  if (kind === 'identity' || kind === 'session') {
    return principal === undefined ? undefined : 'Policy document should not specify a principal.'
  }
  if (principal === undefined) return 'Missing required field Principal'
  if (principal === '*') return undefined
  if (!isRecord(principal) || Object.keys(principal).length === 0) return 'Invalid principal in policy'
  for (const [type, value] of Object.entries(principal)) {
    const names = textsOf(value)
    if (!names || names.length === 0) return 'Invalid principal in policy'
    if (type === 'Service') continue
    if (type !== 'AWS' || !names.every(isPrincipalName)) return 'Invalid principal in policy'
  }
  return undefined
}

/** Account id, or the ARN of an account's root, a user, a role or a session; `*` only alone, as in AWS. */
function isPrincipalName(name: string): boolean {
  return (
    name === '*' ||
    /^\d{12}$/.test(name) ||
    /^arn:aws:iam::\d{12}:(root|(user|role)\/[^*?]+)$/.test(name) ||
    /^arn:aws:sts::\d{12}:assumed-role\/[^*?/]+\/[^*?/]+$/.test(name)
  )
}

function textsOf(value: unknown): string[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.every((entry) => typeof entry === 'string') ? list : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
