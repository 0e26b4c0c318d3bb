import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError, type TableEngine } from '@penstock/core'
import { z } from 'zod'
import { writeFileAtomically } from '../project/atomic.ts'
import { prepareStateFolder } from '../project/edit.ts'

const windowState = z.object({ column: z.string(), after: z.string().optional(), to: z.string().optional() })

const exportState = z.object({
  version: z.literal(1),
  /** What a run is about to write, stored before it does. There as long as nobody knows whether it was written. */
  intent: z
    .object({
      commitId: z.string(),
      mode: z.string(),
      loadTime: z.string(),
      scheduledTime: z.string().optional(),
      windows: z.record(z.string(), windowState),
    })
    .optional(),
  /** The run that was completed last: who asks for it again, not knowing that, gets its record and no second copy. */
  done: z.object({ runId: z.string(), record: z.unknown() }).optional(),
  /** Cursor of each stream, by its id, as of the last complete export. */
  cursors: z.record(z.string(), z.object({ column: z.string(), value: z.string(), commitId: z.string() })),
})

/** What is remembered of an export between its runs. */
export type ExportState = z.output<typeof exportState>

/** Where the state of exports is kept. What `save` was given is on disk when it resolves. */
export interface ExportStore {
  load(exportId: string): Promise<ExportState>
  save(exportId: string, state: ExportState): Promise<void>
}

const fresh: ExportState = { version: 1, cursors: {} }

const parseState = (text: string, where: string): ExportState => {
  try {
    return exportState.parse(JSON.parse(text))
  } catch (cause) {
    throw new ConnectorError('data', `The state of this export in ${where} can't be read.`, {
      code: 'ExportState',
      hint: 'A newer Penstock may have written it. Without it the next export would start from the beginning.',
      cause,
    })
  }
}

/**
 * The state in the books of the engine's database; where that is open for reading only, in a file of the project.
 * Throws `config` where there is neither.
 */
export const exportStore = (engine: TableEngine, stateFolder: string | undefined): ExportStore => {
  if (!engine.readOnly)
    return {
      load: async (exportId) => {
        const text = await engine.exportState(exportId)
        return text === undefined ? fresh : parseState(text, engine.location)
      },
      save: (exportId, state) => engine.saveExportState(exportId, JSON.stringify(state)),
    }
  if (stateFolder === undefined)
    throw new ConnectorError(
      'config',
      `${engine.location} is open for reading only, so it can't remember what was exported.`,
      {
        code: 'NoExportState',
        hint: 'Open it for writing, or give a folder for the state.',
      },
    )
  return fileStore(stateFolder)
}

/** State files in `.penstock/exports` of a project. */
const fileStore = (folder: string): ExportStore => {
  const parent = exportsFolder(folder)
  const pathOf = (exportId: string) => join(parent, `${exportId}.json`)
  return {
    load: async (exportId) => {
      try {
        return parseState(await readFile(pathOf(exportId), 'utf8'), pathOf(exportId))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fresh
        throw error
      }
    },
    save: async (exportId, state) => {
      await prepareStateFolder(folder)
      await mkdir(parent, { recursive: true })
      await writeFileAtomically(pathOf(exportId), `${JSON.stringify(state, null, 2)}\n`)
    },
  }
}

export const exportsFolder = (folder: string): string => join(folder, '.penstock', 'exports')
