import type { LiveRun, LiveStep, LiveTable, RunDetail, RunPart } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiProblem, call, path, problemOf, watchRun } from './client.ts'
import { countOf, formatBytes, formatCount, formatDuration, formatTime } from './format.ts'
import { linkTo, useAction, useLoaded } from './hooks.ts'
import { Await, Badge, Button, type Column, ErrorBox, PageHead, Spinner, Status, Table } from './parts.ts'
import { PreviewDialog, type PreviewRequest } from './preview.ts'

/** A run: live where this server has started it, else from the history. */
export const RunPage = ({ id }: { readonly id: string }): ComponentChildren => {
  const [live, setLive] = useState<LiveRun>()
  const found = useLoaded(id, async (signal) => {
    const runs = await call<readonly LiveRun[]>('GET', '/api/live', { signal })
    const started = runs.find((run) => run.id === id)
    if (started) return { live: started }
    return { record: await readRecord(id, signal) }
  })
  const isLive = found.value !== undefined && 'live' in found.value
  useEffect(() => (isLive ? watchRun(id, setLive) : undefined), [id, isLive])
  return h(Await<{ readonly live: LiveRun } | { readonly record: RunDetail | LiveRun }>, {
    loaded: found,
    text: 'Reading the run …',
    children: (value: { readonly live: LiveRun } | { readonly record: RunDetail | LiveRun }) => {
      if ('live' in value) return h(LiveView, { run: live ?? value.live })
      return 'steps' in value.record
        ? h(LiveView, { run: value.record })
        : h(RecordView, { run: value.record })
    },
  })
}

/** An id is that of a run, or of a pipeline with its steps. */
const readRecord = async (id: string, signal: AbortSignal): Promise<RunDetail | LiveRun> => {
  try {
    return await call<RunDetail>('GET', path`/api/runs/${id}`, { signal })
  } catch (thrown) {
    if (!(thrown instanceof ApiProblem) || problemOf(thrown).kind !== 'not-found') throw thrown
    return call<LiveRun>('GET', path`/api/pipeline-runs/${id}`, { signal })
  }
}

const LiveView = ({ run }: { readonly run: LiveRun }): ComponentChildren => {
  const now = useClock(run.status === 'running')
  const took = (run.finishedAt === undefined ? now : Date.parse(run.finishedAt)) - Date.parse(run.startedAt)
  const cancelling = useAction(async () => {
    await call('POST', path`/api/live/${run.id}/cancel`)
  })
  const isRunning = run.status === 'running'
  return h(
    'div',
    { class: 'stack' },
    h(
      PageHead,
      {
        title: [run.title, ' ', h(Status, { status: run.status })],
        lead: [formatTime(run.startedAt), formatDuration(Math.max(0, took)), run.into && `into ${run.into}`]
          .filter(Boolean)
          .join(' · '),
      },
      isRunning &&
        h(
          Button,
          { kind: 'danger', busy: run.cancelling || cancelling.busy, onClick: () => cancelling.start() },
          run.cancelling ? 'Stopping …' : 'Cancel',
        ),
    ),
    h(
      'p',
      { class: 'hidden', role: 'status' },
      `The run ${isRunning ? 'is under way' : `has ${run.status}`}.`,
    ),
    cancelling.error && h(ErrorBox, { error: cancelling.error }),
    run.error && h(ErrorBox, { error: run.error }),
    run.steps.length > 1 && h(StepList, { steps: run.steps }),
    isRunning &&
      run.tables.length === 0 &&
      run.steps.length === 0 &&
      h(Spinner, { text: 'Looking what is to be done …' }),
    isRunning && run.tables.map((table) => h(TableProgress, { key: table.name, table })),
    run.notices.length > 0 &&
      h(
        'ul',
        { class: 'notices' },
        run.notices.map((notice, index) => h('li', { key: index }, notice)),
      ),
    run.records.map((record) => h(Parts, { key: record.runId, record, database: run.into })),
    !isRunning &&
      h(
        'p',
        { class: 'actions' },
        h('a', { href: linkTo('runs') }, 'All runs'),
        run.connection !== undefined &&
          h('a', { href: linkTo('connections', run.connection) }, `Tables of ${run.connection}`),
      ),
  )
}

const RecordView = ({ run }: { readonly run: RunDetail }): ComponentChildren =>
  h(
    'div',
    { class: 'stack' },
    h(PageHead, {
      title: [run.pipeline ?? run.connection ?? run.connector, ' ', h(Status, { status: run.status })],
      lead: [
        formatTime(run.startedAt),
        run.durationMs !== undefined && formatDuration(run.durationMs),
        `penstock ${run.command}${run.pipeline === undefined ? '' : ` ${run.pipeline}`}`,
      ]
        .filter(Boolean)
        .join(' · '),
    }),
    h(Tiles, { run }),
    run.error && h(ErrorBox, { error: run.error }),
    h(Parts, { record: run, database: undefined }),
    h('p', { class: 'sub' }, 'Run ', h('code', null, run.runId)),
  )

const Tiles = ({ run }: { readonly run: RunDetail }): ComponentChildren => {
  const tiles = [
    ['Rows', formatCount(run.totals.rows)],
    ['Bytes', formatBytes(run.totals.bytes)],
    ['Files', formatCount(run.totals.objects)],
    ['Rejected rows', formatCount(run.totals.rowsRejected)],
  ] as const
  return h(
    'dl',
    { class: 'tiles' },
    tiles.map(([title, value]) => h('div', { key: title }, h('dt', null, title), h('dd', null, value))),
  )
}

/** The time now, each second while something runs. */
const useClock = (runs: boolean): number => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!runs) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [runs])
  return now
}

const phaseTexts: Readonly<Record<LiveTable['phase'], string>> = {
  waiting: 'waits',
  listing: 'listing objects',
  loading: 'loading',
  writing: 'writing',
  finished: 'done',
}

const TableProgress = ({ table }: { readonly table: LiveTable }): ComponentChildren => {
  const {
    name,
    phase,
    plannedBytes,
    bytes,
    objects,
    plannedObjects,
    rows,
    rejected,
    retries,
    rate,
    remainingMs,
  } = table
  const share = phase === 'finished' ? 1 : plannedBytes ? Math.min(1, bytes / plannedBytes) : undefined
  const facts = [
    plannedObjects === undefined
      ? countOf(objects, 'object')
      : `${formatCount(objects)} of ${countOf(plannedObjects, 'object')}`,
    plannedBytes === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(plannedBytes)}`,
    countOf(rows, 'row'),
    rejected > 0 && `${formatCount(rejected)} rejected`,
    retries > 0 && countOf(retries, 'retry', 'retries'),
    rate !== undefined && `${formatBytes(rate)}/s`,
    remainingMs !== undefined && remainingMs > 1_500 && `about ${formatDuration(remainingMs)} left`,
  ].filter(Boolean)
  return h(
    'section',
    { class: 'panel progress' },
    h(
      'div',
      { class: 'row-head' },
      h('h2', null, name),
      h(Badge, { tone: phase === 'finished' ? 'good' : 'mute' }, phaseTexts[phase]),
    ),
    h('progress', {
      'aria-label': `Progress of ${name}`,
      max: 1,
      ...(share === undefined ? {} : { value: share }),
    }),
    h('p', { class: 'sub' }, facts.join(' · ')),
  )
}

const StepList = ({ steps }: { readonly steps: readonly LiveStep[] }): ComponentChildren =>
  h(
    'section',
    { class: 'panel' },
    h('h2', null, 'Steps'),
    h(
      'ol',
      { class: 'steps' },
      steps.map((step) =>
        h(
          'li',
          { key: step.id, class: `step ${step.status}` },
          h(
            'div',
            null,
            h('strong', null, step.id),
            h(
              'span',
              { class: 'detail' },
              [
                step.kind,
                step.rows !== undefined && countOf(step.rows, 'row'),
                step.startedAt !== undefined &&
                  step.finishedAt !== undefined &&
                  formatDuration(Date.parse(step.finishedAt) - Date.parse(step.startedAt)),
              ]
                .filter(Boolean)
                .join(' · '),
            ),
          ),
          h(Status, { status: step.status }),
          step.error && h(ErrorBox, { error: step.error }),
        ),
      ),
    ),
  )

/** What a run did to each table, or each stream. */
const Parts = ({
  record,
  database,
}: {
  readonly record: RunDetail
  readonly database: string | undefined
}): ComponentChildren => {
  const [preview, setPreview] = useState<PreviewRequest>()
  if (record.parts.length === 0) return null
  const right = { align: 'right' } as const
  const columns: readonly Column<RunPart>[] = [
    {
      title: record.command === 'export' ? 'Stream' : 'Table',
      cell: ({ name, rejectTable, error }) => [
        h('span', { class: 'object' }, name),
        rejectTable !== undefined &&
          h('span', { class: 'description' }, `rejected rows are in ${rejectTable}`),
        error && h('span', { class: 'problem' }, error.message),
      ],
    },
    { title: 'Status', cell: ({ status }) => h(Status, { status }) },
    { title: 'Mode', minor: true, cell: ({ mode }) => mode },
    { title: 'Files', ...right, minor: true, cell: ({ objects }) => formatCount(objects) },
    { title: 'Bytes', ...right, minor: true, cell: ({ bytes }) => formatBytes(bytes) },
    { title: 'Rows', ...right, cell: ({ rows }) => formatCount(rows) },
    { title: 'Time', ...right, minor: true, cell: ({ durationMs }) => formatDuration(durationMs) },
    ...(database === undefined
      ? []
      : [
          {
            title: 'Look',
            ...right,
            cell: ({ name, status }: RunPart) =>
              (status === 'succeeded' || status === 'unchanged') &&
              h(
                Button,
                {
                  kind: 'quiet',
                  label: `Rows of ${name}`,
                  onClick: () =>
                    setPreview({ title: name, path: '/api/rows', body: { database, table: name } }),
                },
                'Rows',
              ),
          },
        ]),
  ]
  return h(
    'section',
    { class: 'panel flush' },
    h(Table<RunPart>, { label: 'Results', columns, rows: record.parts, keyOf: ({ name }) => name }),
    preview && h(PreviewDialog, { request: preview, onClose: () => setPreview(undefined) }),
  )
}
