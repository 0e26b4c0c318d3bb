import { countOf, Flags } from '@penstock/command-kit'
import { connectionOfKind } from '@penstock/core'
import {
  joinName,
  type SharedNamespace,
  shareLevels,
  shareTables,
  splitName,
  unshareNamespace,
} from '@penstock/runtime'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

/** Chooses the namespaces and tables of a catalog that a connection may use. */
export class Share extends ProjectCommand {
  static override summary = 'Choose the tables of a catalog that a connection may use, and save them.'
  static override description =
    'Writes the chosen namespace, and tables of it, to the connection in penstock.yaml: queries then reach these alone, and the policy allows no more. Each table is opened once, so that one that can not be read is found now. Another --namespace adds to what is chosen; the same one replaces its tables. --remove takes a namespace out.'
  static override examples = [
    {
      description: 'All tables of a namespace',
      command: '<%= config.bin %> share warehouse --namespace sales',
    },
    {
      description: 'Two tables of it',
      command: '<%= config.bin %> share warehouse --namespace sales --table orders --table items',
    },
    {
      description: 'Take it out again',
      command: '<%= config.bin %> share warehouse --namespace sales --remove',
    },
  ]
  static override args = { connection: connectionArgument }
  static override flags = {
    namespace: Flags.string({
      description: 'Namespace; its levels joined with dots.',
      helpValue: 'NAME',
      required: true,
    }),
    table: Flags.string({
      description: 'Table of it; repeatable. All of them when absent.',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    remove: Flags.boolean({ description: 'Take the namespace out of what is chosen.' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Share)
    const project = await this.openProject(flags.project)
    const connection = connectionOfKind(await this.openConnection(project, args.connection), 'zero-copy')
    const choice = { project, name: args.connection, connection, namespace: splitName(flags.namespace) }
    const { shares, unsupported } = flags.remove
      ? await unshareNamespace(choice, { signal: this.signal })
      : await shareTables({ ...choice, tables: flags.table }, { signal: this.signal })
    this.#tell(args.connection, shares, unsupported)
    return { connection: args.connection, file: project.file, shares }
  }

  #tell(connection: string, shares: readonly SharedNamespace[], unsupported: number): void {
    const { green } = this.outStyle
    if (shares.length === 0) {
      this.print(`${green('✔')} ${connection} has no choice any more: all tables of the catalog can be used.`)
      return
    }
    this.print(`${green('✔')} ${connection} shares:`)
    for (const share of shares)
      this.print(`  ${joinName(shareLevels(share))}  ${share.tables?.join(', ') ?? 'all tables'}`)
    if (unsupported > 0)
      this.notice(
        `${countOf(unsupported, 'table')} of it can't be read; see: ${this.config.bin} tables ${connection}`,
      )
    this.print()
    this.print('Next:')
    this.print(`  ${this.config.bin} policy ${connection}    what the credentials must be allowed`)
    this.print(`  ${this.config.bin} check ${connection}     test it`)
  }
}
