import { ConnectorError, nearest } from '@penstock/core'

export interface UsageContext {
  /** Command as the user types it, for hints: `penstock extract`. */
  readonly command: string
  readonly flags: Readonly<Record<string, { options?: readonly string[] | undefined }>>
  readonly args: readonly string[]
  readonly argv: readonly string[]
}

/** What oclif's parse errors carry, by name: the classes are not exported. */
interface ParseError {
  readonly message: string
  readonly flags?: readonly unknown[]
  readonly args?: readonly unknown[]
}

/**
 * A wrong use of flags or arguments as a `config` error. oclif's own messages and its parse state repeat what was
 * typed, and so possibly a secret: nothing of the values gets through here, only names that the command knows itself
 * and names of unknown flags.
 */
export const translateUsageError = (error: unknown, context: UsageContext): unknown => {
  if (ConnectorError.isInstance(error) || !(error instanceof Error)) return error
  const name = error.constructor.name
  const parse = error as ParseError
  const help = `See: ${context.command} --help`
  const usage = (message: string, hint = help) =>
    new ConnectorError('config', message, { code: 'Usage', hint })
  if (name === 'NonExistentFlagsError') return unknownFlag(parse, context, usage)
  if (name === 'RequiredArgsError') {
    const missing = (parse.args as { name: string }[] | undefined)?.map((arg) => arg.name.toUpperCase()) ?? []
    return usage(`${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing.`)
  }
  if (name === 'UnexpectedArgsError') {
    const takes =
      context.args.length === 0 ? 'no arguments' : context.args.map((arg) => arg.toUpperCase()).join(' ')
    return usage(
      `Too many arguments; ${context.command} takes ${takes}.`,
      `Quote texts that hold spaces. ${help}`,
    )
  }
  const option = /^Expected --([\w-]+)=/.exec(error.message)?.[1]
  if (option && context.flags[option])
    return usage(`--${option} must be one of: ${(context.flags[option].options ?? []).join(', ')}.`)
  const value = /^Flag --([\w-]+) (expects|can only)/.exec(error.message)
  if (value) return usage(valueMessage(value[1] ?? '', value[2] === 'expects', context))
  const parsed = /^Parsing --([\w-]+)/.exec(error.message)?.[1]
  if (parsed) return usage(`--${parsed} has a wrong value.`)
  if (name.endsWith('Error') && 'parse' in error) return usage(withoutValues(error.message, context.argv))
  return error
}

const valueMessage = (flag: string, expects: boolean, context: UsageContext): string => {
  if (!expects) return `--${flag} can be given only once.`
  const options = context.flags[flag]?.options
  return `--${flag} needs a value${options ? `: ${options.join(', ')}` : ''}.`
}

const unknownFlag = (
  error: ParseError,
  context: UsageContext,
  usage: (message: string, hint?: string) => ConnectorError,
): ConnectorError => {
  const names = (error.flags ?? []).map((flag) => nameOfFlag(String(flag)))
  const guesses = names.map((name) => nearest(name.replace(/^-+/, ''), Object.keys(context.flags)))
  const known = guesses.filter((guess) => guess !== undefined).map((guess) => `--${guess}`)
  const message = `Unknown ${names.length === 1 ? 'flag' : 'flags'}: ${names.join(', ')}.`
  return known.length > 0 ? usage(message, `Did you mean ${known.join(', ')}?`) : usage(message)
}

/** Only the name: what follows `=`, or a short flag's letter, may be a value. */
const nameOfFlag = (flag: string): string =>
  flag.startsWith('--') ? (/^--[\w-]{0,40}/.exec(flag)?.[0] ?? '--') : flag.slice(0, 2)

const withoutValues = (message: string, argv: readonly string[]): string => {
  const values = argv
    .flatMap((token) => (token.startsWith('-') ? token.split('=').slice(1) : [token]))
    .filter((value) => value !== '')
    .sort((a, b) => b.length - a.length)
  return values.reduce((text, value) => text.replaceAll(value, '…'), message.split('\n')[0] ?? '')
}
