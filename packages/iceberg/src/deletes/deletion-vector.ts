import { crc32 } from 'node:zlib'
import { corrupt } from '../errors.ts'
import { type FileReader, readRange } from '../file-reader.ts'
import type { TableFile } from '../manifest/manifest.ts'
import { readRoaring64 } from './roaring.ts'

const magic = [0xd1, 0xd3, 0x39, 0x64]

/**
 * The positions of a `deletion-vector-v1` blob, https://iceberg.apache.org/puffin-spec/#deletion-vector-v1-blob-type:
 * length, magic and checksum are verified. Throws a `data` error that names the Puffin file.
 */
export const parseDeletionVector = (blob: Uint8Array, path: string): BigUint64Array => {
  if (blob.length < 12) throw corrupt(path, 'A deletion vector is cut off')
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const length = view.getUint32(0)
  if (length !== blob.length - 8) throw corrupt(path, 'A deletion vector has another length than it says')
  const body = blob.subarray(4, 4 + length)
  if (!magic.every((byte, index) => body[index] === byte))
    throw corrupt(path, 'A deletion vector has wrong magic bytes')
  if (crc32(body) !== view.getUint32(4 + length))
    throw corrupt(path, 'A deletion vector has a wrong checksum')
  try {
    return readRoaring64(body.subarray(4))
  } catch (error) {
    throw corrupt(path, 'A deletion vector is no roaring bitmap', error)
  }
}

/** Reads the bytes of one vector, and no others, out of its Puffin file. */
export const readDeletionVector = async (
  file: TableFile,
  reader: FileReader,
  signal: AbortSignal,
): Promise<BigUint64Array> => {
  const { contentOffset: start, contentSize: size, path } = file
  if (start === undefined || size === undefined || start < 0 || size < 0)
    throw corrupt(path, 'The manifest does not say where a deletion vector lies')
  const blob = await readRange(reader.open(path, file.size), { start, end: start + size }, signal)
  const positions = parseDeletionVector(blob, path)
  if (BigInt(positions.length) !== file.recordCount)
    throw corrupt(path, 'A deletion vector deletes another count of rows than its manifest says')
  return positions
}
