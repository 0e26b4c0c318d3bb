import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Faults } from '../faults/faults.ts'
import type { GlueStore } from '../glue/store.ts'
import type { Identities } from '../iam/identities.ts'
import type { GenericCatalog } from '../iceberg-rest/generic.ts'
import type { S3Service } from '../s3/service.ts'
import { headerLists } from '../sigv4/canonical.ts'
import type { createVerifier } from '../sigv4/verify.ts'
import type { Clock, LogEntry } from '../types.ts'
import type { WritableLog } from './log.ts'

/** What every request is handled with. */
export interface ServerContext {
  identities: Identities
  faults: Faults
  s3: S3Service
  glue: GlueStore
  generic: GenericCatalog
  /** Content of an object by its `s3://` location, for the metadata that catalogs give. */
  readObject(location: string): Promise<Buffer | undefined>
  log: WritableLog
  clock: Clock
  verify: ReturnType<typeof createVerifier>
  /** Host names below which buckets are addressed: `bucket.s3.localhost`. */
  domains: readonly string[]
  /** `x-amz-id-2`: one for the server; it has no meaning. */
  hostId: string
  /** Added to every request, ms. */
  latencyMs: number
  trustSourceIpHeader: boolean
  /** What `aws:SecureTransport` says. */
  secureTransport: boolean
  /** Answers requests under `/_penstock/`; false when it did not. */
  control?: (req: IncomingMessage, res: ServerResponse) => boolean
}

/** One request under way. */
export interface Exchange {
  req: IncomingMessage
  res: ServerResponse
  requestId: string
  /** Its line in the log, which fills up. */
  entry: LogEntry
  /** The body, counted; asks the client to send it if the client waits for that. */
  body: AsyncIterable<Buffer>
  /** Whether the client waits for `100 Continue` and has not got it. */
  waiting: () => boolean
}

/** Opens the exchange of a request. `expectsContinue`: the client sent `Expect: 100-continue`. */
export function openExchange(
  req: IncomingMessage,
  res: ServerResponse,
  { sequence, time, expectsContinue }: { sequence: number; time: number; expectsContinue: boolean },
): Exchange {
  const entry: LogEntry = {
    service: 's3',
    operation: '',
    method: req.method ?? '',
    sequence,
    time,
    status: 0,
    bytesSent: 0,
    bytesReceived: 0,
    principalArn: '',
    actions: [],
    userAgent: req.headers['user-agent'] ?? '',
    faults: [],
  }
  let waiting = expectsContinue
  const requestId = (sequence + 0x1000_0000).toString(36).toUpperCase().padStart(16, '0')
  return {
    req,
    res,
    requestId,
    entry,
    waiting: () => waiting,
    body: {
      [Symbol.asyncIterator]() {
        if (waiting) res.writeContinue()
        waiting = false
        // A body that turns out to be wrong must not end the connection: the error is still to be sent on it.
        const chunks = req.iterator({ destroyOnReturn: false })
        return {
          async next() {
            const result = await chunks.next()
            if (!result.done) entry.bytesReceived += result.value.length
            return result
          },
          return: async () => {
            await chunks.return?.()
            return { done: true, value: undefined }
          },
        }
      },
    },
  }
}

/** Address of the client, without the IPv6 form of an IPv4 one. */
function sourceIp(req: IncomingMessage, trustHeader: boolean): string {
  const claimed = req.headers['x-penstock-source-ip']
  if (trustHeader && typeof claimed === 'string') return claimed
  return (req.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}

/** Condition keys that every service has. */
export function globalContext(
  { req }: Exchange,
  context: ServerContext,
  now: number,
): Record<string, string | undefined> {
  return {
    'aws:sourceip': sourceIp(req, context.trustSourceIpHeader),
    'aws:securetransport': String(context.secureTransport),
    'aws:useragent': req.headers['user-agent'],
    'aws:referer': req.headers.referer,
    'aws:currenttime': new Date(now).toISOString(),
  }
}

export const signedHeadersOf = (req: IncomingMessage) => headerLists(req.rawHeaders)
