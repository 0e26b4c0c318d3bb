import { fork } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { width } from './terminal.ts'

export interface CommandResult {
  readonly code: number
  /** stdout and stderr in the order in which they were written. */
  readonly text: string
}

/** Penstock's command line in a process of its own, which runs one command after the other. */
export interface CommandLine {
  run(argv: readonly string[]): Promise<CommandResult>
  close(): Promise<void>
}

/** Starts it in `folder`; what it writes is collected in a file at `root`. */
export const startCommandLine = async (options: {
  root: string
  folder: string
  environment: NodeJS.ProcessEnv
  signal: AbortSignal
}): Promise<CommandLine> => {
  const { root, folder, environment, signal } = options
  const path = join(root, 'output')
  // Both streams go into one file: it alone keeps the order in which a process wrote to them.
  const file = await open(path, 'a')
  const child = fork(fileURLToPath(new URL('./command-line.ts', import.meta.url)), {
    execArgv: ['--conditions=penstock:source'],
    cwd: folder,
    env: environment,
    stdio: ['ignore', file.fd, file.fd, 'ipc'],
  })
  await file.close()
  const ended = once(child, 'close').then(([code]) => [code ?? 1] as const)
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  let read = 0
  return {
    run: async (argv) => {
      child.send(argv)
      const [code] = await Promise.race([once(child, 'message', { signal }), ended])
      const output = await readFile(path)
      const text = output.subarray(read).toString()
      read = output.length
      return { code: Number(code), text }
    },
    close: async () => {
      signal.removeEventListener('abort', stop)
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Only what a command needs, so that no setting of the user's own AWS gets into the demo. */
export const commandEnvironment = (home: string, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const colours = Boolean(process.stdout.isTTY) && process.env.NO_COLOR === undefined
  const kept = [
    'PATH',
    'TMPDIR',
    'TEMP',
    'TMP',
    'SystemRoot',
    'TERM',
    'LANG',
    'NO_COLOR',
    'NODE_COMPILE_CACHE',
  ]
  const taken = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return {
    ...Object.fromEntries(taken),
    HOME: home,
    USERPROFILE: home,
    CI: '1',
    COLUMNS: String(width),
    ...(colours && { FORCE_COLOR: '1' }),
    ...own,
  }
}
