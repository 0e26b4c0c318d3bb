import type { ForeignCommands } from '@penstock/command-kit/run'

/** Commands of installed packages. Their code is loaded where no command of this command line is meant. */
export const foreignCommands: ForeignCommands = {
  run: async (argv, config) => (await import('./foreign-commands.ts')).runForeignCommand(argv, config),
  help: async (argv) => (await import('./foreign-commands.ts')).foreignHelp(argv),
}
