import type { ExportStream, GrowingFile } from '@penstock/core'
import { eachOf } from '../each.ts'
import { fileOptions } from '../objects.ts'
import { readRecipientKey } from '../openpgp.ts'
import { extensionOf, layoutOf } from '../options.ts'
import { writeNote } from '../state/notes.ts'
import { growingFiles } from './growing.ts'
import { requireFree } from './publish.ts'
import { createStaging, type StagedFile } from './staged.ts'
import type { Try } from './try.ts'

/** Files whose bytes are sent at a time; the connection limits the requests. */
const filesAtOnce = 16
/** With encryption each one also holds parts in memory. */
const encryptedAtOnce = 2

/**
 * From this size on it is worth a request to learn before the upload that the key is taken; also of a file that is
 * still being written, whose size nobody knows.
 */
const earlyCheckBytes = 64 << 20

/** Sends the files of all streams, one stream after another. What was sent is in `staged`, also after a failure. */
export const stageStreams = async (current: Try, staged: StagedFile[]): Promise<void> => {
  const { context, request, store, author, names, own } = current
  const { options, streams, onProgress } = request
  const stop = new AbortController()
  const signal = AbortSignal.any([current.signal, stop.signal])
  const publicKey = options.publicKey ?? context.config.publicKey
  const recipient = publicKey === undefined ? undefined : await readRecipientKey(publicKey, context.clock())
  const staging = createStaging({
    access: store.access,
    object: fileOptions(context.config, author, recipient ? 'gpg' : extensionOf(options)),
    recipient,
    signal,
    hold: current.hold,
    note: async ({ key, uploadId }) => {
      current.uploads.set(uploadId, key)
      const note = store.keys.upload(author, current.uploads.size)
      await writeNote(store.access, note, { key, uploadId }, { ...store.object, signal })
    },
  })

  const stageFile = async (
    stream: ExportStream,
    file: GrowingFile,
    order: number,
    onBytes: (bytes: number) => void,
  ): Promise<void> => {
    try {
      const key = names.fileKey(stream, file)
      const growth = await staging.look(file)
      if (!growth.complete || growth.bytes >= earlyCheckBytes)
        await requireFree(key, { access: store.access, author, own, retried: request.run.retried, signal })
      staged.push(await staging.stage({ stream: stream.name, key, file, growth, order, onBytes }))
    } catch (error) {
      stop.abort(error)
      throw error
    } finally {
      await file.release()
    }
  }

  let order = 0
  for (const stream of streams) {
    const totals = { stream: stream.name, files: 0, bytes: 0, rows: 0 }
    const add = (more: { files?: number; bytes?: number; rows?: number }): void => {
      totals.files += more.files ?? 0
      totals.bytes += more.bytes ?? 0
      totals.rows += more.rows ?? 0
      onProgress({ ...totals })
    }
    const files = stoppingAt(growingFiles(stream, layoutOf(options)), stop)
    await eachOf(files, recipient ? encryptedAtOnce : filesAtOnce, async (file) => {
      await stageFile(stream, file, order++, (bytes) => add({ bytes }))
      add({ files: 1, rows: (await file.finished).rows })
    })
  }
  staged.sort((a, b) => a.order - b.order)
}

/** Items whose own failure stops what is under way. */
async function* stoppingAt<Item>(
  items: AsyncIterable<Item>,
  stop: AbortController,
): AsyncGenerator<Item, void, undefined> {
  try {
    yield* items
  } catch (error) {
    stop.abort(error)
    throw error
  }
}
