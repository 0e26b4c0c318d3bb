import { headerText, type Payload } from '../body/payload.ts'
import { S3Error } from '../errors.ts'
import type { S3Request } from '../service.ts'
import type { ChecksumAlgorithm } from '../store/model.ts'
import { checksumAlgorithms, checksumHeader, checksumSize } from './hashers.ts'

/** The checksum that a client sends with a body. */
export interface ExpectedChecksum {
  algorithm: ChecksumAlgorithm
  /** Base64; read when the body has ended, as it may come behind it. */
  value: (payload: Payload) => string | undefined
}

/** Reads `x-amz-checksum-*` of the headers or of the announced trailers; undefined when there is none. */
export function expectedChecksum({ headers, payload }: S3Request): ExpectedChecksum | undefined {
  const given = checksumAlgorithms.filter((algorithm) => headers[checksumHeader(algorithm)] !== undefined)
  const trailing = checksumAlgorithms.filter((algorithm) =>
    payload.announcedTrailers.includes(checksumHeader(algorithm)),
  )
  if (given.length + trailing.length > 1) {
    throw new S3Error('InvalidRequest', {
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    })
  }
  const [algorithm] = [...given, ...trailing]
  if (!algorithm) {
    if (headers['x-amz-sdk-checksum-algorithm'] === undefined) return undefined
    throw new S3Error('InvalidRequest', {
      message:
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    })
  }
  const name = checksumHeader(algorithm)
  const header = headerText(headers, name)
  if (header !== undefined) requireChecksumValue(algorithm, header)
  return { algorithm, value: ({ trailers }) => header ?? trailers.get(name) }
}

/** Throws InvalidRequest for what is no Base64 of the algorithm's length. */
function requireChecksumValue(algorithm: ChecksumAlgorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== checksumSize[algorithm] || bytes.toString('base64') !== value) {
    throw new S3Error('InvalidRequest', {
      message: `Value for ${checksumHeader(algorithm)} header is invalid.`,
    })
  }
}

/** Parses the name of an algorithm as headers and XML give it. */
export function parseChecksumAlgorithm(text: string | undefined): ChecksumAlgorithm | undefined {
  if (text === undefined) return undefined
  const algorithm = checksumAlgorithms.find((name) => name === text.toUpperCase())
  if (!algorithm) {
    throw new S3Error('InvalidRequest', {
      message: `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithms.join(', ')}]`,
    })
  }
  return algorithm
}

/** Compares what came with what was computed. */
export function requireSameChecksum(
  algorithm: ChecksumAlgorithm,
  expected: string | undefined,
  computed: string,
): void {
  if (expected === undefined || expected === computed) return
  requireChecksumValue(algorithm, expected)
  throw new S3Error('BadDigest', {
    message: `The ${algorithm} you specified did not match the calculated checksum.`,
  })
}
