import { createHash } from 'node:crypto'
import { clockSkewMs, type Fault } from '../faults/faults.ts'
import { interceptRequest } from '../faults/intercept.ts'
import { createAccess, type GlueAccess } from '../glue/access.ts'
import { GlueError, restError, restStatus } from '../glue/errors.ts'
import { glueErrorReply, handleGlue } from '../glue/handle.ts'
import { glueRest, tablesRest } from '../iceberg-rest/amazon.ts'
import { genericRest, issueToken, requireBearer } from '../iceberg-rest/generic.ts'
import { handleRest, type RestCatalog } from '../iceberg-rest/handle.ts'
import { type Route, readRoute } from '../iceberg-rest/route.ts'
import { textOfBytes } from '../sigv4/encode.ts'
import type { Reply } from '../types.ts'
import { readBody } from './body.ts'
import { type Exchange, globalContext, type ServerContext, signedHeadersOf } from './exchange.ts'
import { catalogRejection } from './rejections.ts'
import type { Answer } from './s3.ts'
import type { Target } from './target.ts'

/** Bytes of a request's body: what BatchCreatePartition may take. */
const maximumBody = 8 * 1024 * 1024

/** Path of the Iceberg REST endpoints of Glue and S3 Tables, and of the generic catalog. No bucket has the second name. */
const amazonPath = '/iceberg'
const genericPath = '/_iceberg'

type Endpoint = 'glue' | 'glue-rest' | 's3tables' | 'generic'

/** Which catalog a request speaks to; undefined when it is none. */
export function catalogEndpoint({ req }: Exchange): Endpoint | undefined {
  const path = pathOf(req.url ?? '')
  if (path.startsWith(`${genericPath}/`)) return 'generic'
  if (req.method === 'POST' && operationOf(req.headers['x-amz-target']) !== undefined) return 'glue'
  if (!path.startsWith(`${amazonPath}/`)) return undefined
  const scope = /Credential=[^,\s]*\/([a-z0-9]+)\/aws4_request/.exec(req.headers.authorization ?? '')
  // A bucket may be called `iceberg`; then the signature is one for S3.
  if (scope?.[1] === 's3' || (!scope && !/^\/iceberg\/v1(\/|$)/.test(path))) return undefined
  return scope?.[1] === 's3tables' ? 's3tables' : 'glue-rest'
}

const pathOf = (url: string): string => url.replace(/\?.*$/s, '')

const operationOf = (target: string | string[] | undefined): string | undefined =>
  typeof target === 'string' ? /^AWSGlue\.(\w+)$/.exec(target)?.[1] : undefined

/** Takes a request to Glue, S3 Tables or the generic Iceberg REST catalog to its reply. */
export async function answerCatalog(
  exchange: Exchange,
  endpoint: Endpoint,
  target: Target | undefined,
  context: ServerContext,
): Promise<Answer> {
  const { req, res, entry, requestId } = exchange
  entry.service = endpoint === 'glue' ? 'glue' : 'iceberg'
  const body = (await readBody(exchange, maximumBody)) ?? Buffer.alloc(0)
  const route = endpoint === 'glue' ? undefined : routeOf(exchange, endpoint)
  entry.operation = route?.operation ?? operationOf(req.headers['x-amz-target']) ?? ''
  entry.key = route ? [...route.namespace, route.table].filter((name) => name !== '').join('.') : keyOf(body)
  const delegation = req.headers['x-iceberg-access-delegation']
  if (typeof delegation === 'string') entry.accessDelegation = delegation
  const faults: readonly Fault[] = context.faults.match(entry)
  entry.faults = faults.map(({ kind }) => kind)
  const { latencyMs } = context
  const intercepted = await interceptRequest({ res, info: entry, faults, requestId, latencyMs })
  if (intercepted !== undefined) return { reply: intercepted, faults }
  const call: Call = {
    exchange,
    endpoint,
    target,
    context,
    body,
    route,
    now: context.clock() + clockSkewMs(faults),
  }
  try {
    return { reply: await answer(call), faults }
  } catch (error) {
    return { reply: errorReply(call, error), faults }
  }
}

interface Call {
  exchange: Exchange
  endpoint: Endpoint
  target: Target | undefined
  context: ServerContext
  body: Buffer
  route: Route | undefined
  /** Epoch ms, with the skew of a fault. */
  now: number
}

const routeOf = ({ req }: Exchange, endpoint: Endpoint): Route | undefined =>
  readRoute(
    req.method ?? '',
    pathOf(req.url ?? '').slice((endpoint === 'generic' ? genericPath : amazonPath).length),
  )

/** `database.table` of a request of the JSON protocol, for faults and the log. */
function keyOf(body: Buffer): string {
  try {
    const input: unknown = JSON.parse(body.toString('utf8'))
    const { DatabaseName, TableName, Name } = input as Record<string, unknown>
    return [DatabaseName, TableName ?? Name].filter((name) => typeof name === 'string').join('.')
  } catch {
    return ''
  }
}

async function answer(call: Call): Promise<Reply> {
  const { exchange, endpoint, context, body, route } = call
  const { req, requestId, entry } = exchange
  if (endpoint === 'glue')
    return handleGlue({ store: context.glue, access: verify(call, 'glue') }, entry.operation, body, requestId)
  if (!route)
    throw new GlueError('UnknownOperationException', `There is no ${req.method} ${pathOf(req.url ?? '')}`)
  if (endpoint === 'generic' && route.operation === 'GetToken') {
    const form = new URLSearchParams(body.toString('utf8'))
    return issueToken(context.generic, {
      form,
      authorization: req.headers.authorization,
      clock: context.clock,
    })
  }
  return handleRest({
    route,
    catalog: restCatalog(call),
    store: context.glue,
    query: new Map(
      (call.target?.parameters ?? []).map(({ name, value }) => [name, textOfBytes(value) ?? value]),
    ),
    readObject: context.readObject,
    requestId,
  })
}

function restCatalog(call: Call): RestCatalog {
  const { endpoint, context, exchange } = call
  const tableConfig = () => vendedCredentials(exchange, context)
  if (endpoint === 'generic') {
    requireBearer(context.generic, exchange.req.headers.authorization, context.clock)
    return genericRest(context.generic, context.glue, tableConfig)
  }
  if (endpoint === 's3tables')
    return tablesRest({ store: context.glue, access: verify(call, 's3tables'), tableConfig })
  return glueRest({ store: context.glue, access: verify(call, 'glue'), tableConfig })
}

/** Credentials for the files of a table, for those who ask for them. */
function vendedCredentials(
  { entry }: Exchange,
  { generic, identities }: ServerContext,
): Record<string, string> {
  if (!entry.accessDelegation?.includes('vended-credentials') || generic.vendRole === undefined) return {}
  const session = identities.openSession({
    role: generic.vendRole,
    sessionName: 'vended',
    durationSeconds: 3600,
  })
  return {
    's3.access-key-id': session.accessKeyId,
    's3.secret-access-key': session.secretAccessKey,
    's3.session-token': session.sessionToken ?? '',
    's3.session-token-expires-at-ms': String(session.expiresAt ?? ''),
  }
}

/** Verifies the signature of the exact service and gives the caller's rights. */
function verify({ exchange, target, context, body, now }: Call, service: string): GlueAccess {
  const { req, entry } = exchange
  const verdict = context.verify({
    method: req.method ?? '',
    pathBytes: target?.pathBytes ?? '/',
    query: target?.parameters ?? [],
    headers: signedHeadersOf(req),
    now,
    service,
    payloadHash: createHash('sha256').update(body).digest('hex'),
    sentPath: pathOf(req.url ?? '/'),
  })
  if (verdict.outcome === 'rejected') throw catalogRejection(verdict.rejection)
  if (verdict.outcome === 'anonymous')
    throw new GlueError('MissingAuthenticationTokenException', 'Missing Authentication Token')
  const { principal } = verdict.request.credential
  entry.principalArn = principal.arn
  return createAccess({
    principal,
    region: verdict.request.scope.region,
    context: globalContext(exchange, context, now),
    log: entry.actions,
  })
}

function errorReply({ exchange, endpoint }: Call, error: unknown): Reply {
  const { entry, requestId } = exchange
  const known =
    error instanceof GlueError
      ? error
      : new GlueError('InternalServiceException', 'An internal error has occurred.')
  entry.errorCode = known.code
  if (known !== error) entry.internalError = error instanceof Error ? (error.stack ?? '') : String(error)
  if (endpoint === 'glue') return glueErrorReply(known, requestId)
  return restError(known.code, known.message, restStatus(known.code), requestId)
}
