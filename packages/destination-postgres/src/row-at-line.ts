import { createReadStream } from 'node:fs'

const quote = 0x22
const newline = 0x0a

/**
 * Number of the CSV record in a file that COPY means by a line, both from 1. A quoted text may go over several lines,
 * which COPY counts, but for those of the first record: it does not know yet how lines end (CopyReadLineText of PostgreSQL).
 */
export const rowAtLine = async (path: string, line: number): Promise<number> => {
  let rows = 0
  let lines = 0
  let quoted = false
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>)
    for (const byte of chunk) {
      if (byte === quote) quoted = !quoted
      if (byte !== newline || (quoted && rows === 0)) continue
      if (!quoted) rows++
      if (++lines >= line) return quoted ? rows + 1 : rows
    }
  return rows + 1
}
