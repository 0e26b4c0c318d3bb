import { type FileHandle, open } from 'node:fs/promises'
import type { ExportFile, ExportStream, FileLayout, GrowingFile } from '@penstock/core'

/** Files of a stream, each as early as the stream gives it. */
export const growingFiles = (stream: ExportStream, layout: FileLayout): AsyncIterable<GrowingFile> =>
  stream.growingFiles ? stream.growingFiles(layout) : grownFiles(stream.files(layout))

async function* grownFiles(files: AsyncIterable<ExportFile>): AsyncGenerator<GrowingFile, void, undefined> {
  for await (const file of files) {
    const { part, partition, path, size } = file
    yield {
      part,
      partition,
      path,
      finished: Promise.resolve(file),
      grown: async (_beyond, signal) => {
        signal?.throwIfAborted()
        return { bytes: size, complete: true }
      },
      release: () => file.release(),
    }
  }
}

/** Bytes that are read at a time: in pieces that keep a disk busy. */
const pieceBytes = 1 << 20

/** The bytes of a file, up to its end, as they come. */
export async function* readGrowing(
  { path, grown }: Pick<GrowingFile, 'path' | 'grown'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let file: FileHandle | undefined
  let position = 0
  try {
    for (;;) {
      const { bytes, complete } = await grown(position, signal)
      file ??= await open(path, 'r')
      while (position < bytes) {
        signal.throwIfAborted()
        const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, bytes - position))
        const { bytesRead } = await file.read(piece, 0, piece.length, position)
        if (bytesRead === 0) throw new Error(`${path} is shorter than it was.`)
        position += bytesRead
        yield piece.subarray(0, bytesRead)
      }
      if (complete) return
    }
  } finally {
    await file?.close()
  }
}
