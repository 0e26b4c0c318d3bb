/**
 * Positions of a 64-bit roaring bitmap in its portable form, ascending
 * (https://github.com/RoaringBitmap/RoaringFormatSpec, "extension for 64-bit implementations"). Throws a RangeError
 * for bytes that are none.
 */
export const readRoaring64 = (bytes: Uint8Array): BigUint64Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const buckets = view.getBigUint64(0, true)
  const parts: { high: number; low: Uint32Array }[] = []
  let position = 8
  let total = 0
  let previous = -1
  for (let bucket = 0n; bucket < buckets; bucket++) {
    const high = view.getUint32(position, true)
    if (high <= previous) throw new RangeError('Roaring keys are not in order')
    previous = high
    const bitmap = readRoaring32(view, position + 4)
    position = bitmap.end
    total += bitmap.values.length
    parts.push({ high, low: bitmap.values })
  }
  if (position !== bytes.length) throw new RangeError('Roaring bitmap has bytes after its end')
  const positions = new BigUint64Array(total)
  let index = 0
  for (const { high, low } of parts) {
    const base = BigInt(high) << 32n
    for (const value of low) positions[index++] = base | BigInt(value)
  }
  return positions
}

const cookieWithRuns = 12347
const cookie = 12346
/** With so few containers a bitmap with runs has no offsets. */
const noOffsetThreshold = 4
/** A container of up to so many values is an array of them. */
const maxArray = 4096

const readRoaring32 = (view: DataView, start: number): { values: Uint32Array; end: number } => {
  let position = start
  const first = view.getUint32(position, true)
  position += 4
  const withRuns = (first & 0xffff) === cookieWithRuns
  if (!withRuns && first !== cookie) throw new RangeError('Roaring bitmap has a wrong cookie')
  let containers: number
  let runFlags: number | undefined
  if (withRuns) {
    containers = (first >>> 16) + 1
    runFlags = position
    position += (containers + 7) >> 3
  } else {
    containers = view.getUint32(position, true)
    position += 4
    if (containers > 65536) throw new RangeError('Roaring bitmap has too many containers')
  }
  const headers = position
  position += containers * 4
  if (!withRuns || containers >= noOffsetThreshold) position += containers * 4

  let total = 0
  for (let index = 0; index < containers; index++) total += view.getUint16(headers + index * 4 + 2, true) + 1
  const values = new Uint32Array(total)
  let filled = 0
  for (let index = 0; index < containers; index++) {
    const high = view.getUint16(headers + index * 4, true) * 65536
    const count = view.getUint16(headers + index * 4 + 2, true) + 1
    const isRun =
      runFlags !== undefined && (view.getUint8(runFlags + (index >> 3)) & (1 << (index & 7))) !== 0
    const before = filled
    if (isRun) {
      const runs = view.getUint16(position, true)
      position += 2
      for (let run = 0; run < runs; run++, position += 4) {
        const from = view.getUint16(position, true)
        const length = view.getUint16(position + 2, true)
        for (let value = from; value <= from + length; value++) values[filled++] = high + value
      }
    } else if (count <= maxArray) {
      for (let item = 0; item < count; item++, position += 2)
        values[filled++] = high + view.getUint16(position, true)
    } else {
      for (let word = 0; word < 2048; word++, position += 4) {
        for (let bits = view.getUint32(position, true); bits !== 0; bits &= bits - 1)
          values[filled++] = high + word * 32 + (31 - Math.clz32(bits & -bits))
      }
    }
    if (filled - before !== count)
      throw new RangeError('A roaring container holds another count than it says')
  }
  return { values, end: position }
}
