import type { ByteRange } from '@penstock/core'
import type { RangeCheck } from './whole-check.ts'
import type { RangeSink, Writers } from './writers.ts'

/** Writes one range of an object to its place in the file and tells the check of it. The first block waits for the check. */
export const checkedSink = (
  writers: Writers,
  file: { readonly descriptor: number; readonly path: string },
  range: ByteRange,
  check: RangeCheck,
): RangeSink => {
  let position = range.start
  let opened: RangeSink | undefined

  const open = async (): Promise<RangeSink> => {
    const algorithm = await check.algorithm
    opened = writers.range({ descriptor: file.descriptor, start: range.start, algorithm }, file.path)
    return opened
  }

  const write = (sink: RangeSink, block: Uint8Array): void | Promise<void> => {
    position += block.length
    const end = position
    const busy = sink.write(block)
    return busy ? busy.then(() => check.written(end)) : check.written(end)
  }

  return {
    write: (block) => (opened ? write(opened, block) : open().then((sink) => write(sink, block))),
    end: async () => opened?.end(),
    cancel: () => opened?.cancel(),
  }
}
