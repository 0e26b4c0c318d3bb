import { type ExportPlan, planExport } from '@penstock/runtime'
import { ExportCommand, exportFlags } from '../lib/export-command.ts'
import { printKeys, warningText } from '../lib/export-plan.ts'
import { exportOptions } from '../lib/exporting.ts'
import { connectionArgument } from '../lib/project-command.ts'

/** Renders the keys that an export would write. */
export class Keys extends ExportCommand {
  static override summary = 'Show the keys that an export would write now.'
  static override description =
    'Takes the flags of `export`, renders the key template for each stream and part, and checks it: unknown macros, keys that are too long, parts or streams that would collide. Writes nothing.'
  static override examples = [
    {
      description: 'Try a template',
      command: `<%= config.bin %> keys lake --table orders --from w.duckdb --key-template '{stream_name}/{iso_date}/{part}.{extension}'`,
    },
  ]
  static override usage = 'keys CONNECTION (--table NAME | --sql SELECT)... [--from FILE.duckdb] [flags]'
  static override args = { connection: connectionArgument }
  static override flags = exportFlags

  async run(): Promise<Pick<ExportPlan, 'files' | 'manifest' | 'warnings'>> {
    const { exporting, withDatabase } = await this.readExportArguments()
    const plan = await withDatabase(
      (engine) => planExport(exportOptions({ ...exporting, engine, onProgress: () => {} })),
      { readOnly: true },
    )
    printKeys(plan, { print: (text) => this.print(text?.trimStart()), limit: Number.POSITIVE_INFINITY })
    for (const warning of plan.warnings) this.notice(warningText(warning, this.errStyle))
    const { files, manifest, warnings } = plan
    return { files, ...(manifest !== undefined && { manifest }), warnings }
  }
}
