import { createReadStream } from 'node:fs'

const quote = 0x22
const newline = 0x0a

/** Number of the CSV record that ends at a line of a file, both from 1: a quoted text may go over several lines. */
export const rowAtLine = async (path: string, line: number): Promise<number> => {
  let rows = 0
  let lines = 0
  let quoted = false
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>)
    for (const byte of chunk) {
      if (byte === quote) quoted = !quoted
      if (byte !== newline) continue
      if (!quoted) rows++
      if (++lines >= line) return quoted ? rows + 1 : rows
    }
  return rows + 1
}
