import { formatDuration, pad, printable, type Style, wrap } from '@penstock/command-kit'
import type { CheckResult } from '@penstock/testkit/conformance'
import type { ConnectorPackage } from '../package.ts'
import { countOf, groupsOf, type PackageScore } from '../score.ts'

const marks = { passed: '✔', failed: '✖', skipped: '–' } as const

export const headLines = ({ name, version, fixture }: ConnectorPackage, style: Style): string[] => [
  style.bold(`${name} ${version}`),
  `${fixture.connector.title ?? fixture.connector.name} (${fixture.connector.kind})`,
  '',
]

/** Lines of one check: what holds, and why it does not or was skipped. */
export const resultLines = (result: CheckResult, style: Style, width: number): string[] => {
  const { status, id, title, reason } = result
  const paint = { passed: style.green, failed: style.red, skipped: style.yellow }[status]
  const [first = '', ...rest] = wrap(`${id}  ${title}`, width - 2)
  const why = reason === undefined ? [] : wrap(printable(reason), width - 4)
  return [
    `${paint(marks[status])} ${first}`,
    ...rest.map((line) => `  ${line}`),
    ...why.map((line) => `    ${status === 'failed' ? style.red(line) : style.dim(line)}`),
  ]
}

const barWidth = 30

/** A bar for each group, and the sums. */
export const summaryLines = (score: PackageScore, style: Style): string[] => {
  const groups = groupsOf(score)
  const nameWidth = Math.max(...groups.map(({ name }) => name.length), 0)
  const longest = Math.max(...groups.map(({ results }) => results.length), 1)
  const bar = (results: readonly CheckResult[]) => {
    const cells = (status: CheckResult['status'], cell: string) => {
      const count = countOf(results, status)
      return count === 0 ? '' : cell.repeat(Math.max(1, Math.round((count / longest) * barWidth)))
    }
    return (
      style.green(cells('passed', '█')) +
      style.red(cells('failed', '▒')) +
      style.yellow(cells('skipped', '░'))
    )
  }
  return [
    '',
    ...groups.map(
      ({ name, results }) =>
        `${pad(name, nameWidth)}  ${pad(`${countOf(results, 'passed')}/${results.length}`, 5, 'right')}  ${bar(results)}`,
    ),
    '',
    `${style.bold(sumsOf(score))} in ${formatDuration(score.durationMs)}`,
    '',
  ]
}

/** `35 passed, 1 failed, 2 skipped`. */
export const sumsOf = ({ passed, failed, skipped }: PackageScore): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`
