import { Args, BaseCommand } from '@penstock/command-kit'
import { ConnectorError } from '@penstock/core'
import { uninstallConnectors } from '../../lib/user-connectors.ts'

/** Removes connectors of this user. */
export class Uninstall extends BaseCommand {
  static override summary = 'Remove connectors that were installed for this user.'
  static override description =
    'Removes what "connectors install" has installed. Connections that use it stay in their projects, and can be used again when it is back.'
  static override examples = [
    { description: 'By name', command: '<%= config.bin %> connectors uninstall penstock-source-leads' },
  ]
  static override strict = false
  static override args = {
    package: Args.string({ description: 'Name of the package; several are fine.', ignoreStdin: true }),
  }

  async run(): Promise<unknown> {
    const { argv } = await this.parse(Uninstall)
    const removed = argv.map(String)
    if (removed.length === 0)
      throw new ConnectorError('config', 'PACKAGE is missing.', {
        code: 'Usage',
        hint: `See: ${this.config.bin} connectors uninstall --help`,
      })
    await uninstallConnectors(removed, { signal: this.signal })
    for (const name of removed) this.print(`${this.outStyle.green('✔')} Removed ${name}`)
    return { removed }
  }
}
