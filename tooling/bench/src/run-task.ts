import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExtractTask, FloorTask, Measurement } from './worker.ts'

/** Runs one task of a worker file in a fresh process. */
export const runWorker = async (file: string, task: unknown): Promise<Measurement> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=penstock:source', fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(task)],
    { maxBuffer: 64 * 1024 ** 2 },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measurement
}

export const runTask = (task: FloorTask | ExtractTask): Promise<Measurement> => runWorker('./worker.ts', task)

/** The middle value: what to quote on a noisy machine. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
