const marker = Symbol.for('penstock.AwsFailure')

/** What a service answered instead of success, without anything that a request carried. */
export interface AwsFailure extends Error {
  /** `AccessDenied`, `SlowDown` ...; `Http403` where the answer named none (HEAD has no body). */
  readonly code: string
  /** HTTP status, 0 where there was none. */
  readonly status: number
  /** Headers by lower-case name: only those that explain a failure. */
  readonly headers: Readonly<Record<string, string>>
  /** Elements of the error document, such as `Region`; without signatures and strings to sign. */
  readonly fields: Readonly<Record<string, string>>
}

/** Headers of an answer that a message or a retry may use. */
const explainingHeaders = ['date', 'retry-after', 'x-amz-bucket-region', 'x-amz-request-id', 'location']
/** Elements of error documents that hold no trace of the signature or the token. */
const explainingFields = [
  'Region',
  'Endpoint',
  'Bucket',
  'BucketName',
  'ServerTime',
  'RequestTime',
  'StorageClass',
  'RequestId',
  'Condition',
]

const pick = (
  source: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    names.flatMap((name) => (typeof source[name] === 'string' ? [[name, source[name]]] : [])),
  )

/** Removes what proves an identity from a text of the service or of a library. */
export const scrub = (text: string): string =>
  text
    .replace(/(Canonical String|String-to-Sign|StringToSign).*$/is, '[request]')
    .replace(/Authorization['"]?\s*[:=].*$/gim, 'Authorization: [secret]')
    .replace(/((?:X-Amz-)?(?:Signature|Security-Token|Credential)['"]?\s*[:=]\s*)[^\s&,;'"]+/gi, '$1[secret]')

export const awsFailure = (options: {
  code: string
  message: string
  status: number
  headers: Readonly<Record<string, unknown>>
  fields: Readonly<Record<string, unknown>>
}): AwsFailure => {
  const error = new Error(scrub(options.message))
  error.name = options.code
  return Object.defineProperties(
    Object.assign(error, {
      code: options.code,
      status: options.status,
      headers: pick(options.headers, explainingHeaders),
      fields: pick(options.fields, explainingFields),
    }),
    { [marker]: { value: true } },
  )
}

export const isAwsFailure = (value: unknown): value is AwsFailure =>
  typeof value === 'object' && value !== null && marker in value

/**
 * A cause that is safe to print: name, message and system code of an error, and those of its own causes. Request
 * objects, headers and whatever else libraries hang on their errors stay behind.
 */
export const safeCause = (error: unknown, depth = 0): Error | undefined => {
  if (error === undefined || error === null || depth > 4) return undefined
  if (isAwsFailure(error)) return error
  if (!(error instanceof Error)) return new Error(scrub(String(error)))
  const nested = error instanceof AggregateError ? error.errors[0] : error.cause
  const cause = safeCause(nested, depth + 1)
  const safe = new Error(scrub(error.message), cause ? { cause } : undefined)
  safe.name = error.name
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? Object.assign(safe, { code }) : safe
}

interface SdkError {
  readonly name?: string
  readonly Code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Record<string, string> }
}

/** An exception of the SDK as an {@link AwsFailure}; undefined for anything else. */
export const failureOfSdkError = (error: unknown): AwsFailure | undefined => {
  if (isAwsFailure(error)) return error
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const { name, Code, message, $metadata, $response } = error as unknown as SdkError
  const status = $metadata?.httpStatusCode ?? $response?.statusCode ?? 0
  if (status === 0) return undefined
  const anonymous =
    Code === undefined && (name === undefined || /^(\d+|Error|UnknownError|Unknown)$/.test(name))
  return awsFailure({
    code: anonymous ? `Http${status}` : (Code ?? name ?? `Http${status}`),
    message: message ?? '',
    status,
    headers: $response?.headers ?? {},
    fields: error as unknown as Record<string, unknown>,
  })
}
