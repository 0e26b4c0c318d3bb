export { type Aws, type AwsOptions, type DirectS3, startAws } from './aws.ts'
export { connectAwsControl } from './control/client.ts'
export type {
  AwsControl,
  ControlBucket,
  ControlObject,
  RemoteFault,
  RemoteFaultRule,
} from './control/protocol.ts'
export { applySeed, type Seed, seedFrom } from './control/seed.ts'
export { type ReadyLine, type SpawnedAws, type SpawnOptions, spawnAws } from './control/spawn.ts'
export { startControlledAws } from './control/start.ts'
export type { Fault, FaultCondition, FaultKind, FaultRule, FaultStatus, Faults } from './faults/faults.ts'
export type { DirectGlue, DirectRest, HiveColumn, HiveFormat, NewDatabase, NewTable } from './glue/direct.ts'
export type { AccessKey, Identities, NewRole, NewSession, NewUser, Role, User } from './iam/accounts.ts'
export { authorize } from './iam/authorize.ts'
export { type ParsedPolicy, type PolicyKind, parsePolicy } from './iam/policy.ts'
export type { RestAuth, RestSettings } from './iceberg-rest/generic.ts'
export type { NewBucket, NewObject, PutResult } from './s3/direct.ts'
export type { RequestLog } from './server/log.ts'
export type {
  AuthorizationQuery,
  Clock,
  Credential,
  Decision,
  LogEntry,
  PolicyDocument,
  PolicyStatement,
  Principal,
  RequestInfo,
} from './types.ts'
