import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface Child {
  readonly pid: number
  /** Lines of stdout so far. */
  readonly lines: readonly string[]
  /** Resolves with the first line that begins so. Fails, with what stderr says, when the process ends without one. */
  line(start: string): Promise<string>
  /** Asks it to end, by closing its stdin. */
  finish(): Promise<number | null>
  kill(): Promise<void>
}

/** Runs a script of this folder as a process of its own, on the sources. It is gone when the test ends. */
export const startChild = (
  script: string,
  args: readonly string[],
  options: { uid?: number } = {},
): Child => {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=penstock:source', '--no-warnings', path, ...args],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
    },
  )
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let errors = ''
  let ended = false
  const notify = () => {
    for (const wake of [...waiting]) wake()
  }
  const closed = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      ended = true
      resolve(code)
      notify()
    })
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  // A child that was killed does not read any more.
  child.stdin?.on('error', () => {})
  if (child.stdout)
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      notify()
    })
  const kill = async () => {
    child.kill('SIGKILL')
    await closed
  }
  onTestFinished(kill)
  return {
    pid: child.pid ?? 0,
    lines,
    line: (start) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => line.startsWith(start))
          if (found === undefined && !ended) return
          waiting.delete(look)
          if (found === undefined) reject(new Error(`no line "${start}": ${lines.join(' | ')} ${errors}`))
          else resolve(found)
        }
        waiting.add(look)
        look()
      }),
    finish: () => {
      child.stdin?.end()
      return closed
    },
    kill,
  }
}
