import type { Reply } from '../types.ts'

/** HTTP status and, for the Iceberg REST endpoint, the status there. Source: AWS Glue API reference, "Exceptions". */
const statuses = {
  AccessDeniedException: 403,
  AlreadyExistsException: 409,
  EntityNotFoundException: 404,
  IncompleteSignatureException: 400,
  InternalServiceException: 500,
  InvalidInputException: 400,
  InvalidSignatureException: 403,
  ExpiredTokenException: 403,
  MissingAuthenticationTokenException: 403,
  NotAuthorizedException: 401,
  NoSuchIcebergTableException: 404,
  NoSuchNamespaceException: 404,
  NoSuchTableException: 404,
  UnknownOperationException: 400,
  UnrecognizedClientException: 403,
  ValidationException: 400,
} as const

export type GlueErrorCode = keyof typeof statuses

/** An error of Glue, S3 Tables or an Iceberg REST catalog. */
export class GlueError extends Error {
  readonly code: GlueErrorCode

  constructor(code: GlueErrorCode, message: string) {
    super(message)
    this.name = 'GlueError'
    this.code = code
  }
}

/** The error as the JSON protocol has it: everything that is not the server's fault is a 400. */
export const jsonError = (code: string, message: string, status: number, requestId: string): Reply => ({
  status,
  headers: {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': requestId,
    'x-amzn-errortype': code,
  },
  body: JSON.stringify({ __type: code, Message: message }),
})

/** The error as the Iceberg REST specification has it. */
export const restError = (code: string, message: string, status: number, requestId: string): Reply => ({
  status,
  headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
  body: JSON.stringify({ error: { message, type: code, code: status } }),
})

export const restStatus = (code: GlueErrorCode): number => statuses[code]

export const jsonStatus = (code: GlueErrorCode): number => (statuses[code] >= 500 ? statuses[code] : 400)
