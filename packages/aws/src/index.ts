export type {
  AwsAuthentication,
  AwsAuthMethod,
  AwsCredentialProvider,
  AwsCredentials,
  CredentialEnvironment,
} from './auth/authentication.ts'
export { awsAuth, awsAuthMethods, createExternalId } from './auth/methods.ts'
export type { CatalogCall } from './catalog/calls.ts'
export {
  type GlueAccess,
  glueArn,
  type OpenGlueOptions,
  openGlue,
  parseCatalogId,
} from './catalog/glue.ts'
export type {
  GlueColumn,
  GlueDatabase,
  GluePartition,
  GlueStorage,
  GlueTable,
} from './catalog/glue-model.ts'
export {
  type CatalogRest,
  catalogEndpoint,
  fixedAuthentication,
  type OpenCatalogRestOptions,
  openCatalogRest,
  requireProvider,
  sharedAuthentication,
} from './catalog/rest.ts'
export type { RestAuthorization } from './catalog/transport.ts'
export { checkS3Source } from './check/source.ts'
export {
  type CheckObjectsOptions,
  checkBucket,
  checkCredentials,
  checkObjects,
  checkStep,
  skippedStep,
} from './check/steps.ts'
export { brokenBucketNameRules } from './connection/bucket-name.ts'
export { awsPartition } from './connection/endpoint.ts'
export { checkEndpointSecurity, type S3ConnectionConfig, s3ConnectionFields } from './connection/fields.ts'
export { type AwsErrorContext, translateAwsError } from './errors/translate.ts'
export type { RetryOptions } from './http/retry.ts'
export { type DestinationPolicyOptions, s3DestinationPolicy } from './policy/destination.ts'
export type { PolicyDocument, PolicyStatement } from './policy/documents.ts'
export { type S3Permission, s3Policy } from './policy/permissions.ts'
export { s3SourcePolicy } from './policy/source.ts'
export type { PolicyTarget } from './policy/target.ts'
export { type TrustOptions, trustPolicy } from './policy/trust.ts'
export { type ZeroCopyPolicyTarget, zeroCopyPolicy } from './policy/zero-copy.ts'
export type {
  AwsIdentity,
  DownloadOptions,
  HeadOptions,
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
export { openS3, openS3Writer } from './s3/open.ts'
export type {
  GrowingFileSource,
  LocalFileSource,
  ObjectOptions,
  PresignOptions,
  PutOptions,
  RawRequest,
  RawResponse,
  S3CopyOptions,
  S3CreatedBucket,
  S3DeleteOptions,
  S3DeleteResult,
  S3Encryption,
  S3OpenUpload,
  S3Upload,
  S3UploadPart,
  S3WriteAccess,
  S3Written,
  UploadOptions,
  UploadSource,
  WriteConditions,
} from './s3/write-access.ts'
export { type RequestToSign, signRequest } from './signing/sign.ts'
export type { FilePlace } from './transfer/file-writing.ts'
