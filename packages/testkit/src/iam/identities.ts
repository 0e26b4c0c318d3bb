import type { Credential, PolicyDocument, Principal } from '../types.ts'
import type {
  AccessKey,
  Identities,
  IdentitiesOptions,
  NewRole,
  NewSession,
  NewUser,
  Role,
  User,
} from './accounts.ts'
import { secretKey, sessionToken, uniqueId } from './keys.ts'
import { requirePolicy } from './policy.ts'

export type {
  AccessKey,
  Identities,
  IdentitiesOptions,
  NewRole,
  NewUser,
  User,
} from './accounts.ts'

type Policies = Map<string, PolicyDocument>

interface StoredUser {
  name: string
  account: string
  arn: string
  userId: string
  policies: Policies
}

interface StoredRole extends Omit<Role, 'policies' | 'trustPolicy'> {
  trustPolicy: PolicyDocument
  policies: Policies
}

interface StoredKey {
  secretAccessKey: string
  sessionToken?: string
  expiresAt?: number
  /** ARN of the user, role or root that the key belongs to. */
  owner: string
  /** Made anew at each look-up, so that a changed policy counts at once, also for open sessions. */
  principal: () => Principal
}

const failure = (name: string, message: string) => Object.assign(new Error(message), { name })

/** Checks names as IAM does; the 64 characters of roles and users. */
function checkName(name: string, account: string): void {
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) throw failure('ValidationError', `The name ${name} is not valid`)
  if (!/^\d{12}$/.test(account)) throw failure('ValidationError', `The account ${account} is not 12 digits`)
}

function namedPolicies(policies: readonly PolicyDocument[] | undefined): Policies {
  return new Map(
    (policies ?? []).map((policy, index) => [`policy-${index + 1}`, requirePolicy(policy, 'identity')]),
  )
}

/** A store of identities, empty but for the default account's root user. */
export function createIdentities(options: IdentitiesOptions = {}): Identities {
  const { account = '111122223333', clock = Date.now } = options
  const users = new Map<string, StoredUser>()
  const roles = new Map<string, StoredRole>()
  const keys = new Map<string, StoredKey>()
  const roots = new Map<string, string>()

  const userArn = (user: string) => (user.startsWith('arn:') ? user : `arn:aws:iam::${account}:user/${user}`)
  const roleArn = (role: string) => (role.startsWith('arn:') ? role : `arn:aws:iam::${account}:role/${role}`)

  function requireUser(user: string): StoredUser {
    const found = users.get(userArn(user))
    if (!found) throw failure('NoSuchEntity', `The user with name ${user} cannot be found.`)
    return found
  }

  function requireRole(role: string): StoredRole {
    const found = roles.get(roleArn(role))
    if (!found) throw failure('NoSuchEntity', `The role with name ${role} cannot be found.`)
    return found
  }

  function addKey(accessKeyId: string, key: StoredKey): Credential {
    if (keys.has(accessKeyId)) throw failure('EntityAlreadyExists', `The key ${accessKeyId} exists already.`)
    keys.set(accessKeyId, key)
    return credentialOf(accessKeyId, key)
  }

  function removeKeys(owner: string): void {
    for (const [accessKeyId, key] of keys) if (key.owner === owner) keys.delete(accessKeyId)
  }

  const userPrincipal = (user: StoredUser): Principal => ({
    type: 'user',
    account: user.account,
    arn: user.arn,
    userId: user.userId,
    policies: [...user.policies.values()],
  })

  function addUserKey(user: StoredUser, accessKeyId = uniqueId('AKIA'), secret = secretKey()): AccessKey {
    addKey(accessKeyId, { secretAccessKey: secret, owner: user.arn, principal: () => userPrincipal(user) })
    return { accessKeyId, secretAccessKey: secret }
  }

  function addRoot(id: string, accessKeyId = uniqueId('AKIA'), secret = secretKey()): Credential {
    const arn = `arn:aws:iam::${id}:root`
    const principal: Principal = { type: 'root', account: id, arn, userId: id, policies: [] }
    roots.set(id, accessKeyId)
    return addKey(accessKeyId, { secretAccessKey: secret, owner: arn, principal: () => principal })
  }

  function createUser(user: NewUser): User {
    const owner = user.account ?? account
    checkName(user.name, owner)
    const arn = `arn:aws:iam::${owner}:user/${user.name}`
    if (users.has(arn)) throw failure('EntityAlreadyExists', `User with name ${user.name} already exists.`)
    const stored: StoredUser = {
      name: user.name,
      account: owner,
      arn,
      userId: uniqueId('AIDA'),
      policies: namedPolicies(user.policies),
    }
    const key = addUserKey(stored, user.accessKeyId, user.secretAccessKey)
    users.set(arn, stored)
    return { arn, ...key }
  }

  function createRole(role: NewRole): { arn: string } {
    const owner = role.account ?? account
    const { name, maxSessionDuration = 3600 } = role
    checkName(name, owner)
    if (!Number.isInteger(maxSessionDuration) || maxSessionDuration < 3600 || maxSessionDuration > 43_200) {
      throw failure('ValidationError', 'maxSessionDuration is 3600 to 43200 seconds')
    }
    const arn = `arn:aws:iam::${owner}:role/${name}`
    if (roles.has(arn)) throw failure('EntityAlreadyExists', `Role with name ${name} already exists.`)
    roles.set(arn, {
      name,
      account: owner,
      arn,
      roleId: uniqueId('AROA'),
      maxSessionDuration,
      trustPolicy: requirePolicy(role.trustPolicy, 'trust'),
      policies: namedPolicies(role.policies),
    })
    return { arn }
  }

  function openSession({ role, sessionName, durationSeconds, sessionPolicy }: NewSession): Credential {
    const stored = requireRole(typeof role === 'string' ? role : role.arn)
    const sessionPolicies = sessionPolicy && [requirePolicy(sessionPolicy, 'session')]
    return addKey(uniqueId('ASIA'), {
      secretAccessKey: secretKey(),
      sessionToken: sessionToken(),
      expiresAt: clock() + durationSeconds * 1000,
      owner: stored.arn,
      principal: () => ({
        type: 'assumed-role',
        account: stored.account,
        arn: `arn:aws:sts::${stored.account}:assumed-role/${stored.name}/${sessionName}`,
        roleArn: stored.arn,
        userId: `${stored.roleId}:${sessionName}`,
        policies: [...stored.policies.values()],
        ...(sessionPolicies && { sessionPolicies }),
      }),
    })
  }

  function openUserSession(of: { accessKeyId: string; durationSeconds: number }): Credential {
    const key = keys.get(of.accessKeyId)
    if (!key || key.sessionToken) throw failure('NoSuchEntity', `No long-term key ${of.accessKeyId}`)
    return addKey(uniqueId('ASIA'), {
      secretAccessKey: secretKey(),
      sessionToken: sessionToken(),
      expiresAt: clock() + of.durationSeconds * 1000,
      owner: key.owner,
      principal: key.principal,
    })
  }

  function expireSessions(only: { role?: string; accessKeyId?: string } = {}): number {
    const owner = only.role === undefined ? undefined : roleArn(only.role)
    let count = 0
    for (const [accessKeyId, key] of keys) {
      if (key.expiresAt === undefined || key.expiresAt < clock()) continue
      if (owner !== undefined && key.owner !== owner) continue
      if (only.accessKeyId !== undefined && only.accessKeyId !== accessKeyId) continue
      key.expiresAt = clock() - 1
      count++
    }
    return count
  }

  const root = addRoot(account, options.rootAccessKeyId, options.rootSecretAccessKey)

  return Object.freeze<Identities>({
    account,
    root,
    rootOf: (id) => {
      checkName('root', id)
      const accessKeyId = roots.get(id)
      const key = accessKeyId === undefined ? undefined : keys.get(accessKeyId)
      return accessKeyId !== undefined && key ? credentialOf(accessKeyId, key) : addRoot(id)
    },
    createUser,
    createRole,
    deleteUser: (user) => {
      const { arn } = requireUser(user)
      users.delete(arn)
      removeKeys(arn)
    },
    deleteRole: (role) => {
      const { arn } = requireRole(role)
      roles.delete(arn)
      removeKeys(arn)
    },
    putUserPolicy: (user, policy, name = 'policy-1') => {
      requireUser(user).policies.set(name, requirePolicy(policy, 'identity'))
    },
    deleteUserPolicy: (user, name = 'policy-1') => {
      requireUser(user).policies.delete(name)
    },
    putRolePolicy: (role, policy, name = 'policy-1') => {
      requireRole(role).policies.set(name, requirePolicy(policy, 'identity'))
    },
    deleteRolePolicy: (role, name = 'policy-1') => {
      requireRole(role).policies.delete(name)
    },
    setTrustPolicy: (role, policy) => {
      requireRole(role).trustPolicy = requirePolicy(policy, 'trust')
    },
    createAccessKey: (user) => addUserKey(requireUser(user)),
    rotateAccessKeys: (user) => {
      const stored = requireUser(user)
      removeKeys(stored.arn)
      return addUserKey(stored)
    },
    revokeAccessKey: (accessKeyId) => {
      if (!keys.delete(accessKeyId)) {
        throw failure('NoSuchEntity', `The Access Key with id ${accessKeyId} cannot be found.`)
      }
    },
    findCredential: (accessKeyId) => {
      const key = keys.get(accessKeyId)
      return key && credentialOf(accessKeyId, key)
    },
    findRole: (arn) => {
      const role = roles.get(arn)
      return role && { ...role, policies: [...role.policies.values()] }
    },
    openSession,
    openUserSession,
    expireSessions,
    users: () =>
      Array.from(users.values(), ({ name, account: owner, arn }) => ({
        name,
        account: owner,
        arn,
        accessKeyIds: [...keys].filter(([, key]) => key.owner === arn && !key.sessionToken).map(([id]) => id),
      })),
    roles: () =>
      Array.from(roles.values(), ({ name, account: owner, arn }) => ({ name, account: owner, arn })),
  })
}

function credentialOf(accessKeyId: string, key: StoredKey): Credential {
  return {
    accessKeyId,
    secretAccessKey: key.secretAccessKey,
    ...(key.sessionToken !== undefined && { sessionToken: key.sessionToken }),
    ...(key.expiresAt !== undefined && { expiresAt: key.expiresAt }),
    principal: key.principal(),
  }
}
