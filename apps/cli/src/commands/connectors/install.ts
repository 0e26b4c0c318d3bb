import { Args, BaseCommand } from '@penstock/command-kit'
import { ConnectorError } from '@penstock/core'
import { userFolder } from '../../lib/connector-packages.ts'
import { installConnectors } from '../../lib/user-connectors.ts'

/** Installs connectors for all projects of this user. */
export class Install extends BaseCommand {
  static override summary = 'Install connectors for all projects of this user.'
  static override description =
    'Takes packages by name, with a version or without, tarballs and folders, and installs them with npm into the data folder of penstock. What is no connector, is written for another version of the contract, or has the name or the commands of another connector, is not kept. A connector of one project alone is one of its dependencies: npm install.'
  static override examples = [
    {
      description: 'By name',
      command: '<%= config.bin %> connectors install penstock-source-leads',
    },
    {
      description: 'One that is being written',
      command: '<%= config.bin %> connectors install ./penstock-source-leads',
    },
  ]
  static override strict = false
  static override args = {
    package: Args.string({ description: 'Package, tarball or folder; several are fine.', ignoreStdin: true }),
  }

  async run(): Promise<unknown> {
    const { argv } = await this.parse(Install)
    const packages = argv.map(String)
    if (packages.length === 0)
      throw new ConnectorError('config', 'PACKAGE is missing.', {
        code: 'Usage',
        hint: `See: ${this.config.bin} connectors install --help`,
      })
    const installed = await installConnectors(packages, { signal: this.signal })
    const { green, bold } = this.outStyle
    for (const { reference, version, connector } of installed) {
      this.print(`${green('✔')} ${bold(reference)} ${version}: ${connector.title ?? connector.name}`)
      this.print(
        connector.kind === 'actions'
          ? `  ${this.config.bin} ${connector.topic} --help`
          : `  ${this.config.bin} connect NAME --connector ${reference}`,
      )
    }
    return {
      folder: userFolder(),
      connectors: installed.map(({ reference, version, connector }) => ({
        reference,
        version,
        name: connector.name,
        kind: connector.kind,
      })),
    }
  }
}
