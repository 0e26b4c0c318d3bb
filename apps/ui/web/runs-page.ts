import type { RunInfo } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call } from './client.ts'
import { Select } from './form-inputs.ts'
import { formatBytes, formatCount, formatDuration, formatShortTime } from './format.ts'
import { type Loaded, linkTo, useLoaded } from './hooks.ts'
import { Await, type Column, Empty, LinkButton, PageHead, Status, Table } from './parts.ts'
import { Plots } from './plots.ts'

/** The history of the project; looked at again while something runs, here or in a terminal. */
export const useRuns = (): Loaded<readonly RunInfo[]> => {
  const runs = useLoaded('runs', (signal) => call<readonly RunInfo[]>('GET', '/api/runs', { signal }))
  const { reload } = runs
  const isRunning = runs.value?.some(({ status }) => status === 'running') ?? false
  useEffect(() => {
    if (!isRunning) return
    const timer = setInterval(reload, 2_000)
    return () => clearInterval(timer)
  }, [isRunning, reload])
  return runs
}

/** What a run is of: a pipeline, or a connection. */
const subjectOf = ({ pipeline, connection, connector }: RunInfo): string =>
  pipeline ?? connection ?? connector

export const RunsPage = (): ComponentChildren => {
  const runs = useRuns()
  return h(
    'div',
    null,
    h(PageHead, {
      title: 'Runs',
      lead: 'Loads, exports and pipelines of this project, also those of the terminal.',
    }),
    h(Await<readonly RunInfo[]>, {
      loaded: runs,
      text: 'Reading the history …',
      children: (found: readonly RunInfo[]) =>
        found.length === 0 ? h(NoRuns, null) : h(History, { runs: found }),
    }),
  )
}

export const NoRuns = (): ComponentChildren =>
  h(
    Empty,
    { title: 'Nothing ran yet' },
    h('p', null, 'Choose tables of a connection and load them; each run is kept here.'),
    h(LinkButton, { href: linkTo('connections'), kind: 'primary' }, 'To the connections'),
  )

const History = ({ runs }: { readonly runs: readonly RunInfo[] }): ComponentChildren => {
  const [subject, setSubject] = useState('')
  const subjects = [...new Set(runs.map(subjectOf))].sort()
  const shown = subject === '' ? runs : runs.filter((run) => subjectOf(run) === subject)
  return h(
    'div',
    { class: 'stack' },
    subjects.length > 1 &&
      h(
        'div',
        { class: 'field inline' },
        h('label', { for: 'subject' }, 'Runs of'),
        h(Select, {
          given: { id: 'subject' },
          options: subjects.map((each) => [each, each] as const),
          value: subject,
          blank: 'everything',
          onChange: setSubject,
        }),
      ),
    h(Plots, { runs: shown }),
    h('section', { class: 'panel flush' }, h(RunTable, { runs: shown })),
  )
}

export const RunTable = ({ runs }: { readonly runs: readonly RunInfo[] }): ComponentChildren => {
  const right = { align: 'right' } as const
  const columns: readonly Column<RunInfo>[] = [
    {
      title: 'Started',
      cell: ({ runId, startedAt }) =>
        h('a', { class: 'whole', href: linkTo('runs', runId) }, formatShortTime(startedAt)),
    },
    { title: 'Status', cell: ({ status }) => h(Status, { status }) },
    {
      title: 'What',
      cell: (run) => [
        h('span', { class: 'object' }, subjectOf(run)),
        run.names.length > 0 && h('span', { class: 'description' }, run.names.join(', ')),
      ],
    },
    { title: 'Rows', ...right, cell: ({ totals }) => formatCount(totals.rows) },
    {
      title: 'Rejected',
      ...right,
      minor: true,
      cell: ({ totals }) => (totals.rowsRejected === 0 ? '' : formatCount(totals.rowsRejected)),
    },
    { title: 'Bytes', ...right, minor: true, cell: ({ totals }) => formatBytes(totals.bytes) },
    {
      title: 'Time',
      ...right,
      minor: true,
      cell: ({ durationMs }) => (durationMs === undefined ? '' : formatDuration(durationMs)),
    },
  ]
  return h(Table<RunInfo>, { label: 'Runs', columns, rows: runs, keyOf: ({ runId }) => runId })
}
