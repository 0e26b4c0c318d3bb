import type { FileEntry } from '@penstock/core'
import { createHashing } from '../checksum/hashing.ts'
import { awsPartition, bucketAddress } from '../connection/endpoint.ts'
import { createBlockClient } from '../http/block-client.ts'
import { createDispatcher, isProxied, lookupOf } from '../http/dispatcher.ts'
import { createRetries, retrySettings } from '../http/retry.ts'
import { createSemaphore } from '../http/semaphore.ts'
import { remoteFile } from '../transfer/remote-file.ts'
import { createWriters } from '../transfer/writers.ts'
import type { OpenS3Options, S3Access } from './access.ts'
import { bucketOperations } from './bucket.ts'
import { createClient } from './client.ts'
import { fetchObject } from './fetch.ts'
import { headObject } from './head.ts'
import { callerIdentity } from './identity.ts'
import { listObjects } from './list.ts'
import { createSdkClient } from './sdk.ts'
import { objectTags } from './tags.ts'
import { createTransport } from './transport.ts'
import type { S3WriteAccess } from './write-access.ts'
import { type WritingContext, writeOperations } from './write-operations.ts'

/** Requests in flight where nothing else is said. */
const defaultConcurrency = 32

/**
 * Requests for small bodies in flight beside those, where nothing else is said. They wait for the store most of their
 * time and hold 256 KiB each at most, so that many cost little: at 30 ms, 32 in flight are 1,000 objects a second,
 * however fast both sides are.
 */
const smallConcurrency = 96

/** Opens one bucket. Nothing is sent before the first call; credentials resolve with it. */
export const openS3 = (options: OpenS3Options): S3Access => openBucket(options).access

/** Opens one bucket to read and to write. */
export const openS3Writer = (options: Omit<OpenS3Options, 'access'>): S3WriteAccess => {
  const { access, writing } = openBucket({ ...options, access: 'read-write' })
  return Object.freeze({ ...access, ...writeOperations(writing) } satisfies S3WriteAccess)
}

const openBucket = (options: OpenS3Options): { access: S3Access; writing: WritingContext } => {
  const { config, auth, access, clock } = options
  const { region, bucket } = config
  const concurrency = options.concurrency ?? defaultConcurrency
  const smallOnes = options.concurrency === undefined ? smallConcurrency : 0
  const inFlight = concurrency + smallOnes
  const settings = retrySettings(options.retry ?? {}, inFlight)
  const address = bucketAddress(config)
  const closing = new AbortController()
  const signal = AbortSignal.any([options.signal, closing.signal])
  const environment = {
    region,
    stsEndpoint: config.stsEndpoint,
    allowInsecure: config.allowInsecure,
    signal,
    clock,
  }
  const provider = auth.provider(environment)
  const { hostname, origin } = address
  const blocks = isProxied(hostname)
    ? undefined
    : createBlockClient({ ...settings, origin, lookup: lookupOf(hostname) })
  // One more where ranges have these sockets as well: a checksum that is asked for again must not wait for them.
  const connections = blocks ? inFlight : inFlight + 1
  const dispatcher = createDispatcher(hostname, { ...settings, connections })
  const retries = createRetries(settings)
  const counters = { requests: 0, bytes: 0, throttled: 0, clockOffsetMs: 0 }
  const hashing = createHashing()
  const writers = createWriters()
  const transporting = {
    address,
    region,
    dispatcher,
    blocks,
    provider,
    clock,
    access,
    expectedBucketOwner: config.expectedBucketOwner,
    answerTimeoutMs: settings.answerTimeoutMs,
    retries,
    counters,
    onRequest: options.onRequest,
  }
  const transport = createTransport(transporting)
  const semaphore = createSemaphore(concurrency)
  const client = createClient({
    bucket,
    region,
    host: address.hostname,
    partition: awsPartition(region).id,
    anonymous: provider === undefined,
    clock,
    signal,
    verify: config.checksums !== 'when-required',
    notice: options.notice ?? (() => {}),
    transport,
    semaphore,
    smallSemaphore: smallOnes > 0 ? createSemaphore(smallOnes) : semaphore,
    retries,
    counters,
  })
  let sdk: ReturnType<typeof createSdkClient> | undefined
  const operations = bucketOperations(client, provider, () => {
    sdk ??= createSdkClient({
      config,
      pathStyle: address.pathStyle,
      provider,
      dispatcher,
      access,
      clock,
      counters,
      onRequest: options.onRequest,
    })
    return sdk
  })

  const transfer = { client, hashing, writers, concurrency }
  const opened = Object.freeze({
    bucket,
    region,
    endpoint: config.endpoint,
    list: (listing = {}) => listObjects(client, listing),
    head: (key, call) => headObject(client, key, call),
    tags: (key, call) => objectTags(client, key, call),
    file: (entry: FileEntry) => remoteFile(transfer, entry),
    fetch: (key, call) => fetchObject(client, key, call),
    location: (call) => operations.location(client.signals(call?.signal)),
    acl: (call) => operations.acl(client.signals(call?.signal)),
    headBucket: (call) => operations.head(client.signals(call?.signal)),
    identity: async (call) => {
      const known = config.endpoint === undefined || config.stsEndpoint !== undefined
      if (!provider || !known) return undefined
      return callerIdentity({ ...environment, signal: client.signals(call?.signal), provider })
    },
    credentials: async () => provider?.(),
    stats: () => Object.freeze({ ...counters, retries: retries.count() }),
    close: async () => {
      closing.abort()
      hashing.close()
      writers.close()
      ;(await sdk?.catch(() => undefined))?.destroy()
      blocks?.close()
      await dispatcher.destroy()
    },
  } satisfies S3Access)
  return { access: opened, writing: { client, config, transporting } }
}
