import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Interfaces, runFromSources } from '@penstock/command-kit'
import { vi } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface CommandRun {
  readonly stdout: string
  readonly stderr: string
  /** Exit code: 0 unless the command ended with an error. */
  readonly code: number
  /** What the command returned: what `--json` prints. */
  readonly result: unknown
}

interface RunnableCommand {
  run(argv: string[], options: Interfaces.LoadOptions): Promise<unknown>
}

const manifest = async () => JSON.parse(await readFile(`${root}/package.json`, 'utf8'))

/** Runs a command inside the test and captures what it writes. Of the others only a small one is loaded. */
export const runCommand = async (command: RunnableCommand, ...argv: string[]): Promise<CommandRun> => {
  const options = runFromSources(root, await manifest(), ['connections'])
  return capture(() => command.run(argv, options))
}

/** The same for a command that looks at all the others: they are loaded from their sources. */
export const runCommandAmongAll = async (
  command: RunnableCommand,
  ...argv: string[]
): Promise<CommandRun> => {
  const options = runFromSources(root, await manifest(), [])
  return capture(() => command.run(argv, options))
}

/** Captures what is written while something runs. */
export const capture = async (run: () => Promise<unknown>): Promise<CommandRun> => {
  const out = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text, ...rest) => {
      out[name] += typeof text === 'string' ? text : Buffer.from(text).toString()
      const callback = rest.find((argument) => typeof argument === 'function')
      if (callback) (callback as () => void)()
      return true
    }),
  )
  try {
    const result = await run()
    return { ...out, code: 0, result }
  } catch (error) {
    const code = (error as { oclif?: { exit?: number } }).oclif?.exit
    if (code === undefined) throw error
    return { ...out, code, result: undefined }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
