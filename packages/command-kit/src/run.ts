import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Config, Errors, type Interfaces, run, settings } from '@oclif/core'
import { flushed, tolerateClosedReader } from './output.ts'

/** Commands that are not the command line's own: those of packages that a user has installed. */
export interface ForeignCommands {
  /** Runs words that are no command of the command line. False where they are none of a package either. */
  run(argv: readonly string[], config: Config): Promise<boolean>
  /** Lines for the end of the general help. */
  help(argv: readonly string[]): Promise<readonly string[]>
}

/**
 * Runs a command line and gives its exit code; the caller exits with it. Nothing that the user typed is repeated in
 * an error but the name of an unknown command.
 */
export const runCommandLine = async (
  argv: readonly string[],
  options: Interfaces.LoadOptions,
  foreign?: ForeignCommands,
): Promise<number> => {
  // Outside of production oclif looks for a compiler, and complains where a user has none.
  settings.enableAutoTranspile = false
  tolerateClosedReader(process.stdout)
  tolerateClosedReader(process.stderr)
  const code = await execute(argv, options, foreign)
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  return code
}

/**
 * Load options for a command line whose commands are TypeScript sources in `src/commands`, run by Node itself:
 * for development, without a build. Only the command that `argv` names is loaded (a published command line has a
 * manifest for that), but for the `wholesale` ones: they look at all commands.
 */
export const runFromSources = (
  root: string,
  pjson: Interfaces.PJSON,
  argv: readonly string[],
  wholesale: readonly string[] = [],
): Interfaces.LoadOptions => {
  const target = './src/commands'
  const file = wholesale.includes(argv[0] ?? '') ? undefined : commandFile(join(root, target), argv)
  const commands = file ? { strategy: 'pattern', target, globPatterns: [file] } : target
  const built = pjson.oclif?.helpClass
  const helpClass =
    typeof built === 'string' ? built.replace(/^\.\/dist\/(.*)\.js$/, './src/$1.ts') : undefined
  return {
    root,
    pjson: { ...pjson, oclif: { ...pjson.oclif, commands, ...(helpClass && { helpClass }) } },
    ignoreManifest: true,
    isRoot: true,
  } as Interfaces.LoadOptions
}

/** File of the command that a command line begins with, relative to the folder of commands; none for a topic. */
const commandFile = (folder: string, argv: readonly string[]): string | undefined => {
  const end = argv.findIndex((word) => !/^[a-z0-9-]+$/.test(word) || word.startsWith('-'))
  const words = end < 0 ? argv : argv.slice(0, end)
  for (let count = words.length; count > 0; count -= 1) {
    const file = `${words.slice(0, count).join('/')}.ts`
    if (existsSync(join(folder, file))) return file
  }
  return undefined
}

/** The first word that could be a command or a topic; undefined for the general help. */
const commandWord = (argv: readonly string[]): string | undefined => {
  const [first, second] = argv
  const word = first === 'help' ? second : first
  return word?.startsWith('-') ? undefined : word
}

const execute = async (
  argv: readonly string[],
  options: Interfaces.LoadOptions,
  foreign: ForeignCommands | undefined,
): Promise<number> => {
  let config: Config | undefined
  try {
    config = (await Config.load(options)) as Config
    const word = commandWord(argv)
    const isOwn = word === undefined || config.findCommand(word) || config.findTopic(word)
    if (!isOwn && (await foreign?.run(argv, config))) return 0
    const command = config.findCommand(argv[0] ?? '') as { id: string; ownHelp?: boolean } | undefined
    // oclif would print the help of the command itself, whatever words follow.
    if (command?.ownHelp && argv.includes('--help')) await config.runCommand(command.id, argv.slice(1))
    else await run([...argv], config)
    if (foreign && word === undefined && argv[0] !== '--version')
      process.stdout.write((await foreign.help(argv)).map((line) => `${line}\n`).join(''))
    return 0
  } catch (error) {
    if (error instanceof Errors.ExitError) return error.oclif.exit ?? 0
    // Loaded now and not before: a start that only shows a version or a help should be quick.
    const { reportError } = await import('./report.ts')
    return reportError(error, argv, config)
  }
}
