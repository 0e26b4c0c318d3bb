import { type RunRecord, toConnectorError } from '@penstock/core'
import { errorRecord } from '../extract/extract.ts'
import { runHistory } from './history.ts'

export interface RecordOptions {
  /** Folder of the project. */
  readonly folder: string
  /** Hides secrets in what is kept. */
  readonly redact: (value: unknown) => unknown
  /** Told when the history can't be written: that must not stop a run. */
  readonly onProblem: (message: string) => void
}

/** Keeps a run in the project's history: as running now, and as it ended, also when `work` throws. */
export const recordRun = async (
  started: RunRecord,
  work: () => Promise<RunRecord>,
  options: RecordOptions,
): Promise<RunRecord> => {
  const history = runHistory(options.folder)
  const save = async (record: RunRecord) => {
    try {
      await history.save(options.redact(record) as RunRecord)
    } catch (error) {
      options.onProblem(`The run history can't be written: ${toConnectorError(error).message}`)
    }
  }
  await save(started)
  try {
    const finished = await work()
    await save(finished)
    return finished
  } catch (error) {
    const failure = toConnectorError(error)
    await save({
      ...started,
      status: failure.kind === 'cancelled' ? 'cancelled' : 'failed',
      finishedAt: new Date().toISOString(),
      error: errorRecord(failure),
    })
    throw error
  }
}
