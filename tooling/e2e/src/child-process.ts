import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Starts a TypeScript file of this package with a task as its argument. */
export const startChild = (file: string, task: unknown): ChildProcess =>
  spawn(
    process.execPath,
    ['--conditions=penstock:source', fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(task)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )

export interface EndedChild {
  readonly code: number | null
  readonly output: string
  /** Ms from the moment at which it said `started`. */
  readonly duration: number
}

/** Waits for the end of a child. */
export const ended = async (child: ChildProcess): Promise<EndedChild> => {
  let output = ''
  let started = performance.now()
  child.stdout?.on('data', (data) => {
    output += data
    if (String(data).includes('started')) started = performance.now()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output, duration: performance.now() - started }
}

/** Kills a child -9 some time after it said its first word. */
export const killAfter = async (child: ChildProcess, afterMs: number): Promise<void> => {
  const exited = once(child, 'exit')
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), exited])
  await Promise.race([sleep(afterMs), exited])
  child.kill('SIGKILL')
  await exited
}
