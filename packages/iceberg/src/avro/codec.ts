import { crc32, inflateRawSync, zstdDecompressSync } from 'node:zlib'
import { unsupported } from '../errors.ts'
import { decompressSnappy } from './snappy.ts'

/** A block of an Avro file may not grow beyond this, in bytes: a damaged or hostile length ends here. */
const maxBlockBytes = 512 * 1024 * 1024

/** The function that decompresses a block of the named codec. Refuses codecs that are not read here by name. */
export const codecOf = (name: string, path: string): ((block: Uint8Array) => Uint8Array) => {
  const options = { maxOutputLength: maxBlockBytes }
  switch (name) {
    case 'null':
      return (block) => block
    case 'deflate':
      return (block) => inflateRawSync(block, options)
    case 'zstandard':
      return (block) => zstdDecompressSync(block, options)
    case 'snappy':
      return (block) => {
        if (block.length < 4) throw new RangeError('Snappy block has no checksum')
        const body = decompressSnappy(block.subarray(0, -4), maxBlockBytes)
        const expected = new DataView(block.buffer, block.byteOffset + block.length - 4, 4).getUint32(0)
        if (crc32(body) !== expected) throw new RangeError('Snappy block has a wrong checksum')
        return body
      }
    default:
      throw unsupported(
        `The Avro codec "${name}" of ${path}`,
        'Codecs that can be read: null, deflate, snappy, zstandard. Rewrite the manifests or the data with one of them.',
        path,
      )
  }
}
