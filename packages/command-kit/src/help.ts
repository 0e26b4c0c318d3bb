import { type Command, type Config, loadHelpClass } from '@oclif/core'
import type { ActionCommandClass } from './actions/command.ts'

const helpOf = async (config: Config) => {
  const Help = await loadHelpClass(config)
  return new Help(config, config.pjson.oclif.helpOptions ?? config.pjson.helpOptions)
}

/** Prints the help of a command of the command line. */
export const showHelp = async (config: Config, ...words: string[]): Promise<void> =>
  (await helpOf(config)).showHelp(words)

/** Prints the help of the command of an action, which is none of the command line's own: under the words given. */
export const showActionHelp = async (
  config: Config,
  command: ActionCommandClass,
  words: readonly string[],
): Promise<void> => {
  const { summary, description, examples, args, flags, baseFlags } = command
  const id = words.join(':')
  const loadable = {
    ...{ id, summary, description, examples, args, aliases: [], hiddenAliases: [] },
    flags: { json: jsonFlag, ...baseFlags, ...flags },
    enableJsonFlag: true,
    load: async () => command,
  }
  await (await helpOf(config)).showCommandHelp(loadable as unknown as Command.Loadable, [])
}

/** As oclif adds it to commands with `enableJsonFlag`. */
const jsonFlag = { type: 'boolean', description: 'Format output as json.', helpGroup: 'GLOBAL', name: 'json' }
