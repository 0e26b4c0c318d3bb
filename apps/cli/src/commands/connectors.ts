import { CommandFailure } from '@penstock/command-kit'
import { ConnectorError, type ErrorRecord } from '@penstock/core'
import { findProjectFile } from '@penstock/runtime'
import { type KnownConnector, knownConnectors } from '../lib/installed-connectors.ts'
import { ProjectCommand } from '../lib/project-command.ts'

interface ConnectorSummary {
  readonly reference: string
  readonly origin: KnownConnector['origin']
  readonly version: string
  readonly name?: string
  readonly kind?: string
  /** Version of the connector contract. */
  readonly contract?: number
  readonly title?: string
  readonly error?: ErrorRecord
}

/** Lists the connectors that the project can use. */
export class Connectors extends ProjectCommand {
  static override summary = 'List the connectors: built in, and installed next to the project.'
  static override description =
    'A package counts that has the keyword penstock-connector and is in the node_modules of the project, or of a folder above it. What is wrong with one is told, and the command ends with its exit code.'
  static override examples = [
    { description: 'All connectors', command: '<%= config.bin %> connectors' },
    {
      description: 'Use an installed one',
      command: '<%= config.bin %> connect tickets --connector acme-source-tickets',
    },
  ]

  async run(): Promise<{ connectors: readonly ConnectorSummary[] }> {
    const { flags } = await this.parse(Connectors)
    const known = await knownConnectors(await this.#folder(flags.project), {
      version: this.config.version,
      commandIds: this.config.commandIDs,
    })
    const connectors = known.map(summaryOf)
    this.printTable(
      [
        { title: 'CONNECTOR', cut: 'never' },
        { title: 'KIND', cut: 'never' },
        { title: 'VERSION', cut: 'never' },
        { title: 'CONTRACT', cut: 'never', align: 'right' },
        { title: 'FROM', cut: 'never' },
        { title: 'TITLE' },
      ],
      connectors.map(({ reference, kind = '', version, contract, origin, title = '', error }) => [
        error ? `${reference} ✖` : reference,
        kind,
        version,
        contract === undefined ? '' : String(contract),
        origin,
        title,
      ]),
    )
    const broken = connectors.flatMap(({ error }) => (error ? [error] : []))
    const [first] = broken
    if (!first) return { connectors }
    const error = new ConnectorError(first.kind, broken.map(({ message }) => message).join('\n'), first)
    throw new CommandFailure(error, { connectors })
  }

  /** The project's folder; without a project the working folder, whose packages count as well. */
  async #folder(given: unknown): Promise<string> {
    const hasProject = given !== undefined || (await findProjectFile(process.cwd())) !== undefined
    return hasProject ? (await this.openProject(given)).folder : process.cwd()
  }
}

const summaryOf = ({ reference, origin, version, connector, error }: KnownConnector): ConnectorSummary => ({
  reference,
  origin,
  version,
  ...(connector
    ? {
        name: connector.name,
        kind: connector.kind,
        contract: connector.specificationVersion,
        ...(connector.title === undefined ? {} : { title: connector.title }),
      }
    : {}),
  ...(error ? { error } : {}),
})
