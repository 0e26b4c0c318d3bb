import type { LiveRun, PipelineInfo, ProjectInfo } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { call, path } from './client.ts'
import { formatDuration, formatShortTime } from './format.ts'
import { goTo, linkTo, useAction } from './hooks.ts'
import { Button, Copyable, Empty, ErrorBox, PageHead, Status } from './parts.ts'

export const PipelinesPage = ({ project }: { readonly project: ProjectInfo }): ComponentChildren =>
  h(
    'div',
    null,
    h(PageHead, {
      title: 'Pipelines',
      lead: 'What penstock.yaml says is to be done, in one go or by schedule.',
    }),
    project.pipelines.length === 0
      ? h(
          Empty,
          { title: 'No pipelines yet' },
          h('p', null, 'Write one into penstock.yaml; it appears here and can be started.'),
          h(Copyable, { label: 'An example', text: example }),
        )
      : h(
          'ul',
          { class: 'cards' },
          project.pipelines.map((pipeline) => h(PipelineCard, { key: pipeline.name, pipeline })),
        ),
  )

const example = `pipelines:
  daily:
    connection: lake
    into: warehouse.duckdb
    tables:
      - folder: orders/
        mode: delta`

const PipelineCard = ({ pipeline }: { readonly pipeline: PipelineInfo }): ComponentChildren => {
  const { name, description, into, schedule, steps, last } = pipeline
  const starting = useAction(async () => {
    const run = await call<LiveRun>('POST', path`/api/pipelines/${name}/runs`)
    goTo('runs', run.id)
  })
  const facts = [
    ['into', into],
    ['schedule', schedule],
    ['steps', steps.map(({ id, kind }) => (kind === '' ? id : `${id} (${kind})`)).join(' → ') || undefined],
  ] as const
  return h(
    'li',
    { class: 'card' },
    h('h2', null, name),
    description !== undefined && h('p', { class: 'sub' }, description),
    h(
      'dl',
      { class: 'facts' },
      facts.map(([title, value]) => value !== undefined && [h('dt', null, title), h('dd', null, value)]),
      last && [
        h('dt', null, 'last run'),
        h(
          'dd',
          null,
          h('a', { href: linkTo('runs', last.runId) }, formatShortTime(last.startedAt)),
          last.durationMs !== undefined && `, ${formatDuration(last.durationMs)} `,
          ' ',
          h(Status, { status: last.status }),
        ),
      ],
    ),
    starting.error && h(ErrorBox, { error: starting.error }),
    h(
      'div',
      { class: 'actions' },
      h(
        Button,
        { kind: 'primary', label: `Run ${name}`, busy: starting.busy, onClick: () => starting.start() },
        'Run now',
      ),
    ),
  )
}
