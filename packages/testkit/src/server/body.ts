import type { Exchange } from './exchange.ts'

/** Reads a body into memory; undefined when it has more bytes than `most`. */
export async function readBody({ body }: Exchange, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > most) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
