import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { Aws } from '../src/index.ts'
import { canonicalRequest, deriveSigningKey, sign, stringToSign } from '../src/sigv4/canonical.ts'
import { encodeText, parseRawQuery } from '../src/sigv4/encode.ts'

/** An SDK client for the embedded AWS that does not hide failures behind retries. */
export const clientOf = (aws: Aws, options: S3ClientConfig = {}): S3Client =>
  new S3Client({
    endpoint: aws.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: aws.root,
    maxAttempts: 1,
    ...options,
  })

export interface RawRequest {
  method?: string
  /** As it is sent: encoded. */
  path: string
  headers?: Record<string, string>
  body?: Buffer | string
  /** Signs with these; anonymous when null; the root user's when absent. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | null
  region?: string
  service?: string
  /** Value of x-amz-content-sha256; the body's hash when absent. */
  payloadHash?: string
  /** Epoch ms that the request is signed at. */
  signedAt?: number
  /** Changes the headers after they were signed. */
  tamper?: (headers: Record<string, string>) => void
}

export interface RawReply {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  text: string
  /** `<Code>` of an error. */
  code: string | undefined
}

/** Sends a request just as it is given, for what the SDK would not send. */
export function send(aws: Aws, options: RawRequest): Promise<RawReply> {
  const { method = 'GET', path, body = '', credentials = aws.root, tamper } = options
  const headers: Record<string, string> = {
    host: `127.0.0.1:${aws.port}`,
    ...(body.length > 0 || method === 'PUT' ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
    ...options.headers,
  }
  if (credentials) Object.assign(headers, signedHeaders(headers, { ...options, method, body, credentials }))
  tamper?.(headers)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: aws.port, method, path, headers, agent: false },
      (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString('utf8')
          const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1]
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: bytes, text, code })
        })
      },
    )
    outgoing.on('error', reject)
    // A string would be joined to the headers and take their bytes along into UTF-8.
    outgoing.end(Buffer.from(body))
  })
}

const amzDate = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')

const headerList = (headers: Record<string, string>) =>
  new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]))

function splitPath(path: string) {
  const [rawPath = '', rawQuery = ''] = path.split(/\?(.*)/s)
  return {
    pathBytes: rawPath.replace(/%([0-9A-F]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    query: parseRawQuery(rawQuery) ?? [],
    sentPath: rawPath,
  }
}

function signedHeaders(
  headers: Record<string, string>,
  options: RawRequest & {
    method: string
    body: Buffer | string
    credentials: NonNullable<RawRequest['credentials']>
  },
): Record<string, string> {
  const { method, path, credentials, region = 'us-east-1', service = 's3', signedAt = Date.now() } = options
  const payloadHash = options.payloadHash ?? createHash('sha256').update(options.body).digest('hex')
  const date = amzDate(signedAt)
  const added: Record<string, string> = {
    'x-amz-date': date,
    'x-amz-content-sha256': payloadHash,
    ...(credentials.sessionToken && { 'x-amz-security-token': credentials.sessionToken }),
  }
  const all = headerList({ ...headers, ...added })
  const names = [...all.keys()].sort()
  const scope = { date: date.slice(0, 8), region, service }
  const canonical = canonicalRequest({
    method,
    ...splitPath(path),
    headers: all,
    signedHeaders: names,
    payloadHash,
    doubleEncodePath: service !== 's3',
  })
  const signature = sign(
    deriveSigningKey(credentials.secretAccessKey, scope),
    stringToSign(date, scope, canonical),
  )
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.date}/${region}/${service}/aws4_request,SignedHeaders=${names.join(';')},Signature=${signature}`,
  }
}

export interface Presign {
  method?: string
  path: string
  expires?: number | string
  signedAt?: number
  headers?: Record<string, string>
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
}

/** The path and query of a presigned request. */
export function presign(aws: Aws, options: Presign): string {
  const { method = 'GET', path, expires = 60, signedAt = Date.now() } = options
  const credentials: NonNullable<Presign['credentials']> = options.credentials ?? aws.root
  const date = amzDate(signedAt)
  const scope = { date: date.slice(0, 8), region: 'us-east-1', service: 's3' }
  const headers = headerList({ host: `127.0.0.1:${aws.port}`, ...options.headers })
  const names = [...headers.keys()].sort()
  const parameters: Record<string, string> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope.date}/us-east-1/s3/aws4_request`,
    'X-Amz-Date': date,
    'X-Amz-Expires': String(expires),
    'X-Amz-SignedHeaders': names.join(';'),
    ...(credentials.sessionToken && { 'X-Amz-Security-Token': credentials.sessionToken }),
  }
  const added = Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeText(value)}`)
    .join('&')
  const full = `${path}${path.includes('?') ? '&' : '?'}${added}`
  const canonical = canonicalRequest({
    method,
    ...splitPath(full),
    headers,
    signedHeaders: names,
    payloadHash: 'UNSIGNED-PAYLOAD',
    doubleEncodePath: false,
  })
  const key = deriveSigningKey(credentials.secretAccessKey, scope)
  return `${full}&X-Amz-Signature=${sign(key, stringToSign(date, scope, canonical))}`
}
