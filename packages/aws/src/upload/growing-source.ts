import { type FileHandle, open } from 'node:fs/promises'
import { type FileGrowth, toConnectorError } from '@penstock/core'
import type { S3Client } from '../s3/client.ts'
import type { GrowingFileSource } from '../s3/write-access.ts'
import type { Payload } from './bytes.ts'
import { changed, payloadReader, unreadable } from './local-source.ts'

/** A local file that is sent while somebody appends to it. */
export interface GrowingSource {
  /** Its parts, each as soon as its bytes are there; at least one. Throws what `grown` throws. */
  parts(sizeOf: (index: number) => number, signal: AbortSignal): AsyncGenerator<Payload, void, undefined>
  /** Throws `conflict` when the file was written to after it was complete. */
  assertUnchanged(): Promise<void>
  close(): Promise<void>
}

export const growingSource = ({ path, grown }: GrowingFileSource, client: S3Client): GrowingSource => {
  let opened: Promise<FileHandle> | undefined
  let end: { readonly bytes: number; readonly mtimeNs: bigint } | undefined

  // Not before there are bytes: until then there may be no file.
  const file = (): Promise<FileHandle> => {
    opened ??= open(path, 'r').catch((error: unknown) => {
      throw unreadable(path, error)
    })
    return opened
  }
  const assertUnchanged = async (): Promise<void> => {
    if (!end) return
    const now = await (await file()).stat({ bigint: true })
    if (Number(now.size) !== end.bytes || now.mtimeNs !== end.mtimeNs) throw changed(path)
  }
  const lookAt = async ({ bytes, complete }: FileGrowth): Promise<void> => {
    if (!complete || end) return
    const { mtimeNs } = await (await file()).stat({ bigint: true })
    end = { bytes, mtimeNs }
    await assertUnchanged()
  }

  async function* parts(
    sizeOf: (index: number) => number,
    signal: AbortSignal,
  ): AsyncGenerator<Payload, void, undefined> {
    let start = 0
    for (let index = 0; ; index++) {
      const full = start + sizeOf(index)
      const growth = await grown(full - 1, signal).catch((error: unknown) => {
        throw toConnectorError(error)
      })
      await lookAt(growth)
      const stop = Math.min(full, growth.bytes)
      if (stop > start || index === 0) {
        const read = payloadReader(await file(), path, client)
        yield await read({ start, end: stop }, client.verify)
      }
      if (growth.complete && growth.bytes <= full) return
      start = full
    }
  }

  return Object.freeze({
    parts,
    assertUnchanged,
    close: async () => {
      await (await opened?.catch(() => undefined))?.close()
    },
  })
}
