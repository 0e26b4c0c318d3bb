import {
  countOf,
  formatClock,
  formatCount,
  formatDuration,
  pad,
  printable,
  type Style,
  type TableColumn,
  truncate,
} from '@penstock/command-kit'
import type { PipelineRun, StepRecord } from '@penstock/runtime'

const durationOf = ({ startedAt, finishedAt }: StepRecord): number | undefined =>
  startedAt === undefined || finishedAt === undefined
    ? undefined
    : Date.parse(finishedAt) - Date.parse(startedAt)

/** What became of a step, in one line. */
export const stepLine = (step: StepRecord, style: Style): string => {
  const name = `${step.id} (${step.kind})`
  const duration = durationOf(step)
  const time = duration === undefined ? '' : ` in ${formatDuration(duration)}`
  const tries = step.tries > 1 ? `, ${countOf(step.tries, 'try', 'tries')}` : ''
  switch (step.status) {
    case 'succeeded': {
      const rows = step.rows === undefined ? '' : `: ${countOf(step.rows, 'row')}`
      return `${style.green('✔')} ${name}${rows}${time}${tries}`
    }
    case 'failed': {
      const goesOn = step.tolerated ? ', the run goes on' : ''
      return `${style.red('✖')} ${name}: ${printable(step.error?.message.split('\n')[0]?.replace(/\.$/, '') ?? 'failed')}${goesOn}${tries}`
    }
    case 'skipped':
      return style.dim(`- ${name}: skipped`)
    case 'reused':
      return style.dim(`- ${name}: values of the last run`)
    case 'cancelled':
      return `${style.yellow('■')} ${name}: stopped`
    default:
      return style.dim(`  ${name}`)
  }
}

/** Lines of a terminal on the steps that are at work and still to come. Each fits the width. */
export const liveSteps = (
  steps: readonly StepRecord[],
  style: Style,
  now: number,
): ((width: number) => string[]) => {
  return (width) =>
    steps.flatMap((step) => {
      if (step.status === 'waiting') return [style.dim(truncate(`  ${step.id} (${step.kind})`, width))]
      if (step.status !== 'running') return []
      const spent = step.startedAt === undefined ? '' : formatClock(now - Date.parse(step.startedAt))
      return [truncate(`${style.cyan('▸')} ${pad(`${step.id} (${step.kind})`, 24)}  ${spent}`, width)]
    })
}

export const stepColumns: readonly TableColumn[] = [
  { title: 'STEP', cut: 'never' },
  { title: 'KIND', cut: 'never' },
  { title: 'STATUS', cut: 'never' },
  { title: 'ROWS', align: 'right', cut: 'never' },
  { title: 'LOST', align: 'right', cut: 'never' },
  { title: 'TRIES', align: 'right', cut: 'never' },
  { title: 'TIME', align: 'right', cut: 'never' },
]

/** Rows of a table of steps, for {@link stepColumns}. */
export const stepRows = (run: PipelineRun): string[][] =>
  run.steps.map((step) => {
    const duration = durationOf(step)
    return [
      step.id,
      step.kind,
      step.tolerated && step.status === 'failed' ? 'failed, tolerated' : step.status,
      step.rows === undefined ? '' : formatCount(step.rows),
      step.rowsLost === undefined ? '' : formatCount(step.rowsLost),
      step.tries === 0 ? '' : String(step.tries),
      duration === undefined ? '' : formatDuration(duration),
    ]
  })
