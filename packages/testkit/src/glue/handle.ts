import type { Reply } from '../types.ts'
import { GlueError, jsonError, jsonStatus } from './errors.ts'
import { type GlueCall, glueOperations } from './operations.ts'

/** Answers one request of the JSON protocol whose signature holds. Throws GlueError. */
export function handleGlue(call: GlueCall, operation: string, body: Buffer, requestId: string): Reply {
  const handle = Object.hasOwn(glueOperations, operation) ? glueOperations[operation] : undefined
  if (!handle)
    throw new GlueError('UnknownOperationException', `The embedded AWS has no ${operation} of Glue`)
  const answer = JSON.stringify(handle(call, parseBody(body)))
  if (!/^(Get|BatchGet|Search)/.test(operation)) call.store.changed()
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId },
    body: answer,
  }
}

function parseBody(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch {
    throw new GlueError('ValidationException', 'The body of the request is not JSON')
  }
}

export const glueErrorReply = ({ code, message }: GlueError, requestId: string): Reply =>
  jsonError(code, message, jsonStatus(code), requestId)
