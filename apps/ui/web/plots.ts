import type { RunInfo } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { formatBytes, formatCount, formatDuration, formatShortTime } from './format.ts'
import { goTo } from './hooks.ts'

/** Bars of a plot: more would be thinner than a pointer. */
const plottedRuns = 60

interface Measure {
  readonly title: string
  readonly read: (run: RunInfo) => number
  readonly format: (value: number) => string
}

const measures: readonly Measure[] = [
  { title: 'Rows', read: ({ totals }) => totals.rows, format: formatCount },
  { title: 'Bytes', read: ({ totals }) => totals.bytes, format: formatBytes },
  { title: 'Time', read: ({ durationMs = 0 }) => durationMs, format: formatDuration },
]

/** Rows, bytes and time of the last runs, oldest first. */
export const Plots = ({ runs }: { readonly runs: readonly RunInfo[] }): ComponentChildren => {
  const plotted = runs.slice(0, plottedRuns).reverse()
  return h(
    'div',
    { class: 'plots' },
    measures.map((measure) => h(Plot, { key: measure.title, measure, runs: plotted })),
  )
}

const width = 300
const height = 90

const Plot = ({
  measure,
  runs,
}: {
  readonly measure: Measure
  readonly runs: readonly RunInfo[]
}): ComponentChildren => {
  const { title, read, format } = measure
  const values = runs.map(read)
  const largest = Math.max(...values, 0)
  const last = values.at(-1) ?? 0
  const step = width / Math.max(runs.length, 12)
  const gap = Math.min(2, step / 4)
  return h(
    'figure',
    { class: 'plot' },
    h(
      'figcaption',
      null,
      h('span', null, title),
      h('strong', null, format(last)),
      h('span', { class: 'sub' }, 'last run'),
    ),
    h(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${title} of the last ${runs.length} runs: at most ${format(largest)}, last ${format(last)}`,
      },
      h('line', { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5, class: 'axis' }),
      h('line', { x1: 0, x2: width, y1: 0.5, y2: 0.5, class: 'grid' }),
      runs.map((run, index) => {
        const value = read(run)
        const share = largest === 0 ? 0 : value / largest
        // What is there and small is still to be seen.
        const size = value === 0 ? 1 : Math.max(2, share * (height - 6))
        return h(
          // For a pointer; the list below has the same runs for everybody.
          'g',
          { key: run.runId, class: 'mark', onClick: () => goTo('runs', run.runId) },
          h('rect', { x: index * step, y: 0, width: step, height, class: 'hit' }),
          h('rect', {
            x: index * step + gap / 2,
            y: height - size,
            width: step - gap,
            height: size,
            class: `bar ${run.status}`,
          }),
          h('title', null, `${formatShortTime(run.startedAt)}: ${format(value)}, ${run.status}`),
        )
      }),
    ),
    h(
      'p',
      { class: 'scale' },
      h('span', null, runs[0] ? formatShortTime(runs[0].startedAt) : ''),
      h('span', null, `max. ${format(largest)}`),
    ),
  )
}
