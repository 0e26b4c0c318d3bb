import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError, csvExportOptions, defineDestination, type WrittenFile } from '@penstock/core'
import { z } from 'zod'

/** What a connection needs. Its flags, wizard, JSON Schema and types come from this. */
const config = z.strictObject({
  folder: z
    .string()
    .min(1)
    .meta({ title: 'Folder', description: 'Folder that Acme reads', examples: ['/srv/acme'] }),
})

/** What one export can choose. */
const options = z.strictObject({
  fileType: z.enum(['csv', 'ndjson', 'parquet']).default('csv').describe('Type of the files'),
  maxRows: z.int().min(1).optional().describe('Rows of one file at most'),
})

const formats = {
  csv: { type: 'csv', compression: 'none', ...csvExportOptions.parse({}) },
  ndjson: { type: 'ndjson', compression: 'none' },
  parquet: { type: 'parquet', compression: 'zstd' },
} as const

/** Files in a folder of Acme. Each run is a subfolder, which appears as a whole when it is complete. */
export default defineDestination({
  name: 'destination-acme',
  title: 'Acme',
  description: 'Exports as files into a folder of Acme',
  config,
  options,
  capabilities: { modes: ['append', 'overwrite'], fileTypes: ['csv', 'ndjson', 'parquet'] },
  check: async ({ config }) => requireFolder(config.folder),
  write: async ({ config, signal }, { run, options: { fileType, maxRows }, streams, onProgress }) => {
    await requireFolder(config.folder)
    const folder = join(config.folder, run.exportId)
    const complete = join(folder, run.commitId)
    // Readers pass over names with a dot: what is in it becomes visible by one rename.
    const unfinished = join(folder, `.${run.commitId}`)
    const files: WrittenFile[] = []
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    try {
      const layout = { format: formats[fileType], ...(maxRows !== undefined && { maxRows }) }
      for (const stream of streams) {
        let [bytes, rows] = [0, 0]
        for await (const file of stream.files(layout)) {
          signal.throwIfAborted()
          const name = `${fileNameOf(stream.name)}_${file.part}.${fileType}`
          await copyFile(file.path, join(unfinished, name))
          await file.release()
          files.push({
            stream: stream.name,
            name: join(run.exportId, run.commitId, name),
            rows: file.rows,
            size: file.size,
          })
          bytes += file.size
          rows += file.rows
          onProgress({ stream: stream.name, files: file.part, bytes, rows })
        }
      }
      signal.throwIfAborted()
      // An earlier try of this run may have come this far: its copy gives way to this one.
      await rm(complete, { recursive: true, force: true })
      await rename(unfinished, complete)
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true })
      throw error
    }
    const earlier = (await readdir(folder)).filter((name) => name !== run.commitId && !name.startsWith('.'))
    const removed = run.mode === 'overwrite' ? earlier : []
    for (const name of removed) await rm(join(folder, name), { recursive: true, force: true })
    return { files, removed: removed.map((name) => join(run.exportId, name)) }
  },
})

const requireFolder = async (path: string): Promise<void> => {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return
  throw new ConnectorError(found ? 'config' : 'not-found', `${path} is no folder.`, {
    hint: 'Make the folder, or give another one.',
  })
}

/** A stream's name may be anything; a file's name may not. */
const fileNameOf = (stream: string): string => encodeURIComponent(stream).slice(0, 200)
