import { readdirSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError, nearest, type RunRecord } from '@penstock/core'
import type { PipelineRun } from '../pipeline/record.ts'
import { writeFileAtomically } from './atomic.ts'
import { prepareStateFolder } from './edit.ts'
import { isSameProcessAlive, type ProcessMark, processMark } from './process-mark.ts'

/** What records of all kinds have. */
type AnyRun = Pick<RunRecord, 'runId' | 'status' | 'startedAt'>

/** Records of runs, one file each. */
export interface History<Run extends AnyRun> {
  /** Stores a record: as running at the start, and again, whole, at the end. */
  save(record: Run): Promise<void>
  /** Runs, newest first. A run whose process died without an end is `interrupted`. */
  list(options?: { limit?: number }): Promise<readonly Run[]>
  /** One run by its id or a unique beginning of it. */
  read(runId: string): Promise<Run>
}

/** The project's run history, in `.penstock/runs`. */
export type RunHistory = History<RunRecord>

/** The project's history of pipelines with their steps, in `.penstock/pipelines`: the last 1,000 runs. */
export type PipelineHistory = History<PipelineRun>

interface Entry<Run> extends ProcessMark {
  readonly version: 1
  readonly run: Run
}

export const runHistory = (folder: string): RunHistory => createHistory<RunRecord>(folder, 'runs')

export const pipelineHistory = (folder: string): PipelineHistory =>
  createHistory<PipelineRun>(folder, 'pipelines', 1_000)

/** The history of the project in `folder`, of the last `keep` runs. Nothing is written before the first record. */
const createHistory = <Run extends AnyRun>(
  folder: string,
  name: string,
  keep = Number.POSITIVE_INFINITY,
): History<Run> => {
  const runs = join(folder, '.penstock', name)
  const load = async (file: string): Promise<Run | undefined> => {
    try {
      return settled(JSON.parse(await readFile(join(runs, file), 'utf8')) as Entry<Run>)
    } catch {
      return undefined // a foreign or broken file must not hide the others
    }
  }
  return Object.freeze({
    save: async (record: Run) => {
      await prepareStateFolder(folder)
      await mkdir(runs, { recursive: true })
      const entry: Entry<Run> = { version: 1, ...processMark(), run: record }
      await writeFileAtomically(
        join(runs, `${fileName(record.runId)}.json`),
        `${JSON.stringify(entry, null, 2)}\n`,
      )
      if (record.status === 'running') return
      // Ids sort by time.
      const files = recordFiles(runs).sort()
      for (const file of files.slice(0, Math.max(0, files.length - keep)))
        await rm(join(runs, file), { force: true })
    },
    list: async ({ limit = Number.POSITIVE_INFINITY } = {}) => {
      const records = await Promise.all(recordFiles(runs).map(load))
      return records
        .filter((record) => record !== undefined)
        .sort((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0))
        .slice(0, limit)
    },
    read: async (runId: string) => {
      const files = recordFiles(runs)
      const ids = files.map((file) => file.replace(/\.json$/, ''))
      const matches = ids.includes(runId) ? [runId] : ids.filter((id) => id.startsWith(runId))
      const record = matches.length === 1 ? await load(`${matches[0]}.json`) : undefined
      if (record) return record
      throw noSuchRun(runId, matches, ids)
    },
  })
}

const noSuchRun = (runId: string, matches: readonly string[], ids: readonly string[]): ConnectorError => {
  if (matches.length > 1)
    return new ConnectorError('config', `${matches.length} runs begin with "${runId}".`, {
      hint: `Give more of the id, for example ${matches[0]}.`,
    })
  const guess = nearest(runId, ids)
  return new ConnectorError('not-found', `The project's history has no run "${runId}".`, {
    code: 'NoSuchRun',
    hint: guess ? `Did you mean ${guess}?` : 'List the runs with: penstock runs',
  })
}

/** Run ids are made by the runtime; one that came from elsewhere must not leave the folder. */
const fileName = (runId: string): string => {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(runId)) return runId
  throw new ConnectorError('config', 'A run id consists of letters, digits, . _ and -.')
}

const recordFiles = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json') && !file.startsWith('.'))
  } catch {
    return []
  }
}

const settled = <Run extends AnyRun>(entry: Entry<Run>): Run | undefined => {
  if (entry.version !== 1 || typeof entry.run?.runId !== 'string') return undefined
  if (entry.run.status !== 'running' || isSameProcessAlive(entry)) return entry.run
  return { ...entry.run, status: 'interrupted' }
}
