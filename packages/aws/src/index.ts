export type {
  AwsAuthentication,
  AwsAuthMethod,
  AwsCredentialProvider,
  AwsCredentials,
  CredentialEnvironment,
} from './auth/authentication.ts'
export { awsAuth, awsAuthMethods, createExternalId } from './auth/methods.ts'
export { checkS3Source } from './check/source.ts'
export { type CheckObjectsOptions, checkBucket, checkCredentials, checkObjects } from './check/steps.ts'
export { brokenBucketNameRules } from './connection/bucket-name.ts'
export { awsPartition } from './connection/endpoint.ts'
export { checkEndpointSecurity, type S3ConnectionConfig, s3ConnectionFields } from './connection/fields.ts'
export { type AwsErrorContext, translateAwsError } from './errors/translate.ts'
export type { RetryOptions } from './http/retry.ts'
export type { PolicyDocument, PolicyStatement } from './policy/documents.ts'
export { type PolicyTarget, s3SourcePolicy } from './policy/source.ts'
export { type TrustOptions, trustPolicy } from './policy/trust.ts'
export type {
  AwsIdentity,
  OpenS3Options,
  S3Access,
  S3Acl,
  S3Entry,
  S3File,
  S3Head,
  S3ListOptions,
  S3Owner,
  S3Page,
  S3RequestEvent,
  S3Stats,
} from './s3/access.ts'
export { isArchived } from './s3/archived.ts'
export { openS3 } from './s3/open.ts'
export { type RequestToSign, signRequest } from './signing/sign.ts'
