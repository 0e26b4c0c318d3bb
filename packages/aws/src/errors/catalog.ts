import { ConnectorError } from '@penstock/core'
import { accessDenied } from './access-denied.ts'
import type { AwsFailure } from './safe-cause.ts'
import type { AwsErrorContext, FailureTranslation } from './translate.ts'

const subjectOf = ({ subject, operation }: AwsErrorContext): string => subject ?? `what ${operation} asks for`

const missing: FailureTranslation = (failure, context) =>
  new ConnectorError('not-found', `There is no ${subjectOf(context)} in the catalog.`, {
    code: 'NoSuchEntity',
    hint: 'Check the name, region, catalog and warehouse; penstock namespaces and penstock tables list what there is.',
    cause: failure,
  })

const notIceberg: FailureTranslation = (failure, context) =>
  new ConnectorError(
    'data',
    `The ${subjectOf(context)} is no Iceberg table, so this endpoint does not give it.`,
    {
      code: 'NotIceberg',
      hint: 'Tables of Parquet, CSV and JSON files are read with catalog glue-api.',
      cause: failure,
    },
  )

const unauthorized: FailureTranslation = (failure, { host }) =>
  new ConnectorError('auth', `The catalog at ${host ?? 'the endpoint'} does not accept the token.`, {
    code: 'NotAuthorized',
    hint: 'Check token, or oauth.clientId, oauth.clientSecret and oauth.scope: it may be wrong, expired or of another catalog.',
    cause: failure,
  })

/** Lake Formation words its refusals on its own, and names no action. */
const lakeFormation: FailureTranslation = (failure, context) =>
  new ConnectorError('permission', `Lake Formation refuses the ${subjectOf(context)}: ${failure.message}.`, {
    code: 'LakeFormation',
    hint: 'Grant the role SELECT on all columns and rows of the table: filters can only be applied by an engine that Lake Formation trusts.',
    cause: failure,
  })

const refused: FailureTranslation = (failure, context) =>
  new ConnectorError('config', `${context.catalog} refused ${context.operation}: ${failure.message}`, {
    code: failure.code,
    hint: 'Check catalog, warehouse and region.',
    cause: failure,
  })

/** Without a signature that the other side could read; SigV4 is what is missing. */
const unsigned: FailureTranslation = (failure, { catalog }) =>
  new ConnectorError('auth', `${catalog} asks for a signed request.`, {
    code: failure.code,
    hint: 'Choose an auth method with credentials.',
    cause: failure,
  })

const byCode: Readonly<Record<string, FailureTranslation>> = {
  EntityNotFoundException: missing,
  NoSuchTableException: missing,
  NoSuchNamespaceException: missing,
  NoSuchWarehouseException: missing,
  NotFoundException: missing,
  NoSuchIcebergTableException: notIceberg,
  NotAuthorizedException: unauthorized,
  ForbiddenException: accessDenied,
  InvalidInputException: refused,
  ValidationException: refused,
  UnknownOperationException: refused,
  MissingAuthenticationTokenException: unsigned,
  IncompleteSignatureException: unsigned,
}

/** How a failure of a catalog is told, where it is told differently than one of S3. */
export const catalogError = (failure: AwsFailure): FailureTranslation | undefined => {
  if (/lake ?formation/i.test(failure.message)) return lakeFormation
  const known = byCode[failure.code]
  if (known) return known
  if (failure.status === 401) return unauthorized
  if (failure.status === 404) return missing
  return undefined
}
