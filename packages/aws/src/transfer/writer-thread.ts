import { answerCalls } from '../threads/answer-calls.ts'
import { type RangeWriter, rangeWriter, writeSmallFile } from './file-writing.ts'
import type { WriteRequest } from './writers.ts'

/** Runs in a thread of its own: writes files and hashes what it writes, so that the thread of the sockets is free. */
const ranges = new Map<number, RangeWriter>()

answerCalls((request: WriteRequest): bigint | undefined => {
  if (request.type === 'small') {
    writeSmallFile(request.file)
    return undefined
  }
  const { id } = request
  if (request.type === 'open') {
    ranges.set(id, rangeWriter(request.range))
    return undefined
  }
  const range = ranges.get(id)
  if (request.type === 'write') {
    range?.write(request.block)
    return undefined
  }
  ranges.delete(id)
  return range?.crc()
})
