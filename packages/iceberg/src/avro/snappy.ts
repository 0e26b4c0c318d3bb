/**
 * Decompresses one raw Snappy block (not the framing format), as Avro's `snappy` codec has it.
 * https://github.com/google/snappy/blob/main/format_description.txt
 */
export const decompressSnappy = (input: Uint8Array, maxBytes: number): Uint8Array => {
  let position = 0
  const next = (): number => {
    const byte = input[position++]
    if (byte === undefined) throw new RangeError('Snappy data ends early')
    return byte
  }
  const littleEndian = (bytes: number): number => {
    let value = 0
    for (let index = 0; index < bytes; index++) value += next() * 2 ** (8 * index)
    return value
  }

  let size = 0
  for (let shift = 0; ; shift += 7) {
    if (shift > 28) throw new RangeError('Snappy length is too long')
    const byte = next()
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (size > maxBytes) throw new RangeError(`Snappy block of ${size} bytes is too large`)

  const output = new Uint8Array(size)
  let written = 0
  while (position < input.length) {
    const tag = next()
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >> 2
      const length = 1 + (short < 60 ? short : littleEndian(short - 59))
      if (position + length > input.length || written + length > size)
        throw new RangeError('Snappy literal passes the end')
      output.set(input.subarray(position, position + length), written)
      position += length
      written += length
      continue
    }
    const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2)
    const offset = kind === 1 ? ((tag >> 5) << 8) | next() : littleEndian(kind === 2 ? 2 : 4)
    if (offset === 0 || offset > written || written + length > size)
      throw new RangeError('Snappy copy points outside the data')
    // Copies may overlap what they write: byte by byte is the meaning.
    for (let index = 0; index < length; index++, written++) output[written] = output[written - offset] ?? 0
  }
  if (written !== size) throw new RangeError('Snappy data is shorter than announced')
  return output
}
