import {
  CommandFailure,
  columnsOf,
  errorFields,
  errorLines,
  printable,
  truncate,
  widthOf,
} from '@penstock/command-kit'
import type { CheckStep } from '@penstock/core'
import { runCheck } from '@penstock/runtime'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

/** Tests a connection with real calls. */
export class Check extends ProjectCommand {
  static override summary = 'Test a connection with real calls.'
  static override description =
    'Does what an extraction will do, step by step, and says for each step whether it works; a failed one names the cause and the remedy. The exit code is that of the first failed step.'
  static override examples = [
    { description: 'Test the connection lake', command: '<%= config.bin %> check lake' },
    { description: 'For a script', command: '<%= config.bin %> check lake --json' },
  ]
  static override args = { connection: connectionArgument }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Check)
    const project = await this.openProject(flags.project)
    const connection = await this.openConnection(project, args.connection)
    const steps = await runCheck(connection, { signal: this.signal, onStep: (step) => this.#show(step) })
    const failed = steps.find((step) => step.status === 'failed')
    const result = {
      connection: args.connection,
      connector: connection.connector.name,
      status: failed ? 'failed' : 'passed',
      steps: steps.map(({ error, ...step }) => (error ? { ...step, error: errorFields(error) } : step)),
    }
    if (failed?.error) throw new CommandFailure(failed.error, result, { show: false })
    return result
  }

  #show(step: CheckStep): void {
    const { green, red, dim } = this.outStyle
    const mark = { passed: green('✔'), failed: red('✖'), skipped: dim('–') }[step.status]
    const title = printable(step.title)
    const room = columnsOf(process.stdout) - widthOf(title) - 4
    const detail =
      step.detail === undefined || step.error ? '' : `  ${truncate(printable(step.detail), room)}`
    this.print(`${mark} ${title}${dim(detail)}`)
    if (!step.error) return
    const width = columnsOf(process.stdout) - 2
    for (const line of errorLines(step.error, this.outStyle, { width })) this.print(`  ${line}`)
  }
}
