import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ConnectorError, defineDestination, type WrittenFile } from '@penstock/core'
import { z } from 'zod'

/** Which second try makes a second copy, because the first one had taken effect. */
export type BucketWriteMutation = 'doubles-after-500' | 'doubles-after-reset'

/** Files of a bucket that anybody may write to, each request with one more try. */
export const bucketDestination = (mutation?: BucketWriteMutation) => {
  const put = async (url: string, body: Buffer, signal: AbortSignal): Promise<void> => {
    for (let left = 1, suffix = ''; ; left--) {
      let failed: BucketWriteMutation = 'doubles-after-reset'
      try {
        const { status } = await fetch(`${url}${suffix}`, {
          method: 'PUT',
          body: new Uint8Array(body),
          signal,
        })
        if (status === 200) return
        failed = 'doubles-after-500'
      } catch {
        signal.throwIfAborted()
      }
      if (left === 0)
        throw new ConnectorError('network', 'The bucket does not take it.', { hint: 'Run it again.' })
      // The name of a sound one is the same at each try.
      if (mutation === failed) suffix = randomUUID()
    }
  }

  return defineDestination({
    name: 'destination-bucket',
    config: z.strictObject({ url: z.url().describe('URL of the bucket') }),
    capabilities: { modes: ['append'], fileTypes: ['ndjson'] },
    check: async ({ config, signal }) => put(`${config.url}/.check`, Buffer.of(), signal),
    async write({ config, signal }, { run, streams }) {
      const files: WrittenFile[] = []
      for (const stream of streams)
        for await (const file of stream.files({ format: { type: 'ndjson', compression: 'none' } })) {
          const name = `${stream.name}/${run.commitId}-${file.part}`
          await put(`${config.url}/${name}`, await readFile(file.path), signal)
          files.push({ stream: stream.name, name, rows: file.rows, size: file.size })
          await file.release()
        }
      return { files }
    },
  })
}
