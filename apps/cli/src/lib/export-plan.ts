import {
  countOf,
  formatBytes,
  formatCount,
  printable,
  type Style,
  type TableColumn,
  wrap,
} from '@penstock/command-kit'
import type { ExportPlan } from '@penstock/runtime'

interface Output {
  readonly style: Style
  readonly print: (text?: string) => void
  readonly printTable: (columns: readonly TableColumn[], rows: readonly (readonly string[])[]) => void
}

/** Keys that a plan shows; `--json` has more, and `penstock keys` all that the destination tells. */
const shownKeys = 20

/** Shows a plan: streams, keys, what goes away. */
export const printPlan = (plan: ExportPlan, { style, print, printTable }: Output): void => {
  const retry = plan.retried ? `, completes run ${plan.commitId}` : ''
  print(`${style.bold(printable(plan.name))}  ${plan.mode}${retry}`)
  print()
  printTable(
    [
      { title: 'STREAM', cut: 'middle' },
      { title: 'ROWS', align: 'right', cut: 'never' },
      { title: 'LEFT OUT', align: 'right', cut: 'never' },
      { title: 'BYTES ABOUT', align: 'right', cut: 'never' },
      { title: 'CURSOR', cut: 'middle' },
    ],
    plan.streams.map((stream) => [
      stream.name,
      formatCount(stream.rows),
      formatCount(stream.dropped + stream.deduplicated + stream.nullCursors),
      formatBytes(stream.estimatedBytes),
      stream.cursor ? `${stream.cursor.after ?? 'all'} .. ${stream.cursor.to ?? ''}` : '',
    ]),
  )
  print()
  printKeys(plan, { print, limit: shownKeys })
  if (plan.removes.length > 0) {
    print('Would remove what the export wrote before:')
    for (const name of plan.removes.slice(0, shownKeys)) print(`  ${printable(name)}`)
  }
  for (const warning of plan.warnings) print(warningText(warning, style))
}

/** A warning, in lines of a terminal. */
export const warningText = (warning: string, style: Pick<Style, 'yellow'>): string =>
  wrap(printable(warning), 78)
    .map((line, index) => (index === 0 ? `${style.yellow('!')} ${line}` : `  ${line}`))
    .join('\n')

/** The keys that a run would write, one a line. */
export const printKeys = (
  plan: ExportPlan,
  output: Pick<Output, 'print'> & { readonly limit: number },
): void => {
  for (const { name, rows } of plan.files.slice(0, output.limit))
    output.print(`  ${printable(name)}${rows === undefined ? '' : `  ${countOf(rows, 'row')}`}`)
  if (plan.files.length > output.limit)
    output.print(`  and ${countOf(plan.files.length - output.limit, 'more file')}`)
  if (plan.manifest !== undefined) output.print(`  ${printable(plan.manifest)}`)
}
