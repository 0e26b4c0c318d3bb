import { corrupt } from '../errors.ts'
import { attempt, type openAvro } from './container.ts'
import { compileShape, type DecodedRecord, type Shape } from './record.ts'

/** The records of an Avro file in a shape, one at a time. Throws a `data` error that names the file. */
export function* readRecords(
  file: ReturnType<typeof openAvro>,
  path: string,
  shape: Shape,
): Generator<DecodedRecord> {
  const read = attempt(path, () => compileShape(file.header.schema, shape))
  for (const { count, data } of file.blocks()) {
    for (let left = count; left > 0; left--) {
      const record = attempt(path, () => read(data))
      if (!isRecord(record)) throw corrupt(path, 'The Avro file holds no records')
      yield record
    }
  }
}

const isRecord = (value: unknown): value is DecodedRecord => typeof value === 'object' && value !== null
