import { ConnectorError } from '@penstock/core'
import { corrupt } from '../errors.ts'
import { codecOf } from './codec.ts'
import { type Cursor, cursorOf, readBlocks, readBytes, readFixed, readLength, readString } from './decoder.ts'
import { type AvroType, parseAvroSchema } from './schema.ts'

/** The header of an Avro object container file. */
export interface AvroFile {
  readonly path: string
  /** The writer's schema. */
  readonly schema: AvroType
  /** Further entries of the header as text: Iceberg keeps `schema`, `partition-spec`, `format-version`, `content`. */
  readonly metadata: ReadonlyMap<string, string>
  /** Calls `item` with the decompressed data until each block's count of records is read. */
  blocks(): Generator<{ readonly count: number; readonly data: Cursor }>
}

const magic = [0x4f, 0x62, 0x6a, 0x01]

/**
 * Opens an Avro object container file that is in memory (https://avro.apache.org/docs/1.12.0/specification/). Blocks
 * are decompressed one at a time. Throws a `data` error that names the file for bytes that are not Avro.
 */
export const openAvro = (bytes: Uint8Array, path: string): AvroFile => {
  const cursor = cursorOf(bytes)
  const metadata = new Map<string, string>()
  let schema: AvroType
  let sync: Uint8Array
  try {
    if (!magic.every((byte, index) => bytes[index] === byte)) throw new RangeError('Not an Avro file')
    cursor.position = magic.length
    readBlocks(cursor, () => {
      metadata.set(readString(cursor), new TextDecoder().decode(readBytes(cursor)))
    })
    sync = readFixed(cursor, 16)
    schema = parseAvroSchema(JSON.parse(metadata.get('avro.schema') ?? 'null'))
  } catch (error) {
    throw asCorrupt(error, path)
  }
  const decompress = codecOf(metadata.get('avro.codec') ?? 'null', path)
  const start = cursor.position

  return {
    path,
    schema,
    metadata,
    *blocks() {
      const file = cursorOf(bytes)
      file.position = start
      while (file.position < bytes.length) {
        let block: { count: number; data: Cursor }
        try {
          const count = readLength(file)
          const size = readLength(file)
          const body = readFixed(file, size)
          const marker = readFixed(file, 16)
          if (!marker.every((byte, index) => byte === sync[index]))
            throw new RangeError('A block ends with a wrong sync marker')
          block = { count, data: cursorOf(decompress(body)) }
        } catch (error) {
          throw asCorrupt(error, path)
        }
        yield block
        if (block.data.position !== block.data.bytes.length)
          throw corrupt(path, 'An Avro block is longer than its records')
      }
    },
  }
}

/** Wraps what decoding throws into an error that names the file; a ConnectorError stays itself. */
export const asCorrupt = (error: unknown, path: string): ConnectorError =>
  ConnectorError.isInstance(error)
    ? error
    : corrupt(path, error instanceof Error ? error.message : 'Avro data is wrong', error)
