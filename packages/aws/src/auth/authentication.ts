/** Keys that sign requests. Held in memory only; never part of an error or a message. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** When temporary credentials end. */
  readonly expiration?: Date
}

/**
 * Gives credentials that are valid now, refreshed before they expire. With `rejected` (credentials that the
 * service called expired) it gives newer ones, once for all requests that ask at the same time.
 */
export type AwsCredentialProvider = (options?: {
  readonly rejected?: AwsCredentials
}) => Promise<AwsCredentials>

/** What credentials depend on beyond the fields of their method. */
export interface CredentialEnvironment {
  readonly region: string
  readonly stsEndpoint?: string | undefined
  readonly allowInsecure?: boolean | undefined
  readonly signal: AbortSignal
  readonly clock: () => Date
}

export type AwsAuthMethod = 'access-key' | 'assumed-role' | 'default-chain' | 'anonymous'

/** What each method of `awsAuth` resolves to. */
export interface AwsAuthentication {
  readonly method: AwsAuthMethod
  /** Role that is assumed, for messages and checks. */
  readonly roleArn?: string
  /** A provider with its own cache, or undefined for anonymous access. */
  provider(environment: CredentialEnvironment): AwsCredentialProvider | undefined
  /** For an assumed role: the provider of the credentials that assume it. */
  sourceProvider?(environment: CredentialEnvironment): AwsCredentialProvider
}
