import { Config, Errors, type Interfaces, run, settings } from '@oclif/core'
import { flushed, tolerateClosedReader } from './output.ts'

/**
 * Runs a command line and gives its exit code; the caller exits with it. Nothing that the user typed is repeated in
 * an error but the name of an unknown command.
 */
export const runCommandLine = async (
  argv: readonly string[],
  options: Interfaces.LoadOptions,
): Promise<number> => {
  tolerateClosedReader(process.stdout)
  tolerateClosedReader(process.stderr)
  const code = await execute(argv, options)
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  return code
}

/**
 * Load options for a command line whose commands are TypeScript sources in `src/commands`, run by Node itself:
 * for development, without a build.
 */
export const runFromSources = (root: string, pjson: Interfaces.PJSON): Interfaces.LoadOptions => {
  settings.enableAutoTranspile = false
  return {
    root,
    pjson: { ...pjson, oclif: { ...pjson.oclif, commands: './src/commands' } },
    ignoreManifest: true,
    isRoot: true,
  } as Interfaces.LoadOptions
}

const execute = async (argv: readonly string[], options: Interfaces.LoadOptions): Promise<number> => {
  let config: Config | undefined
  try {
    config = (await Config.load(options)) as Config
    await run([...argv], config)
    return 0
  } catch (error) {
    if (error instanceof Errors.ExitError) return error.oclif.exit ?? 0
    // Loaded now and not before: a start that only shows a version or a help should be quick.
    const { reportError } = await import('./report.ts')
    return reportError(error, argv, config)
  }
}
