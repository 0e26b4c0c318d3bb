export { type Aws, type AwsOptions, type DirectS3, startAws } from './aws.ts'
export type { Fault, FaultCondition, FaultKind, FaultRule, FaultStatus, Faults } from './faults/faults.ts'
export type { AccessKey, Identities, NewRole, NewSession, NewUser, Role, User } from './iam/accounts.ts'
export type { NewBucket, NewObject, PutResult } from './s3/direct.ts'
export type { RequestLog } from './server/log.ts'
export type {
  Clock,
  Credential,
  Decision,
  LogEntry,
  PolicyDocument,
  PolicyStatement,
  Principal,
  RequestInfo,
} from './types.ts'
