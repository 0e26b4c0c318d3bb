import type { Config } from '@oclif/core'
import { ConnectorError, nearest } from '@penstock/core'
import { exitCodes } from './exit-codes.ts'
import { errorFields, errorLines, failureOf } from './failure.ts'
import { toJson } from './output.ts'
import { styleFor } from './text/style.ts'
import { columnsOf } from './text/width.ts'

/** Prints an error that no command has printed, as JSON where that was asked for. Gives the exit code. */
export const reportError = (error: unknown, argv: readonly string[], config: Config | undefined): number => {
  const failure = failureOf(commandError(error, argv, config))
  if (argv.includes('--json')) process.stdout.write(`${toJson({ error: errorFields(failure) })}\n`)
  else printError(failure)
  return exitCodes[failure.kind]
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
