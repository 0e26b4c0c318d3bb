import { columnsOf, errorLines, printable, type Style, truncate, widthOf } from '@penstock/command-kit'
import type { CheckStep } from '@penstock/core'

/** A step of a test of a connection, in lines for stdout. */
export const stepLines = (step: CheckStep, style: Style): readonly string[] => {
  const { green, red, dim } = style
  const columns = columnsOf(process.stdout)
  const mark = { passed: green('✔'), failed: red('✖'), skipped: dim('–') }[step.status]
  const title = printable(step.title)
  const room = columns - widthOf(title) - 4
  const detail = step.detail === undefined || step.error ? '' : `  ${truncate(printable(step.detail), room)}`
  const error = step.error ? errorLines(step.error, style, { width: columns - 2 }) : []
  return [`${mark} ${title}${dim(detail)}`, ...error.map((line) => `  ${line}`)]
}
