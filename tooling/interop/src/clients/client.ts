import type { Aws } from '@penstock/testkit'

/** An S3 client that others wrote, bound to an embedded AWS and a bucket of it. */
export interface ForeignClient {
  put(key: string, file: string): Promise<unknown>
  get(key: string, file: string): Promise<unknown>
  /** All keys below a prefix, over all pages. */
  list(prefix: string): Promise<string[]>
  copy(from: string, to: string): Promise<unknown>
  remove(key: string): Promise<unknown>
  presign?(key: string): Promise<string>
}

export interface ForeignClientKind {
  readonly name: string
  /** Keeps its settings below `folder`. The reason why it can't be used. */
  open(target: Target, folder: string): Promise<ForeignClient | { readonly missing: string }>
}

export interface Target {
  readonly aws: Aws
  readonly bucket: string
}

/** Credentials as most clients read them from the environment. */
export const awsEnvironment = ({ aws }: Target): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: aws.root.accessKeyId,
  AWS_SECRET_ACCESS_KEY: aws.root.secretAccessKey,
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  // Settings of whoever runs this must not count.
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
})

export const linesOf = (output: Buffer): string[] =>
  output
    .toString()
    .split('\n')
    .filter((line) => line !== '')
