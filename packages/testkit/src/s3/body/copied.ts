import { createHash } from 'node:crypto'
import type { S3Service } from '../service.ts'
import type { Checksum, ChecksumAlgorithm, Segment } from '../store/model.ts'
import { cutSegments } from '../store/store.ts'
import type { ReceivedBody } from './receive.ts'

export interface CopyRange {
  segments: readonly Segment[]
  start: number
  length: number
  /** Of the range, where it is known, so that nothing has to be read. */
  md5?: string
  checksum?: Checksum
}

/**
 * A body made of bytes that are in the store already. The bytes stay where they are; they are read only for a hash
 * that is not known. Call `release` once something refers to the body, or nothing will.
 */
export async function copyBody(
  { store, hashers }: S3Service,
  range: CopyRange,
  algorithm: ChecksumAlgorithm,
): Promise<{ body: ReceivedBody; release: () => void }> {
  const segments = cutSegments(range.segments, range.start, range.length)
  const release = store.pin(segments)
  try {
    const known = range.checksum?.algorithm === algorithm && range.checksum.type === 'FULL_OBJECT'
    let { md5, checksum } = range
    if (md5 === undefined || !checksum || !known) {
      const hasher = await hashers(algorithm)
      const md5Hash = createHash('md5')
      const bytes = store.read(range.segments, range.start, range.length)
      for await (const chunk of Buffer.isBuffer(bytes) ? [bytes] : bytes) {
        hasher.update(chunk)
        md5Hash.update(chunk)
      }
      md5 = md5Hash.digest('hex')
      checksum = { algorithm, value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' }
    }
    return { body: { segments, size: range.length, md5, checksum, answered: checksum }, release }
  } catch (error) {
    release()
    throw error
  }
}
