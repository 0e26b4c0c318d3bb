import { existsSync } from 'node:fs'
import type { Config } from '@oclif/core'
import { findAction, pad, printable, showActionHelp, widthOf } from '@penstock/command-kit'
import type { AnyAction, AnyActions } from '@penstock/core'
import { findProjectFile, openProject } from '@penstock/runtime'
import { projectActionCommand } from './action-command.ts'
import { connectorPackages } from './connector-packages.ts'
import { loadConnector, loadPackage } from './connectors.ts'

interface ForeignActions {
  /** Name of the package. */
  readonly reference: string
  readonly connector: AnyActions
}

/**
 * Folder of the project that the words name, or that the user is in; else where the user is. An action may have a field
 * `project` of its own: then the words name none.
 */
const folderOf = async (argv: readonly string[]): Promise<string> => {
  const at = argv.indexOf('--project')
  const named = at === -1 ? undefined : argv[at + 1]
  const given = named !== undefined && existsSync(named) ? named : process.env.PENSTOCK_PROJECT
  if (given === undefined && (await findProjectFile(process.cwd())) === undefined) return process.cwd()
  return (await openProject({ cwd: process.cwd(), given })).folder
}

/** Actions of packages, which have commands without being part of the command line. */
const foreignActions = async (folder: string): Promise<readonly ForeignActions[]> => {
  const found = await Promise.all(
    (await connectorPackages(folder)).map(async (entry) => {
      // What is wrong with a package is told by `penstock connectors`.
      const connector = await loadPackage(entry).catch(() => undefined)
      return connector?.kind === 'actions' ? [{ reference: entry.name, connector }] : []
    }),
  )
  return found.flat()
}

/**
 * Runs `penstock TOPIC ACTION ...` of an installed package. False where no package has the topic. Throws a `conflict`
 * error where two have it.
 */
export const runForeignCommand = async (argv: readonly string[], config: Config): Promise<boolean> => {
  const [topic, word, ...rest] = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv
  const folder = await folderOf(argv)
  const found = (await foreignActions(folder)).find(({ connector }) => connector.topic === topic)
  if (!found || topic === undefined) return false
  // Loaded by its name, so that what is in its way is told.
  await loadConnector(found.reference, folder)
  if (word === undefined || word.startsWith('-')) {
    process.stdout.write(`${topicHelp(found, config.bin).join('\n')}\n`)
    return true
  }
  const command = projectActionCommand(found.connector, findAction(found.connector, word).name)
  command.id = `${topic}:${word}`
  if (rest.includes('--help')) await showActionHelp(config, command, [topic, word])
  else await command.run(rest, config)
  return true
}

/** Lines about the commands of installed packages, for the help of the command line. */
export const foreignHelp = async (argv: readonly string[]): Promise<readonly string[]> => {
  const found = await foreignActions(await folderOf(argv))
  if (found.length === 0) return []
  return [
    'INSTALLED',
    ...columns(
      found.map(({ reference, connector }) => [
        connector.topic,
        `${connector.description ?? connector.title ?? connector.name} (${reference})`,
      ]),
    ),
    '',
  ]
}

const topicHelp = ({ reference, connector }: ForeignActions, bin: string): readonly string[] => {
  const actions = Object.entries(connector.actions as Readonly<Record<string, AnyAction>>)
  return [
    printable(`${connector.description ?? connector.title ?? connector.name} (${reference})`),
    '',
    'USAGE',
    `  $ ${bin} ${connector.topic} COMMAND`,
    '',
    'COMMANDS',
    ...columns(
      actions.map(([name, { aliases = [], title }]) => [
        [name, ...aliases].map((word) => `${connector.topic} ${word}`).join(', '),
        title,
      ]),
    ),
    '',
  ]
}

const columns = (rows: readonly (readonly [string, string])[]): readonly string[] => {
  const width = Math.max(...rows.map(([first]) => widthOf(first)))
  return rows.map(([first, second]) => `  ${pad(printable(first), width)}  ${printable(second)}`)
}
