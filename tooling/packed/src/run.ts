import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Exit code that is right (default 0). */
  readonly code?: number
}

/** Variables of the test run that a user's shell does not have. */
const foreign = /^(npm_|VITEST|NODE_OPTIONS$|NODE_PATH$|INIT_CWD$|PENSTOCK_)/i

/** Runs a command in a plain environment and gives its stdout. Throws with all output where it ends otherwise. */
export const run = async (
  command: string,
  args: readonly string[],
  { cwd, env = {}, code = 0 }: RunOptions,
): Promise<string> => {
  const child = spawn(command, args, { cwd, env: plainEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr]: string[][] = [[], []]
  child.stdout.on('data', (chunk) => stdout?.push(String(chunk)))
  child.stderr.on('data', (chunk) => stderr?.push(String(chunk)))
  const ended = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (ended === code) return stdout?.join('') ?? ''
  throw new Error(
    [`${command} ${args.join(' ')} ended with ${ended}`, ...(stdout ?? []), ...(stderr ?? [])].join('\n'),
  )
}

export const plainEnvironment = (more: Readonly<Record<string, string>>): Record<string, string> => {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0]),
  )
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...more }
}
