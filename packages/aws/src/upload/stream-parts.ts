import { sliceBytes } from './bytes.ts'

/**
 * Gathers a stream to parts, each a list of blocks: at least one, of which the only one of an empty stream is empty.
 * Small chunks are put together: a write to the socket costs the same for a few bytes as for many.
 */
export async function* partsOfStream(
  stream: AsyncIterable<Uint8Array>,
  sizeOf: (index: number) => number,
): AsyncGenerator<readonly Uint8Array[]> {
  let blocks: Uint8Array[] = []
  let small: Uint8Array[] = []
  let smallBytes = 0
  let gathered = 0
  let index = 0
  const pack = (): void => {
    if (small.length > 0) blocks.push(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small))
    small = []
    smallBytes = 0
  }
  for await (const chunk of stream) {
    let rest: Uint8Array = chunk
    while (rest.length > 0) {
      const piece = rest.subarray(0, sizeOf(index) - gathered)
      rest = rest.subarray(piece.length)
      gathered += piece.length
      small.push(piece)
      smallBytes += piece.length
      if (smallBytes >= sliceBytes) pack()
      if (gathered < sizeOf(index)) continue
      pack()
      yield blocks
      blocks = []
      gathered = 0
      index++
    }
  }
  pack()
  if (gathered > 0 || index === 0) yield blocks
}
