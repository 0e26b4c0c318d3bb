import { authorize } from '../iam/authorize.ts'
import type { Identities } from '../iam/identities.ts'
import { parsePolicy } from '../iam/policy.ts'
import type { Clock, Credential, PolicyDocument, Reply } from '../types.ts'
import { validationProblem } from './validate.ts'
import { type Elements, stsError, stsResult } from './xml.ts'

export { stsError } from './xml.ts'

export interface StsRequest {
  identities: Identities
  /** Owner of the verified signature; undefined for a request without one. */
  credential: Credential | undefined
  /** Form fields of the body. */
  params: URLSearchParams
  /** Condition keys in lower case: `aws:sourceip` ... */
  context: Record<string, string | undefined>
  clock: Clock
  requestId: string
  /** Called with each IAM action that was evaluated, for the request log. */
  record?: (evaluated: { action: string; resource: string; allowed: boolean }) => void
}

interface Call extends StsRequest {
  credential: Credential
}

const apiVersion = '2011-06-15'

/** Session names and external ids, from the STS API reference (AssumeRole). */
const assumeRoleLimits = {
  RoleArn: { required: true, minLength: 20, maxLength: 2048 },
  RoleSessionName: { required: true, minLength: 2, maxLength: 64, pattern: '[\\w+=,.@-]*' },
  DurationSeconds: { minimum: 900, maximum: 43_200 },
  ExternalId: { minLength: 2, maxLength: 1224, pattern: '[\\w+=,.@:\\/-]*' },
  Policy: { minLength: 1, maxLength: 2048 },
}

const operations: Record<string, { handle: (call: Call) => Reply; params: readonly string[] }> = {
  AssumeRole: { handle: assumeRole, params: Object.keys(assumeRoleLimits) },
  GetCallerIdentity: { handle: getCallerIdentity, params: [] },
  GetSessionToken: { handle: getSessionToken, params: ['DurationSeconds'] },
}

/** Answers one request of the STS query API whose signature was verified before. */
export function handleSts(request: StsRequest): Reply {
  const { params, credential, clock, requestId } = request
  const name = params.get('Action') ?? ''
  const version = params.get('Version')
  const operation = version === apiVersion && Object.hasOwn(operations, name) ? operations[name] : undefined
  if (!operation) {
    const text = `Could not find operation ${name} for version ${version ?? 'NO_VERSION_SPECIFIED'}`
    return stsError('InvalidAction', text, 400, requestId)
  }
  if (!credential) {
    return stsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403, requestId)
  }
  if (credential.expiresAt !== undefined && credential.expiresAt <= clock()) {
    return stsError('ExpiredToken', 'The security token included in the request is expired', 403, requestId)
  }
  // A parameter that is dropped in silence (tags, MFA) could open a session that AWS would refuse.
  const known = new Set(['Action', 'Version', ...operation.params])
  const unknown = [...params.keys()].find((key) => !known.has(key))
  if (unknown !== undefined) {
    return stsError(
      'ValidationError',
      `The embedded AWS does not support ${unknown} in ${name}`,
      400,
      requestId,
    )
  }
  return operation.handle({ ...request, credential })
}

function assumeRole(call: Call): Reply {
  const { params, requestId, identities, credential, context, clock } = call
  const invalid = (message: string) => stsError('ValidationError', message, 400, requestId)
  const problem = validationProblem(params, assumeRoleLimits)
  if (problem !== undefined) return invalid(problem)
  const arn = params.get('RoleArn') ?? ''
  if (!/^arn:aws:iam::\d{12}:role\/.+$/.test(arn)) return invalid('Request ARN is invalid')
  const sessionPolicy = parseSessionPolicy(params.get('Policy'))
  if (sessionPolicy?.problem !== undefined) {
    return stsError('MalformedPolicyDocument', sessionPolicy.problem, 400, requestId)
  }
  if (credential.principal.type === 'root') {
    return stsError('AccessDenied', 'Roles may not be assumed by root accounts.', 403, requestId)
  }

  const role = identities.findRole(arn)
  const sessionName = params.get('RoleSessionName') ?? ''
  const decision = role && {
    ...authorize({
      principal: credential.principal,
      action: 'sts:AssumeRole',
      resource: arn,
      context: {
        ...context,
        'sts:externalid': params.get('ExternalId') ?? undefined,
        'sts:rolesessionname': sessionName,
      },
      resourcePolicy: role.trustPolicy,
      resourcePolicyKind: 'trust',
      resourceAccount: role.account,
    }),
  }
  call.record?.({ action: 'sts:AssumeRole', resource: arn, allowed: decision?.allowed === true })
  if (!role || !decision?.allowed) {
    // A role that is not there reads as one that is not allowed: STS does not tell which roles exist.
    const explicit = decision?.denial?.explicit && decision.denial.policy === 'identity'
    const text = `User: ${credential.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`
    const reason = explicit ? ' with an explicit deny in an identity-based policy' : ''
    return stsError('AccessDenied', text + reason, 403, requestId)
  }

  const durationSeconds = Number(params.get('DurationSeconds') ?? 3600)
  if (durationSeconds > role.maxSessionDuration) {
    return invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
  }
  if (credential.principal.type === 'assumed-role' && durationSeconds > 3600) {
    return invalid(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    )
  }
  const session = identities.openSession({
    role,
    sessionName,
    durationSeconds,
    ...(sessionPolicy && { sessionPolicy: sessionPolicy.policy }),
  })
  const packed = params.get('Policy')
  const result: Elements = {
    AssumedRoleUser: { AssumedRoleId: session.principal.userId, Arn: session.principal.arn },
    Credentials: credentialElements(session, clock),
    PackedPolicySize: packed === null ? undefined : Math.ceil((packed.length / 2048) * 100),
  }
  return stsResult('AssumeRole', result, requestId)
}

function parseSessionPolicy(
  text: string | null,
): { policy: PolicyDocument; problem?: never } | { problem: string } | undefined {
  return text === null ? undefined : parsePolicy(text, 'session')
}

/** Needs no permission: AWS answers even where a policy denies it. */
function getCallerIdentity({ credential, requestId }: Call): Reply {
  const { userId, account, arn } = credential.principal
  return stsResult('GetCallerIdentity', { Arn: arn, UserId: userId, Account: account }, requestId)
}

function getSessionToken({ params, credential, identities, clock, requestId }: Call): Reply {
  const problem = validationProblem(params, { DurationSeconds: { minimum: 900, maximum: 129_600 } })
  if (problem !== undefined) return stsError('ValidationError', problem, 400, requestId)
  if (credential.sessionToken !== undefined) {
    return stsError('AccessDenied', 'Cannot call GetSessionToken with session credentials', 403, requestId)
  }
  const asked = Number(params.get('DurationSeconds') ?? 43_200)
  // Sessions of a root user are cut to one hour by AWS.
  const durationSeconds = credential.principal.type === 'root' ? Math.min(asked, 3600) : asked
  const session = identities.openUserSession({ accessKeyId: credential.accessKeyId, durationSeconds })
  return stsResult('GetSessionToken', { Credentials: credentialElements(session, clock) }, requestId)
}

function credentialElements(session: Credential, clock: Clock): Elements {
  return {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: `${new Date(session.expiresAt ?? clock()).toISOString().slice(0, 19)}Z`,
  }
}
