import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createFaults, type Faults } from './faults/faults.ts'
import { type DirectGlue, type DirectRest, directGlue, directRest } from './glue/direct.ts'
import { keepCatalogs } from './glue/keep.ts'
import { createGlueStore } from './glue/store.ts'
import { createIdentities, type Identities } from './iam/identities.ts'
import { parsePolicy } from './iam/policy.ts'
import { createGenericCatalog, type RestSettings } from './iceberg-rest/generic.ts'
import { createHashers } from './s3/checksums/hashers.ts'
import {
  type Author,
  directCreateBucket,
  directPut,
  type NewBucket,
  type NewObject,
  type PutResult,
} from './s3/direct.ts'
import type { S3Service } from './s3/service.ts'
import { createFolderStore } from './s3/store/folder.ts'
import { createMemoryStore } from './s3/store/memory.ts'
import type { Bucket } from './s3/store/model.ts'
import { currentVersion } from './s3/versions.ts'
import type { ServerContext } from './server/exchange.ts'
import { createLog, type RequestLog } from './server/log.ts'
import { startServer } from './server/server.ts'
import { utf8Bytes } from './sigv4/encode.ts'
import { createVerifier } from './sigv4/verify.ts'
import type { Clock, PolicyDocument } from './types.ts'

export interface AwsOptions {
  /** 0, the default, takes a free one. */
  port?: number
  host?: string
  /** Folder that keeps buckets, objects and catalogs; in memory when absent. */
  data?: string
  /** Default account, 12 digits. */
  account?: string
  /** Generated when absent. */
  rootAccessKeyId?: string
  rootSecretAccessKey?: string
  clock?: Clock
  /** Added to every request, ms. */
  latencyMs?: number
  /** Takes the client's address from `x-penstock-source-ip`, to test IP allow-lists. */
  trustSourceIpHeader?: boolean
  /** What policies see as `aws:SecureTransport`: false, as this is plain HTTP, unless a test pretends otherwise. */
  secureTransport?: boolean
  /** Host names below which buckets are addressed besides `s3.localhost` and `localhost`. */
  domain?: string | readonly string[]
  /** Region of buckets that are made without naming one; `us-east-1` when absent. */
  region?: string
  /** Answers requests under `/_penstock/`; false when it did not. */
  control?: ServerContext['control']
}

/** What tests put into S3 and look up there without a request. Failures are plain Errors. */
export interface DirectS3 {
  createBucket(bucket: NewBucket & { policy?: PolicyDocument }): void
  putObject(
    object: Omit<NewObject, 'body'> & { body: NewObject['body'] | { file: string } },
  ): Promise<PutResult>
  getObject(bucket: string, key: string): Promise<Buffer>
  deleteObject(bucket: string, key: string): void
  /** Keys of current objects, in S3's order. */
  listKeys(bucket: string, prefix?: string): string[]
  /** Uploads that were begun and neither completed nor aborted. */
  listUploads(bucket: string): { uploadId: string; key: string; parts: number }[]
  setBucketPolicy(bucket: string, policy: PolicyDocument | undefined): void
  bucketNames(): string[]
}

/** A running AWS of one's own. */
export interface Aws {
  /** `http://127.0.0.1:PORT`, for S3, STS and Glue; with `/iceberg` the REST endpoint of Glue and S3 Tables. */
  endpoint: string
  port: number
  account: string
  root: { accessKeyId: string; secretAccessKey: string }
  identities: Identities
  faults: Faults
  s3: DirectS3
  /** Data Catalog of Glue, and table buckets of S3 Tables. */
  glue: DirectGlue
  /** Iceberg REST catalog that is none of AWS, at `ENDPOINT/_iceberg`. */
  rest: DirectRest & {
    configure(settings: RestSettings): void
    /** Lets all tokens that were given out expire. */
    expireTokens(): void
  }
  log: RequestLog
  /** Milliseconds that the server's clock is ahead of the clock it was given. */
  clockOffsetMs: number
  /** Replaces the clock. */
  setClock(clock: Clock): void
  close(): Promise<void>
}

/** Starts S3, STS, Glue and Iceberg REST catalogs on loopback. */
export async function startAws(options: AwsOptions = {}): Promise<Aws> {
  const { port = 0, host = '127.0.0.1', domain = [], latencyMs = 0, trustSourceIpHeader = false } = options
  const { secureTransport = false } = options
  let baseClock = options.clock ?? Date.now
  let clockOffsetMs = 0
  const clock: Clock = () => baseClock() + clockOffsetMs
  const { account, rootAccessKeyId, rootSecretAccessKey, control } = options
  const identities = createIdentities({
    clock,
    ...(account !== undefined && { account }),
    ...(rootAccessKeyId !== undefined && { rootAccessKeyId }),
    ...(rootSecretAccessKey !== undefined && { rootSecretAccessKey }),
  })
  const store = options.data === undefined ? createMemoryStore() : createFolderStore(options.data)
  const s3: S3Service = { store, hashers: createHashers() }
  const glue = createGlueStore(clock)
  const catalogs =
    options.data === undefined ? undefined : keepCatalogs(glue, join(options.data, 'catalogs.json'))
  const generic = createGenericCatalog()
  const direct = directS3(s3, () => ({
    now: clock(),
    account: identities.account,
    region: options.region ?? 'us-east-1',
  }))
  const faults = createFaults()
  const log = createLog()
  const context: ServerContext = {
    identities,
    faults,
    s3,
    glue,
    generic,
    readObject: (location) => readLocation(direct, location),
    log,
    clock,
    verify: createVerifier(identities.findCredential),
    domains: [...[domain].flat(), 's3.localhost', 'localhost'],
    hostId: randomBytes(56).toString('base64'),
    latencyMs,
    trustSourceIpHeader,
    secureTransport,
    ...(control && { control }),
  }
  const server = await startServer(context, { host, port }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  const { accessKeyId, secretAccessKey } = identities.root
  return {
    endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`,
    port: server.port,
    account: identities.account,
    root: { accessKeyId, secretAccessKey },
    identities,
    faults,
    s3: direct,
    glue: directGlue(glue, { account: identities.account, region: options.region ?? 'us-east-1' }),
    rest: {
      ...directRest(glue),
      configure: (settings) => void Object.assign(generic, settings),
      expireTokens: () => {
        for (const token of generic.tokens.values()) token.expiresAt = 0
      },
    },
    log,
    get clockOffsetMs() {
      return clockOffsetMs
    },
    set clockOffsetMs(ms) {
      clockOffsetMs = ms
    },
    setClock(next) {
      baseClock = next
    },
    async close() {
      await server.close()
      catalogs?.flush()
      await store.close()
    },
  }
}

/** Content of an object that a catalog points at. */
async function readLocation(s3: DirectS3, location: string): Promise<Buffer | undefined> {
  const [, bucket = '', key = ''] = /^s3[an]?:\/\/([^/]+)\/(.+)$/.exec(location) ?? []
  return s3.getObject(bucket, key).catch(() => undefined)
}

function directS3(service: S3Service, author: () => Author): DirectS3 {
  const { store } = service
  const requireBucket = (name: string): Bucket => {
    const bucket = store.buckets.get(name)
    if (!bucket) throw new Error(`There is no bucket ${name}`)
    return bucket
  }
  const setBucketPolicy: DirectS3['setBucketPolicy'] = (name, document) => {
    const { policy: _, ...settings } = requireBucket(name).settings
    if (!document) return store.commit({ type: 'bucket', settings })
    const parsed = parsePolicy(document, 'resource', { bucket: name })
    if (!parsed.policy) throw new Error(parsed.problem)
    const policy = { text: JSON.stringify(document), document: parsed.policy }
    store.commit({ type: 'bucket', settings: { ...settings, policy } })
  }
  return {
    createBucket({ policy, ...bucket }) {
      directCreateBucket(service, author(), bucket)
      if (policy) setBucketPolicy(bucket.name, policy)
    },
    putObject: ({ body, ...object }) =>
      directPut(service, author(), {
        ...object,
        body:
          typeof body === 'object' && 'file' in body
            ? createReadStream(body.file, { highWaterMark: 1 << 20 })
            : body,
      }),
    async getObject(name, key) {
      const version = currentVersion(requireBucket(name), key)
      if (!version) throw new Error(`There is no object ${key} in ${name}`)
      const body = store.read(version.segments, 0, version.size)
      return Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.concat(await body.toArray())
    },
    deleteObject(name, key) {
      const version = currentVersion(requireBucket(name), key)
      if (!version) return
      store.commit({ type: 'version-removed', bucket: name, key, versionId: version.versionId })
    },
    listKeys(name, prefix = '') {
      const bucket = requireBucket(name)
      const keys: string[] = []
      const start = utf8Bytes(prefix)
      const cursor = bucket.keys.cursor(start)
      for (let bytes = cursor.key; bytes?.startsWith(start); cursor.advance(), bytes = cursor.key) {
        const key = Buffer.from(bytes, 'latin1').toString('utf8')
        if (currentVersion(bucket, key)) keys.push(key)
      }
      return keys
    },
    listUploads: (name) =>
      Array.from(requireBucket(name).uploads.values(), ({ id, key, parts }) => ({
        uploadId: id,
        key,
        parts: parts.size,
      })),
    setBucketPolicy,
    bucketNames: () => [...store.buckets.keys()],
  }
}
