/** An S3 server that others wrote, running on loopback. */
export interface RunningServer {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  stop(): Promise<void>
}

export interface ForeignServer {
  readonly name: string
  /** Starts with its data below `folder`; the reason why it can't. */
  start(folder: string): Promise<RunningServer | { readonly missing: string }>
  /** What the server itself does not do, as the reason to leave a test out. */
  readonly lacks?: Readonly<Partial<Record<ServerFeature, string>>>
}

export type ServerFeature = 'odd-keys' | 'wrong-secret' | 'slashes' | 'conditions' | 'checksums'

export const keys = { accessKeyId: 'AKIAINTEROPINTEROP00', secretAccessKey: 'interop/secret+of=the-tests' }
