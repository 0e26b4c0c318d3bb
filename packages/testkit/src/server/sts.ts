import { createHash } from 'node:crypto'
import { clockSkewMs, type Fault } from '../faults/faults.ts'
import { interceptRequest } from '../faults/intercept.ts'
import { handleSts, stsError } from '../sts/handle.ts'
import { readBody } from './body.ts'
import type { Exchange, ServerContext } from './exchange.ts'
import { globalContext, signedHeadersOf } from './exchange.ts'
import { stsRejection } from './rejections.ts'
import type { Answer } from './s3.ts'
import type { Target } from './target.ts'

/** More than the longest AssumeRole, in bytes. */
const maximumForm = 64 * 1024

/** Whether a request is one to STS: the query protocol, on the service's root. */
export function isSts({ req }: Exchange, target: Target | undefined): target is Target {
  if (target?.bucketName !== '') return false
  const host = (req.headers.host ?? '').toLowerCase()
  if (host.startsWith('sts.')) return true
  const authorization = req.headers.authorization ?? ''
  if (/Credential=[^,\s]*\/sts\/aws4_request/.test(authorization)) return true
  if (req.method === 'POST') {
    return (req.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  }
  return target.parameters.some(({ name }) => name === 'Action')
}

/** Takes a request to STS to its reply. */
export async function answerSts(exchange: Exchange, target: Target, context: ServerContext): Promise<Answer> {
  const { req, res, entry, requestId } = exchange
  entry.service = 'sts'
  const body = await readBody(exchange, maximumForm)
  if (!body)
    return { reply: stsError('RequestEntityTooLarge', 'The request is too long', 413, requestId), faults: [] }
  const params = formOf(body, target)
  entry.operation = params.get('Action') ?? ''
  const faults: readonly Fault[] = context.faults.match(entry)
  entry.faults = faults.map(({ kind }) => kind)
  const { latencyMs } = context
  const intercepted = await interceptRequest({ res, info: entry, faults, requestId, latencyMs })
  if (intercepted !== undefined) return { reply: intercepted, faults }

  const now = context.clock() + clockSkewMs(faults)
  const verdict = context.verify({
    method: req.method ?? '',
    pathBytes: target.pathBytes,
    query: target.parameters,
    headers: signedHeadersOf(req),
    now,
    service: 'sts',
    payloadHash: createHash('sha256').update(body).digest('hex'),
  })
  if (verdict.outcome === 'rejected') return { reply: stsRejection(verdict.rejection, requestId), faults }
  const credential = verdict.outcome === 'verified' ? verdict.request.credential : undefined
  entry.principalArn = credential?.principal.arn ?? ''
  const reply = handleSts({
    identities: context.identities,
    credential,
    params,
    context: globalContext(exchange, context, now),
    clock: () => now,
    requestId,
    record: (evaluated) => entry.actions.push(evaluated),
  })
  return { reply, faults }
}

/** Fields of the form; a GET has them in its query, next to those of the signature. */
function formOf(body: Buffer, { parameters }: Target): URLSearchParams {
  const params = new URLSearchParams(body.toString('utf8'))
  for (const { name, value } of parameters) {
    if (!name.toLowerCase().startsWith('x-amz-'))
      params.append(name, Buffer.from(value, 'latin1').toString('utf8'))
  }
  return params
}
