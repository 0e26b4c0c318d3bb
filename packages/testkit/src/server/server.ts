import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeReply } from '../faults/wire.ts'
import { answerCatalog, catalogEndpoint } from './catalogs.ts'
import { type Exchange, openExchange, type ServerContext } from './exchange.ts'
import { type Answer, answerS3 } from './s3.ts'
import { answerSts, isSts } from './sts.ts'
import { readTarget, type Target } from './target.ts'

export interface RunningServer {
  port: number
  /** Ends all connections. */
  close(): Promise<void>
}

/** Listens for requests and answers them. */
export async function startServer(
  context: ServerContext,
  { host, port }: { host: string; port: number },
): Promise<RunningServer> {
  // Keys of 1,024 bytes are three times as long when encoded, and metadata comes on top.
  const server = createServer({ maxHeaderSize: 64 * 1024, keepAliveTimeout: 65_000, requestTimeout: 0 })
  let sequence = 0
  const onRequest = (expectsContinue: boolean) => (req: IncomingMessage, res: ServerResponse) => {
    sequence++
    const opened = openExchange(req, res, { sequence, time: context.clock(), expectsContinue })
    exchangeReply(opened, context).catch(() => res.destroy())
  }
  server.on('request', onRequest(false))
  server.on('checkContinue', onRequest(true))
  await listen(server, host, port)
  // AddressInfo for TCP servers; a string only for pipes.
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function answer(exchange: Exchange, target: Target | undefined, context: ServerContext): Promise<Answer> {
  const catalog = catalogEndpoint(exchange)
  if (catalog) return answerCatalog(exchange, catalog, target, context)
  return isSts(exchange, target) ? answerSts(exchange, target, context) : answerS3(exchange, target, context)
}

async function exchangeReply(exchange: Exchange, context: ServerContext): Promise<void> {
  const { req, res, entry, requestId } = exchange
  // The client may leave at any moment; what that breaks is seen where the body is read or written.
  req.on('error', () => {})
  res.on('error', () => {})
  if (context.control && req.url?.startsWith('/_penstock/') && context.control(req, res)) return
  context.log.add(entry)
  const target = readTarget(req.url ?? '/', req.headers.host, context.domains)
  const { reply, faults } = await answer(exchange, target, context)
  if (reply === 'gone') return
  entry.status = reply.status
  if (entry.service === 's3') {
    reply.headers['x-amz-request-id'] = requestId
    reply.headers['x-amz-id-2'] = context.hostId
    reply.headers.server = 'AmazonS3'
  }
  // The body that the client holds back would otherwise be taken for the next request.
  if (exchange.waiting()) reply.headers.connection = 'close'
  const { clock } = context
  const { method } = entry
  entry.bytesSent = await writeReply(res, reply, faults, { method, clock, info: entry, requestId })
}
