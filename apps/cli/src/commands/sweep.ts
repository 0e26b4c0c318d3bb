import { countOf, Flags, formatBytes, formatTime, printable } from '@penstock/command-kit'
import { connectionOfKind, type Leftover } from '@penstock/core'
import { sweepDestination } from '@penstock/runtime'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

interface SweepResult {
  readonly found: number
  readonly removed: number
  readonly bytes: number
  /** At most the first 1,000. */
  readonly leftovers: readonly Leftover[]
}

const listedLeftovers = 1_000

/** Finds what failed exports left behind. */
export class Sweep extends ProjectCommand {
  static override summary = 'Find what failed exports left behind, and remove it with --yes.'
  static override description =
    'Lists uploads that never ended and files of runs that were never completed. Only what exports of this destination wrote is touched, and nothing is removed without --yes.'
  static override examples = [
    { description: 'What is there', command: '<%= config.bin %> sweep lake' },
    { description: 'Remove it', command: '<%= config.bin %> sweep lake --yes' },
  ]
  static override args = { connection: connectionArgument }
  static override flags = { yes: Flags.boolean({ description: 'Remove what is found.' }) }

  async run(): Promise<SweepResult> {
    const { args, flags } = await this.parse(Sweep)
    const project = await this.openProject(flags.project)
    const connection = await this.openConnection(project, args.connection)
    const leftovers: Leftover[] = []
    const counts = await sweepDestination(connectionOfKind(connection, 'destination'), {
      dryRun: !flags.yes,
      signal: this.signal,
      notice: (message) => this.notice(message),
      onLeftover: (leftover) => {
        if (leftovers.length < listedLeftovers) leftovers.push(leftover)
        const size = leftover.size === undefined ? '' : `  ${formatBytes(leftover.size)}`
        const started = leftover.started ? `  ${formatTime(leftover.started.toISOString())}` : ''
        this.print(
          `${leftover.removed ? 'removed' : 'found'}  ${leftover.kind}  ${printable(leftover.name)}${size}${started}`,
        )
      },
    })
    if (counts.found === 0) this.print('Nothing is left behind.')
    else if (!flags.yes) this.notice(`${countOf(counts.found, 'thing')} left behind; --yes removes.`)
    return { ...counts, leftovers }
  }
}
