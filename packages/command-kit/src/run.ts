import { Config, Errors, type Interfaces, run, settings } from '@oclif/core'
import { ConnectorError, nearest } from '@penstock/core'
import { exitCodes } from './exit-codes.ts'
import { errorFields, errorLines, failureOf } from './failure.ts'
import { flushed, toJson, tolerateClosedReader } from './output.ts'
import { styleFor } from './text/style.ts'
import { columnsOf } from './text/width.ts'

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
    const failure = failureOf(commandError(error, argv, config))
    if (argv.includes('--json')) process.stdout.write(`${toJson({ error: errorFields(failure) })}\n`)
    else printError(failure)
    return exitCodes[failure.kind]
  }
}

const printError = (failure: ConnectorError): void => {
  const lines = errorLines(failure, styleFor(process.stderr), { width: columnsOf(process.stderr) })
  process.stderr.write(`${lines.join('\n')}\n`)
  if (process.env.PENSTOCK_DEBUG) process.stderr.write(`${failure.stack}\n`)
}

/** An unknown command as a `config` error with the nearest one as hint. */
const commandError = (error: unknown, argv: readonly string[], config: Config | undefined): unknown => {
  if (!config || !(error instanceof Error) || !/^command .* not found/is.test(error.message)) return error
  const words = argv.filter((word) => word !== 'help' && !word.startsWith('-'))
  const commands = config.commandIDs.map((id) => id.replaceAll(':', ' '))
  const [first = '', second = ''] = words
  const isTopic = commands.some((command) => command.startsWith(`${first} `))
  const typed = isTopic ? `${first} ${second}`.trim() : first
  const guess = nearest(typed, commands)
  const hint = guess ? `Did you mean ${config.bin} ${guess}?` : `See: ${config.bin} --help`
  return new ConnectorError('config', `There is no command "${typed.slice(0, 40)}".`, { code: 'Usage', hint })
}
