import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConnectorError, type TableEngine } from '@penstock/core'
import { z } from 'zod'
import { writeFileAtomically } from '../project/atomic.ts'
import { prepareStateFolder } from '../project/edit.ts'
import { stableId } from './ids.ts'

const windowState = z.object({ column: z.string(), after: z.string().optional(), to: z.string().optional() })

const exportState = z.object({
  version: z.literal(1),
  /** Counts up with each save: of two places that remember an export, the higher one is right. */
  revision: z.int(),
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
  done: z.object({ runId: z.string(), record: z.unknown(), loadTime: z.string().optional() }).optional(),
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

const fresh: ExportState = { version: 1, revision: 0, cursors: {} }

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
 * The state in the books of the engine's database; where that is open for reading only or in memory, in a file of the
 * project. It is found again when a database that was open for reading is opened for writing, and the other way.
 * Throws `config` where there is no place that lasts.
 */
export const exportStore = (engine: TableEngine, projectFolder: string | undefined): ExportStore => {
  const file = projectFolder === undefined ? undefined : stateFile(projectFolder, engine.location)
  const lasts = !engine.readOnly && (engine.location !== ':memory:' || file === undefined)
  if (!lasts && file === undefined)
    throw new ConnectorError(
      'config',
      `${engine.location} is open for reading only, so it can't remember what was exported.`,
      { code: 'NoExportState', hint: 'Open it for writing, or give the folder of a project.' },
    )
  return {
    load: async (exportId) => {
      const text = await engine.exportState(exportId)
      const inBooks = text === undefined ? fresh : parseState(text, engine.location)
      const inFile = (await file?.load(exportId)) ?? fresh
      return inFile.revision > inBooks.revision ? inFile : inBooks
    },
    save: async (exportId, state) => {
      const text = JSON.stringify({ ...state, revision: state.revision + 1 })
      await (lasts || !file ? engine.saveExportState(exportId, text) : file.save(exportId, text))
    },
  }
}

/** State files in `.penstock/exports` of a project, for each database its own. */
const stateFile = (folder: string, location: string) => {
  const parent = exportsFolder(folder)
  const database = location === ':memory:' ? location : resolve(location)
  const pathOf = (exportId: string) => join(parent, `${stableId('state', exportId, database)}.json`)
  return {
    load: async (exportId: string): Promise<ExportState | undefined> => {
      const path = pathOf(exportId)
      try {
        return parseState(await readFile(path, 'utf8'), path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    save: async (exportId: string, text: string) => {
      await prepareStateFolder(folder)
      await mkdir(parent, { recursive: true })
      await writeFileAtomically(pathOf(exportId), text)
    },
  }
}

export const exportsFolder = (folder: string): string => join(folder, '.penstock', 'exports')
