import type { ProjectInfo, RunInfo } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { countOf } from './format.ts'
import { linkTo } from './hooks.ts'
import { Await, Badge, LinkButton, PageHead } from './parts.ts'
import { Plots } from './plots.ts'
import { NoRuns, RunTable, useRuns } from './runs-page.ts'

export const Overview = ({ project }: { readonly project: ProjectInfo }): ComponentChildren => {
  const runs = useRuns()
  if (project.connections.length === 0) return h(Welcome, { project })
  return h(
    'div',
    { class: 'stack' },
    h(
      PageHead,
      {
        title: project.name,
        lead: `${countOf(project.connections.length, 'connection')}, ${countOf(project.pipelines.length, 'pipeline')}`,
      },
      h(LinkButton, { href: linkTo('connections', '+') }, 'Add a connection'),
    ),
    h(Await<readonly RunInfo[]>, {
      loaded: runs,
      text: 'Reading the history …',
      children: (found: readonly RunInfo[]) =>
        found.length === 0
          ? h(NoRuns, null)
          : h(
              'div',
              { class: 'stack' },
              h(Plots, { runs: found }),
              h(
                'section',
                { class: 'panel flush' },
                h(
                  'div',
                  { class: 'row-head' },
                  h('h2', null, 'Last runs'),
                  h('a', { href: linkTo('runs') }, 'All runs'),
                ),
                h(RunTable, { runs: found.slice(0, 6) }),
              ),
            ),
    }),
    h(
      'section',
      { class: 'panel' },
      h(
        'div',
        { class: 'row-head' },
        h('h2', null, 'Connections'),
        h('a', { href: linkTo('connections') }, 'All connections'),
      ),
      h(
        'ul',
        { class: 'lines' },
        project.connections.map(({ name, title, connector, kind, valid }) =>
          h(
            'li',
            { key: name },
            h('a', { href: linkTo('connections', name) }, name),
            h('span', { class: 'sub' }, title ?? connector),
            h(Badge, { tone: valid ? 'mute' : 'bad' }, valid ? (kind ?? '') : 'not valid'),
          ),
        ),
      ),
    ),
  )
}

const steps = [
  ['Connect', 'Say where the data is and how to get in. Secrets stay out of penstock.yaml.'],
  ['Look around', 'Test the connection, see objects and tables, and preview their rows.'],
  ['Load', 'Turn files into tables of a DuckDB file, and watch it happen.'],
] as const

const Welcome = ({ project }: { readonly project: ProjectInfo }): ComponentChildren =>
  h(
    'div',
    null,
    h(PageHead, {
      title: `Welcome to ${project.name}`,
      lead: 'Three steps from objects in a bucket to tables.',
    }),
    h(
      'ol',
      { class: 'welcome' },
      steps.map(([title, text], index) =>
        h(
          'li',
          { key: title, class: 'card' },
          h('span', { class: 'number', 'aria-hidden': 'true' }, index + 1),
          h('h2', null, title),
          h('p', null, text),
        ),
      ),
    ),
    h(
      'div',
      { class: 'actions' },
      h(LinkButton, { href: linkTo('connections', '+'), kind: 'primary' }, 'Add the first connection'),
    ),
  )
