import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { csvExportOptions, defineDestination, type WrittenFile } from '@penstock/core'
import { z } from 'zod'

const config = z.object({ folder: z.string().min(1).describe('Folder that the exports are written to') })
const options = z.strictObject({
  fileType: z.enum(['csv', 'parquet']).default('csv').describe('Type of the files'),
  maxRows: z.int().min(1).optional().describe('Rows of one file at most'),
})

/** Files in a folder: each run is a subfolder, which appears as a whole. */
export default defineDestination({
  name: 'folder',
  config,
  options,
  capabilities: { modes: ['append', 'overwrite'], fileTypes: ['csv', 'parquet'] },
  check: async ({ config }) => void (await mkdir(config.folder, { recursive: true })),
  write: async ({ config }, { run, options: { fileType, maxRows }, streams, onProgress }) => {
    const folder = join(config.folder, run.exportId)
    const [unfinished, complete] = [join(folder, `.${run.commitId}`), join(folder, run.commitId)]
    const files: WrittenFile[] = []
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    const csv = { type: 'csv', compression: 'none', ...csvExportOptions.parse({}) } as const
    const format = fileType === 'csv' ? csv : ({ type: 'parquet', compression: 'zstd' } as const)
    for (const { name: stream, ...source } of streams)
      for await (const file of source.files({ format, ...(maxRows !== undefined && { maxRows }) })) {
        const name = `${stream}_${file.part}.${fileType}`
        await cp(file.path, join(unfinished, name))
        await file.release()
        files.push({ stream, name: join(run.commitId, name), rows: file.rows, size: file.size })
        onProgress({ stream, files: file.part, bytes: file.size, rows: file.rows })
      }
    await rm(complete, { recursive: true, force: true })
    await rename(unfinished, complete)
    const others = (await readdir(folder)).filter((name) => name !== run.commitId)
    const removed = run.mode === 'overwrite' ? others : []
    for (const name of removed) await rm(join(folder, name), { recursive: true, force: true })
    return { files, removed }
  },
})
