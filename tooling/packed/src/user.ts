import { delimiter, join } from 'node:path'
import { inject } from 'vitest'
import { plainEnvironment, run } from './run.ts'

/** Somebody with this Node, npm, and an empty folder. */
export interface User {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Runs a command in a folder below; gives its stdout. */
  run(command: string, args: readonly string[], options?: UserOptions): Promise<string>
  npm(args: readonly string[], options?: UserOptions): Promise<string>
  penstock(args: readonly string[], options?: UserOptions): Promise<string>
}

interface UserOptions {
  /** Folder within this user's (default: that one itself). */
  readonly in?: string
  /** Exit code that is right (default 0). */
  readonly code?: number
  readonly env?: Readonly<Record<string, string>>
}

/** `folder`: made by the caller, outside of the workspace. */
export const userWith = (major: string, folder: string): User => {
  const bin = inject('nodes')[major]
  if (bin === undefined) throw new Error(`Node ${major} was not fetched`)
  const home = inject('folder')
  const environment = {
    // First the Node of this user, then npm; nothing of the workspace.
    PATH: [
      bin,
      ...(process.env.PATH ?? '').split(delimiter).filter((path) => !/node_modules/.test(path)),
    ].join(delimiter),
    HOME: join(home, 'home'),
    XDG_DATA_HOME: join(home, 'home', 'data'),
    npm_config_registry: inject('registry'),
    npm_config_cache: join(home, 'cache'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    // What a package declares has to hold.
    npm_config_engine_strict: 'true',
  }
  const runIn: User['run'] = (command, args, { in: inner = '.', code = 0, env } = {}) =>
    run(command, args, { cwd: join(folder, inner), env: { ...environment, ...env }, code })
  return Object.freeze({
    folder,
    environment: plainEnvironment(environment),
    run: runIn,
    npm: (args: readonly string[], options?: UserOptions) => runIn('npm', args, options),
    // A command of an installed package; nothing may be fetched. Without the dashes, npx takes --version for itself.
    penstock: (args: readonly string[], options?: UserOptions) =>
      runIn('npx', ['--no', '--', 'penstock', ...args], options),
  })
}
