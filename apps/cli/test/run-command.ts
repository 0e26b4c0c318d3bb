import { fileURLToPath } from 'node:url'
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
  run(argv: string[], options: { root: string }): Promise<unknown>
}

/** Runs a command inside the test and captures what it writes. */
export const runCommand = async (command: RunnableCommand, ...argv: string[]): Promise<CommandRun> => {
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
    const result = await command.run(argv, { root })
    return { ...out, code: 0, result }
  } catch (error) {
    const code = (error as { oclif?: { exit?: number } }).oclif?.exit
    if (code === undefined) throw error
    return { ...out, code, result: undefined }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
