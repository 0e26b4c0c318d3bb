import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../bin/dev.ts', import.meta.url))

/** Runs the command line as a process of its own. */
export const startProcess = (
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) => {
  const env = { ...process.env, ...options.env, NO_COLOR: '1', NODE_OPTIONS: '' }
  const child = spawn(process.execPath, ['--conditions=penstock:source', main, ...argv], {
    env,
    cwd: options.cwd,
  })
  const out = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      out[name] += text
    })
  const ended = once(child, 'close').then(([code]) => ({ ...out, code: code as number }))
  /** Waits until the process has written a text. */
  const seen = async (name: 'stdout' | 'stderr', text: string) => {
    while (!out[name].includes(text)) await once(child[name], 'data')
  }
  return { child, ended, seen, out }
}
