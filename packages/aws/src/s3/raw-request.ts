import { ConnectorError } from '@penstock/core'
import { translateAwsError } from '../errors/translate.ts'
import type { S3Client } from './client.ts'
import type { S3Request, S3Transport } from './transport.ts'
import type { RawRequest, RawResponse } from './write-access.ts'

const methods = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const

/** Headers that signing makes, or that would send the request elsewhere. */
const own = new Set([
  'authorization',
  'connection',
  'content-length',
  'expect',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'accept-encoding',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
])

const refuse = (message: string, hint: string): never => {
  throw new ConnectorError('config', message, { code: 'InvalidRequest', hint })
}

const methodOf = (text: string): S3Request['method'] => {
  const method = methods.find((name) => name === text.toUpperCase())
  return method ?? refuse(`${text} is no method of S3.`, `Methods: ${methods.join(', ')}.`)
}

/** Sends one request to the service, signed with the connection's credentials; any status is an answer. */
export const rawRequest = async (
  client: S3Client,
  transport: S3Transport,
  request: RawRequest,
): Promise<RawResponse> => {
  const method = methodOf(request.method)
  const headers: Record<string, string> = {}
  for (const [given, value] of Object.entries(request.headers ?? {})) {
    const name = given.toLowerCase()
    if (own.has(name))
      refuse(
        `The header ${given} can't be set: the request is signed with the credentials of the connection.`,
        'Remove it. Signature, token, date and length are added.',
      )
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value))
      refuse(`The header ${JSON.stringify(given)} has characters that no header can have.`, 'Use ASCII.')
    headers[name] = value.trim()
  }
  const { body, path, query = {} } = request
  const signal = client.signals(request.signal)
  try {
    return await transport.send({
      operation: method === 'GET' || method === 'HEAD' ? 'GetRaw' : 'Raw',
      method,
      path,
      query,
      headers,
      body,
      anyStatus: true,
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw new ConnectorError('cancelled', 'Cancelled.')
    throw translateAwsError(error, client.context(`${method} ${path}`, 's3:*'))
  }
}
