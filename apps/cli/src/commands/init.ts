import { relative } from 'node:path'
import { initProject } from '@penstock/runtime'
import { ProjectCommand } from '../lib/project-command.ts'

/** Makes a project. */
export class Init extends ProjectCommand {
  static override summary = 'Start a project: write penstock.yaml.'
  static override description =
    'Writes penstock.yaml and .penstock/, the folder of the run history, which git ignores. An existing project stays as it is.'
  static override examples = [
    { description: 'In this folder', command: '<%= config.bin %> init' },
    { description: 'In another folder', command: '<%= config.bin %> init --project ./warehouse' },
  ]

  async run(): Promise<{ file: string }> {
    const { flags } = await this.parse(Init)
    const { file } = await initProject(String(flags.project ?? process.cwd()))
    this.print(`${this.outStyle.green('✔')} Wrote ${relative(process.cwd(), file) || file}`)
    this.print()
    this.print('Next, say where your data is:')
    this.print(`  ${this.config.bin} connect NAME`)
    return { file }
  }
}
