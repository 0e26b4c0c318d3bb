import { CommandFailure, errorFields } from '@penstock/command-kit'
import { runCheck } from '@penstock/runtime'
import { stepLines } from '../lib/check-step.ts'
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
    const steps = await runCheck(connection, {
      signal: this.signal,
      onStep: (step) => {
        for (const line of stepLines(step, this.outStyle)) this.print(line)
      },
    })
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
}
