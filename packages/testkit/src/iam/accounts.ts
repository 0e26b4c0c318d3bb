import type { Clock, Credential, PolicyDocument, Principal } from '../types.ts'

/** A role as the store keeps it; `findRole` gives a copy with the policies of the moment. */
export interface Role {
  readonly name: string
  readonly account: string
  readonly arn: string
  /** `AROA...` */
  readonly roleId: string
  /** Seconds. */
  readonly maxSessionDuration: number
  readonly trustPolicy: PolicyDocument
  readonly policies: readonly PolicyDocument[]
}

export interface NewUser {
  name: string
  policies?: PolicyDocument[]
  account?: string
  /** Generated when absent; together with `secretAccessKey`. */
  accessKeyId?: string
  secretAccessKey?: string
}

export interface NewRole {
  name: string
  trustPolicy: PolicyDocument
  policies?: PolicyDocument[]
  /** Seconds, 3600 (the default) to 43200. */
  maxSessionDuration?: number
  account?: string
}

export interface AccessKey {
  accessKeyId: string
  secretAccessKey: string
}

export interface User extends AccessKey {
  arn: string
}

export interface NewSession {
  /** A role, or its ARN. */
  role: string | Pick<Role, 'arn'>
  sessionName: string
  durationSeconds: number
  /** Limits what the role's policies grant. */
  sessionPolicy?: PolicyDocument
}

/** Users, roles, access keys and sessions of any number of accounts. Names without an account belong to the default one. */
export interface Identities {
  readonly account: string
  readonly root: Credential
  /** Credentials of another account's root user, made at the first call. */
  rootOf(account: string): Credential
  /** Throws an Error named EntityAlreadyExists or MalformedPolicyDocument. */
  createUser(user: NewUser): User
  createRole(role: NewRole): { arn: string }
  deleteUser(user: string): void
  deleteRole(role: string): void
  /** Users and roles are addressed by name (default account) or ARN. A policy of the same name is replaced. */
  putUserPolicy(user: string, policy: PolicyDocument, name?: string): void
  deleteUserPolicy(user: string, name?: string): void
  putRolePolicy(role: string, policy: PolicyDocument, name?: string): void
  deleteRolePolicy(role: string, name?: string): void
  setTrustPolicy(role: string, policy: PolicyDocument): void
  createAccessKey(user: string): AccessKey
  /** Adds a key and revokes all former ones. */
  rotateAccessKeys(user: string): AccessKey
  /** Keys of users, and of sessions, stop working at once: InvalidAccessKeyId. */
  revokeAccessKey(accessKeyId: string): void
  findCredential(accessKeyId: string): Credential | undefined
  findRole(arn: string): Role | undefined
  openSession(session: NewSession): Credential
  /** Temporary credentials of a user itself (GetSessionToken). */
  openUserSession(user: { accessKeyId: string; durationSeconds: number }): Credential
  /** Lets sessions expire now: all, those of a role (name or ARN), or one by its access key id. Returns how many. */
  expireSessions(only?: { role?: string; accessKeyId?: string }): number
  users(): { name: string; account: string; arn: string; accessKeyIds: string[] }[]
  roles(): { name: string; account: string; arn: string }[]
}

export interface IdentitiesOptions {
  /** Default account, 12 digits. */
  account?: string
  clock?: Clock
  rootAccessKeyId?: string
  rootSecretAccessKey?: string
}

/** The caller of a request without a signature. */
export const anonymous: Principal = Object.freeze({
  type: 'anonymous',
  account: '',
  arn: '',
  userId: 'anonymous',
  policies: [],
})
