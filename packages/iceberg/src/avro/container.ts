import { ConnectorError } from '@penstock/core'
import { corrupt } from '../errors.ts'
import { codecOf } from './codec.ts'
import {
  type Cursor,
  cursorOf,
  EndOfData,
  readBlocks,
  readBytes,
  readFixed,
  readLength,
  readString,
} from './decoder.ts'
import { type AvroType, parseAvroSchema } from './schema.ts'

/** The header of an Avro object container file, https://avro.apache.org/docs/1.12.0/specification/. */
export interface AvroHeader {
  /** The writer's schema. */
  readonly schema: AvroType
  /** All entries as text: Iceberg keeps `schema`, `partition-spec-id`, `format-version` and others here. */
  readonly metadata: ReadonlyMap<string, string>
  readonly sync: Uint8Array
  readonly decompress: (block: Uint8Array) => Uint8Array
}

/** A block of records, decompressed. */
export interface AvroBlock {
  readonly count: number
  readonly data: Cursor
}

const magic = [0x4f, 0x62, 0x6a, 0x01]

const parseHeader = (cursor: Cursor, path: string): AvroHeader => {
  const start = readFixed(cursor, magic.length)
  if (!magic.every((byte, index) => start[index] === byte)) throw new RangeError('Not an Avro file')
  const metadata = new Map<string, string>()
  readBlocks(cursor, () => {
    metadata.set(readString(cursor), new TextDecoder().decode(readBytes(cursor)))
  })
  const sync = readFixed(cursor, 16)
  return {
    schema: parseAvroSchema(JSON.parse(metadata.get('avro.schema') ?? 'null')),
    metadata,
    sync,
    decompress: codecOf(metadata.get('avro.codec') ?? 'null', path),
  }
}

const parseBlock = (cursor: Cursor, header: AvroHeader): AvroBlock => {
  const count = readLength(cursor)
  const body = readFixed(cursor, readLength(cursor))
  const marker = readFixed(cursor, 16)
  if (count < 0) throw new RangeError('An Avro block has a negative count')
  if (!marker.every((byte, index) => byte === header.sync[index]))
    throw new RangeError('An Avro block ends with a wrong sync marker')
  return { count, data: cursorOf(header.decompress(body)) }
}

/** A file that is in memory. Throws a `data` error that names the file for bytes that are not Avro. */
export const openAvro = (
  bytes: Uint8Array,
  path: string,
): { readonly header: AvroHeader; blocks(): Generator<AvroBlock> } => {
  const cursor = cursorOf(bytes)
  const header = attempt(path, () => parseHeader(cursor, path))
  return {
    header,
    *blocks() {
      const at: Cursor = { ...cursor }
      while (at.position < bytes.length) {
        const block = attempt(path, () => parseBlock(at, header))
        yield block
        expectEnd(block, path)
      }
    },
  }
}

/** A file that streams in: no more than a block of it is in memory. */
export async function* streamAvro(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<{ readonly header: AvroHeader; readonly block: AvroBlock }> {
  const source = chunks[Symbol.asyncIterator]()
  let pending: Uint8Array = new Uint8Array()
  let ended = false

  const fill = async (needed: number): Promise<void> => {
    const parts = [pending]
    let size = pending.length
    while (size < needed && !ended) {
      const next = await source.next()
      if (next.done) ended = true
      else {
        parts.push(next.value)
        size += next.value.length
      }
    }
    pending = parts.length === 1 ? pending : new Uint8Array(Buffer.concat(parts, size))
  }
  const parse = async <T>(read: (cursor: Cursor) => T): Promise<T> => {
    for (;;) {
      const cursor = cursorOf(pending)
      try {
        const result = read(cursor)
        pending = pending.subarray(cursor.position)
        return result
      } catch (error) {
        if (!(error instanceof EndOfData) || ended) throw asCorrupt(error, path)
        await fill(error.needed)
      }
    }
  }

  try {
    const header = await parse((cursor) => parseHeader(cursor, path))
    for (;;) {
      if (pending.length === 0) await fill(1)
      if (pending.length === 0) return
      const block = await parse((cursor) => parseBlock(cursor, header))
      yield { header, block }
      expectEnd(block, path)
    }
  } finally {
    await source.return?.()
  }
}

const expectEnd = ({ data }: AvroBlock, path: string): void => {
  if (data.position !== data.bytes.length) throw corrupt(path, 'An Avro block is longer than its records')
}

/** Runs a step of decoding, with errors that name the file. */
export const attempt = <T>(path: string, step: () => T): T => {
  try {
    return step()
  } catch (error) {
    throw asCorrupt(error, path)
  }
}

const asCorrupt = (error: unknown, path: string): ConnectorError =>
  ConnectorError.isInstance(error)
    ? error
    : corrupt(path, error instanceof Error ? error.message : 'Avro data is wrong', error)
