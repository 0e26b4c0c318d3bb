import type { Fault, FaultRule, FaultStatus } from '../faults/faults.ts'
import type { DirectGlue, DirectRest, NewDatabase, NewTable } from '../glue/direct.ts'
import type { AccessKey, Identities, NewRole, NewUser, User } from '../iam/identities.ts'
import type { RestSettings } from '../iceberg-rest/generic.ts'
import type { LogEntry, PolicyDocument } from '../types.ts'

/** All control requests are POSTs below this path, with `authorization: Bearer TOKEN` and a JSON body. */
export const controlPath = '/_penstock/'

export interface ControlBucket {
  name: string
  region?: string
  account?: string
  policy?: PolicyDocument
  publicRead?: boolean
  versioning?: 'Enabled' | 'Suspended'
}

export interface ControlObject {
  bucket: string
  key: string
  /** A text goes as UTF-8. */
  body: Buffer | string
  contentType?: string
  metadata?: Record<string, string>
}

type Functions = Pick<Identities, 'expireSessions' | 'users' | 'roles'>

/** A fault that can travel: without functions. */
export type RemoteFault =
  | Exclude<Fault, { kind: 'change-object' }>
  | { kind: 'change-object'; body?: Buffer | string }
export type RemoteFaultRule = Omit<FaultRule, 'fault'> & { fault: RemoteFault }

/** What another process can do with an embedded AWS. Failures reject with the name and message of the server's error. */
export interface AwsControl {
  createBucket(bucket: ControlBucket): Promise<void>
  putObject(object: ControlObject): Promise<void>
  deleteObject(object: { bucket: string; key: string }): Promise<void>
  listKeys(bucket: string, prefix?: string): Promise<string[]>
  setBucketPolicy(bucket: string, policy: PolicyDocument | undefined): Promise<void>
  /** Data Catalog of Glue and table buckets of S3 Tables, as `Aws.glue` has them. */
  createDatabase(database: NewDatabase): Promise<void>
  createTable(table: NewTable): Promise<void>
  setMetadataLocation(table: Parameters<DirectGlue['setMetadataLocation']>[0]): Promise<void>
  createTableBucket(bucket: { name: string; region?: string }): Promise<{ arn: string; catalog: string }>
  configureGlue(settings: Parameters<DirectGlue['configure']>[0]): Promise<void>
  /** The generic Iceberg REST catalog, as `Aws.rest` has it. */
  createRestNamespace(namespace: Parameters<DirectRest['createNamespace']>[0]): Promise<void>
  createRestTable(table: Parameters<DirectRest['createTable']>[0]): Promise<void>
  configureRest(settings: RestSettings): Promise<void>
  createUser(user: NewUser): Promise<User>
  deleteUser(user: string): Promise<void>
  createRole(role: NewRole): Promise<{ arn: string }>
  deleteRole(role: string): Promise<void>
  putUserPolicy(user: string, policy: PolicyDocument, name?: string): Promise<void>
  deleteUserPolicy(user: string, name?: string): Promise<void>
  putRolePolicy(role: string, policy: PolicyDocument, name?: string): Promise<void>
  deleteRolePolicy(role: string, name?: string): Promise<void>
  setTrustPolicy(role: string, policy: PolicyDocument): Promise<void>
  rotateAccessKeys(user: string): Promise<AccessKey>
  revokeAccessKey(accessKeyId: string): Promise<void>
  expireSessions(only?: { role?: string; accessKeyId?: string }): Promise<number>
  users(): Promise<ReturnType<Functions['users']>>
  roles(): Promise<ReturnType<Functions['roles']>>
  /** Resolves with the remover, as `Faults.add` gives one. */
  addFault(rule: RemoteFaultRule): Promise<() => Promise<void>>
  clearFaults(): Promise<void>
  faults(): Promise<FaultStatus[]>
  log(): Promise<LogEntry[]>
  clearLog(): Promise<void>
  /** Moves the server's clock by so many ms from the machine's. */
  setClockOffset(ms: number): Promise<void>
}

/** Regular expressions and bytes as JSON: `{ "$regexp": "a.*", "flags": "i" }`, `{ "$base64": "..." }`. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function replace(this: unknown, name: string, entry: unknown) {
    // JSON.stringify has called Buffer's toJSON already: the holder still has the value itself.
    const original = isRecord(this) ? this[name] : entry
    if (Buffer.isBuffer(original)) return { $base64: original.toString('base64') }
    if (original instanceof RegExp) return { $regexp: original.source, flags: original.flags }
    return entry
  })
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, (_name, entry: unknown) => {
    if (!isRecord(entry)) return entry
    if (typeof entry.$base64 === 'string') return Buffer.from(entry.$base64, 'base64')
    if (typeof entry.$regexp === 'string') return new RegExp(entry.$regexp, String(entry.flags ?? ''))
    return entry
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
