import type { Readable } from 'node:stream'

/** Milliseconds since the epoch; every time decision of the embedded AWS goes through one clock, so that tests can move it. */
export type Clock = () => number

/** One IAM policy statement; single values and arrays are both accepted, as in AWS. */
export interface PolicyStatement {
  Sid?: string
  Effect: 'Allow' | 'Deny'
  Action?: string | string[]
  NotAction?: string | string[]
  Resource?: string | string[]
  NotResource?: string | string[]
  /** Only in resource policies and trust policies. */
  Principal?: '*' | { AWS?: string | string[]; Service?: string | string[] }
  /** Operator -> condition key -> value(s), for example `{ StringEquals: { 'sts:ExternalId': 'x' } }`. */
  Condition?: Record<string, Record<string, string | string[] | boolean | number>>
}

export interface PolicyDocument {
  Version?: string
  Id?: string
  Statement: PolicyStatement | PolicyStatement[]
}

/** Who signs a request. */
export interface Principal {
  type: 'root' | 'user' | 'assumed-role' | 'anonymous'
  account: string
  /** `arn:aws:iam::111122223333:user/x`, `arn:aws:sts::111122223333:assumed-role/r/session`; empty for anonymous. */
  arn: string
  /** For an assumed role: the ARN of the role itself, which resource policies may name. */
  roleArn?: string
  userId: string
  /** Identity policies; root and anonymous have none (root may do everything in its account). */
  policies: PolicyDocument[]
  /** Policies passed when the session was opened: they limit what `policies` grant and grant nothing themselves. */
  sessionPolicies?: PolicyDocument[]
}

/** Credentials that a signature is verified with. */
export interface Credential {
  accessKeyId: string
  secretAccessKey: string
  /** Set for temporary credentials: requests must carry exactly this token. */
  sessionToken?: string
  /** Epoch ms; set for temporary credentials. */
  expiresAt?: number
  principal: Principal
}

export interface AuthorizationQuery {
  principal: Principal
  /** `s3:GetObject` */
  action: string
  /** `arn:aws:s3:::bucket/key` */
  resource: string
  /** Condition keys by lower-case name: `aws:sourceip`, `s3:prefix`, `aws:securetransport`, `sts:externalid`, ... Absent keys are undefined. */
  context: Record<string, string | readonly string[] | undefined>
  /** Policy of the bucket or the trust policy of a role. */
  resourcePolicy?: PolicyDocument
  /** `trust`: the resource policy has to allow, also inside one account. Default `resource`. */
  resourcePolicyKind?: 'resource' | 'trust'
  /** Account that owns the resource: across accounts both sides have to allow. */
  resourceAccount?: string
}

export interface Decision {
  allowed: boolean
  /** Text as AWS words it: `User: arn:... is not authorized to perform: s3:GetObject on resource: "arn:..." because no identity-based policy allows the s3:GetObject action` */
  message: string
  /** Which policy refused, and whether by a Deny statement or by saying nothing. Absent when allowed. */
  denial?: Denial
}

export interface Denial {
  policy: 'identity' | 'session' | 'resource' | 'trust'
  explicit: boolean
}

/** What a fault rule can look at. */
export interface RequestInfo {
  /** `iceberg`: the REST catalogs of Glue, of S3 Tables and the generic one. */
  service: 's3' | 'sts' | 'glue' | 'iceberg'
  /** Operation name of the API: `GetObject`, `ListObjectsV2`, `AssumeRole`, `GetTable`, `LoadTable` ... */
  operation: string
  method: string
  bucket?: string
  /** Of a catalog: `database.table`, or the database alone. */
  key?: string
  /** Parsed `Range` header, inclusive byte positions. */
  range?: { start: number; end?: number }
  /** Count of requests so far, 1 for the first. */
  sequence: number
}

/** What a handler answers; the server writes it to the wire, faults may disturb it there. */
export interface Reply {
  status: number
  headers: Record<string, string>
  body?: Buffer | string | Readable
}

/** One line of the request log: enough to prove least privilege, read-only and byte counts. */
export interface LogEntry extends RequestInfo {
  /** Epoch ms. */
  time: number
  status: number
  /** Body bytes that went out. */
  bytesSent: number
  bytesReceived: number
  principalArn: string
  /** IAM actions that were evaluated, allowed or not. */
  actions: { action: string; resource: string; allowed: boolean }[]
  userAgent: string
  /** What `x-iceberg-access-delegation` asked for. */
  accessDelegation?: string
  faults: string[]
  /** Code of the error that was answered. */
  errorCode?: string
  /** What went wrong behind an InternalError that no fault asked for: a defect of the embedded AWS. */
  internalError?: string
}
