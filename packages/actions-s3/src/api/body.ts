import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { ConnectorError } from '@penstock/core'
import { noStream } from '../actions/download-file.ts'
import type { S3ActionContext } from '../config.ts'
import { localError } from '../local/folder.ts'

/** S3 wants the length beforehand: stdin is held in memory up to this size. */
const maxStdinBytes = 64 << 20

export interface ApiBody {
  readonly length: number
  readonly open: () => Uint8Array | AsyncIterable<Uint8Array>
  readonly sha256?: string
  /** Headers that some operations ask for; the user's own go on top. */
  readonly headers: Readonly<Record<string, string>>
}

/** The body of a request: a text, a file or stdin. */
export const bodyOf = async (
  context: S3ActionContext,
  input: { readonly body?: string | undefined; readonly bodyFile?: string | undefined },
): Promise<ApiBody | undefined> => {
  const { body, bodyFile } = input
  if (body !== undefined && bodyFile !== undefined)
    throw new ConnectorError('config', 'Give the body as a text or as a file, not both.', {
      code: 'TwoBodies',
    })
  if (body !== undefined) return bytesBody(Buffer.from(body))
  if (bodyFile === undefined) return undefined
  if (bodyFile === '-') return bytesBody(await readStdin(context))
  const found = statSync(bodyFile, { throwIfNoEntry: false })
  if (!found?.isFile()) throw localError(Object.assign(new Error('no file'), { code: 'ENOENT' }), bodyFile)
  return {
    length: found.size,
    open: () => createReadStream(bodyFile, { end: Math.max(0, found.size - 1), highWaterMark: 1 << 18 }),
    headers: {},
  }
}

const bytesBody = (bytes: Buffer): ApiBody => ({
  length: bytes.length,
  open: () => bytes,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  headers: { 'content-md5': createHash('md5').update(bytes).digest('base64') },
})

const readStdin = async ({ stdin }: S3ActionContext): Promise<Buffer> => {
  if (!stdin) throw noStream('stdin')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stdin) {
    size += chunk.length
    if (size > maxStdinBytes)
      throw new ConnectorError('resource', 'stdin is longer than 64 MiB.', {
        code: 'BodyTooLarge',
        hint: 'Give a file, or use put, which uploads streams of any length.',
      })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
