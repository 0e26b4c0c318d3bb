import { type ByteRange, ConnectorError } from '@penstock/core'

const MiB = 1 << 20
const GiB = 1 << 30

/** Limits of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const minPartBytes = 5 * MiB
/** Also of one PutObject. */
export const maxPartBytes = 5 * GiB
export const maxParts = 10_000

/** Up to this size one PutObject is used: a request instead of four. */
export const singlePutBytes = 16 * MiB
/** Parts of one object in flight at most. */
export const parallelParts = 8

const smallestPart = 8 * MiB

/**
 * Size of the parts of an object of known size: 8 MiB, from 8 GiB on a thousandth of the object, so that few requests
 * are needed and a lost one is a small loss; at most 5 GiB. Throws `config` above 10,000 parts of 5 GiB.
 */
export const partSize = (size: number): number => {
  if (size > maxPartBytes * maxParts)
    throw new ConnectorError('config', `${size} bytes are more than an object in S3 can have.`, {
      code: 'EntityTooLarge',
      hint: 'Split the file: an object has at most 10,000 parts of 5 GiB.',
    })
  return Math.min(maxPartBytes, Math.max(smallestPart, Math.ceil(size / 1000 / MiB) * MiB))
}

/** Parts of an object of known size, in order. An empty object has one empty part. */
export const planParts = (size: number): readonly ByteRange[] => {
  const step = partSize(size)
  return Array.from({ length: Math.max(1, Math.ceil(size / step)) }, (_, index) => ({
    start: index * step,
    end: Math.min(size, (index + 1) * step),
  }))
}

/**
 * Size of a part of a stream whose length nobody knows, by its index: 8 MiB, doubled after each thousand, which is
 * 7.8 TiB with 10,000 parts. A part is held in memory until S3 has it.
 */
export const streamPartSize = (index: number): number => smallestPart * 2 ** Math.floor(index / 1000)
