import { corrupt } from '../errors.ts'
import { type AvroFile, asCorrupt } from './container.ts'
import { compileShape, type DecodedRecord, type Shape } from './record.ts'

/** The records of an Avro file in a shape, one at a time. Throws a `data` error that names the file. */
export function* readRecords(file: AvroFile, shape: Shape): Generator<DecodedRecord> {
  let read: ReturnType<typeof compileShape>
  try {
    read = compileShape(file.schema, shape)
  } catch (error) {
    throw asCorrupt(error, file.path)
  }
  for (const { count, data } of file.blocks()) {
    for (let left = count; left > 0; left--) {
      let record: ReturnType<typeof read>
      try {
        record = read(data)
      } catch (error) {
        throw asCorrupt(error, file.path)
      }
      if (!isRecord(record)) throw corrupt(file.path, 'The Avro file holds no records')
      yield record
    }
  }
}

const isRecord = (value: unknown): value is DecodedRecord => typeof value === 'object' && value !== null
