import { ConnectorError } from '@penstock/core'

/** Domain suffix of each AWS partition, by the beginning of its region names. */
const partitions: readonly { readonly region: RegExp; readonly id: string; readonly suffix: string }[] = [
  { region: /^cn-/, id: 'aws-cn', suffix: 'amazonaws.com.cn' },
  { region: /^us-gov-/, id: 'aws-us-gov', suffix: 'amazonaws.com' },
  { region: /^us-isob-/, id: 'aws-iso-b', suffix: 'sc2s.sgov.gov' },
  { region: /^us-isof-/, id: 'aws-iso-f', suffix: 'csp.hci.ic.gov' },
  { region: /^us-iso-/, id: 'aws-iso', suffix: 'c2s.ic.gov' },
  { region: /^eu-isoe-/, id: 'aws-iso-e', suffix: 'cloud.adc-e.uk' },
  { region: /^eusc-/, id: 'aws-eusc', suffix: 'amazonaws.eu' },
]

/** Partition of a region: what ARNs begin with (`arn:aws-cn:`) and what host names end with. */
export const awsPartition = (region: string | undefined): { readonly id: string; readonly suffix: string } =>
  partitions.find((partition) => partition.region.test(region ?? '')) ?? {
    id: 'aws',
    suffix: 'amazonaws.com',
  }

/** True for an address of this machine: what may be spoken to without TLS and without a proxy. */
export const isLoopback = (hostname: string): boolean => {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
  )
}

const isAddress = (hostname: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(hostname) || hostname.startsWith('[')

/** Why an endpoint must not be used, or undefined when it may be. */
export const endpointProblem = (endpoint: string, allowInsecure: boolean): string | undefined => {
  if (!URL.canParse(endpoint)) return 'Not a URL; it looks like https://host or https://host:port'
  const url = new URL(endpoint)
  if (url.username !== '' || url.password !== '') return 'An endpoint holds no user name and no password'
  if (url.search !== '' || url.hash !== '') return 'An endpoint has no query and no fragment'
  if (url.protocol === 'https:') return undefined
  if (url.protocol !== 'http:') return 'An endpoint begins with https://'
  if (isLoopback(url.hostname) || allowInsecure) return undefined
  return 'Plain http sends data unencrypted: use https, or set allowInsecure to true if you accept that'
}

/** Where and how the requests for one bucket go. */
export interface BucketAddress {
  readonly origin: string
  /** Value of the Host header. */
  readonly host: string
  readonly hostname: string
  /** What comes before the encoded key in a path: empty, or `/bucket`, behind the path of the endpoint. */
  readonly path: string
  readonly pathStyle: boolean
}

export interface BucketAddressOptions {
  readonly region: string
  readonly bucket: string
  readonly endpoint?: string | undefined
  readonly forcePathStyle?: boolean | undefined
  readonly allowInsecure?: boolean | undefined
}

/**
 * Address of a bucket. AWS is addressed by host name, but for names with a dot, which no wildcard certificate
 * covers. Another endpoint is addressed by path, unless `forcePathStyle: false` asks for host names: nearly all
 * S3-compatible stores understand paths, few have a DNS entry for each bucket.
 */
export const bucketAddress = (options: BucketAddressOptions): BucketAddress => {
  const { region, bucket, endpoint } = options
  const problem =
    endpoint === undefined ? undefined : endpointProblem(endpoint, options.allowInsecure ?? false)
  if (problem) throw new ConnectorError('config', `endpoint: ${problem}.`, { code: 'InvalidConfiguration' })
  const url = new URL(endpoint ?? `https://s3.${region}.${awsPartition(region).suffix}`)
  const pathStyle = usesPathStyle(url, options)
  const hostname = pathStyle ? url.hostname : `${bucket}.${url.hostname}`
  const host = url.port === '' ? hostname : `${hostname}:${url.port}`
  const base = url.pathname.replace(/\/+$/, '')
  return Object.freeze({
    origin: `${url.protocol}//${host}`,
    host,
    hostname,
    path: pathStyle ? `${base}/${bucket}` : base,
    pathStyle,
  })
}

/** Address of the service of a region, for requests whose path names the bucket. */
export const serviceAddress = (options: BucketAddressOptions): BucketAddress => {
  const { bucket } = options
  const address = bucketAddress({ ...options, forcePathStyle: true })
  return Object.freeze({ ...address, path: address.path.slice(0, -`/${bucket}`.length) })
}

const usesPathStyle = (url: URL, { bucket, endpoint, forcePathStyle }: BucketAddressOptions): boolean => {
  if (isAddress(url.hostname)) return true
  if (forcePathStyle !== undefined) return forcePathStyle
  if (endpoint !== undefined && !/\.amazonaws\.(com|com\.cn|eu)$/.test(url.hostname)) return true
  return url.protocol === 'https:' && bucket.includes('.')
}
