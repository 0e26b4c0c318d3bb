import { jsonError, restError } from '../glue/errors.ts'
import { errorXml } from '../s3/errors.ts'
import { stsError } from '../sts/xml.ts'
import type { Reply, RequestInfo } from '../types.ts'
import type { Fault } from './faults.ts'

interface ErrorAnswer {
  status: number
  code: string
  message: string
}

type Service = RequestInfo['service']

const slowDown: Record<Service, ErrorAnswer> = {
  s3: { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' },
  sts: { status: 400, code: 'Throttling', message: 'Rate exceeded' },
  glue: { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' },
  iceberg: { status: 429, code: 'ThrottlingException', message: 'Rate exceeded' },
}

const internalError: Record<Service, ErrorAnswer> = {
  s3: { status: 500, code: 'InternalError', message: 'We encountered an internal error. Please try again.' },
  sts: { status: 500, code: 'InternalFailure', message: 'An internal error has occurred.' },
  glue: { status: 500, code: 'InternalServiceException', message: 'An internal error has occurred.' },
  iceberg: { status: 500, code: 'InternalServerError', message: 'An internal error has occurred.' },
}

const expiredToken: Record<Service, ErrorAnswer> = {
  s3: { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' },
  sts: {
    status: 403,
    code: 'ExpiredToken',
    message: 'The security token included in the request is expired',
  },
  glue: {
    status: 400,
    code: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
  },
  iceberg: {
    status: 403,
    code: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
  },
}

function answerOf(fault: Fault, service: Service): ErrorAnswer | undefined {
  if (fault.kind === 'slow-down') return slowDown[service]
  if (fault.kind === 'internal-error') return internalError[service]
  if (fault.kind === 'expired-token') return expiredToken[service]
  return fault.kind === 'error' ? fault : undefined
}

/** Whether the operation takes effect before the fault does. */
export const isHandled = (fault: Fault): boolean => 'handled' in fault && fault.handled === true

/** Reply of the first fault that is an error, in the form that the service's errors have. */
export function errorReply(
  faults: readonly Fault[],
  { service }: Pick<RequestInfo, 'service'>,
  requestId: string,
): Reply | undefined {
  const answer = faults.map((fault) => answerOf(fault, service)).find((found) => found !== undefined)
  if (!answer) return undefined
  const { status, code, message } = answer
  if (service === 'sts') return stsError(code, message, status, requestId)
  if (service === 'glue') return jsonError(code, message, status, requestId)
  if (service === 'iceberg') return restError(code, message, status, requestId)
  const headers = { 'content-type': 'application/xml', 'x-amz-request-id': requestId }
  return { status, headers, body: errorXml({ code, message }, { requestId, hostId: requestId }) }
}
