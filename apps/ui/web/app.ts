import type { LiveRun, ProjectInfo } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { call } from './client.ts'
import { ConnectionPage } from './connection-page.ts'
import { ConnectionsPage, NewConnectionPage } from './connections-page.ts'
import { type Loaded, linkTo, useLoaded, useRoute } from './hooks.ts'
import { Overview } from './overview.ts'
import { Await, LinkButton, PageHead } from './parts.ts'
import { PipelinesPage } from './pipelines-page.ts'
import { RunPage } from './run-page.ts'
import { RunsPage } from './runs-page.ts'

const sections = [
  ['', 'Overview'],
  ['connections', 'Connections'],
  ['pipelines', 'Pipelines'],
  ['runs', 'Runs'],
] as const

export const App = (): ComponentChildren => {
  const route = useRoute()
  // The project is read anew with each page: the command line and editors change it, too.
  const project = useLoaded(route.join('/'), (signal) => call<ProjectInfo>('GET', '/api/project', { signal }))
  const kept = useRef<ProjectInfo | undefined>(undefined)
  kept.current = project.value ?? kept.current
  const shown = project.error ? project : { ...project, ...(kept.current ? { value: kept.current } : {}) }
  const main = useRef<HTMLElement>(null)
  const page = route.join('/')
  const first = useRef(true)
  useEffect(() => {
    const title = main.current?.querySelector('h1')?.textContent
    document.title = [title, 'Penstock'].filter(Boolean).join(' · ')
    // A reader of the screen is told of a new page by the focus.
    if (!first.current) main.current?.focus()
    first.current = false
    window.scrollTo(0, 0)
  }, [page])
  return h(
    'div',
    { class: 'app' },
    h(
      'a',
      { class: 'skip', href: '#main', onClick: (event: Event) => skip(event, main.current) },
      'Skip to content',
    ),
    h(Sidebar, { project: kept.current, current: route[0] ?? '' }),
    h(
      'main',
      { id: 'main', tabIndex: -1, ref: main },
      h(Await<ProjectInfo>, {
        loaded: shown,
        text: 'Reading the project …',
        children: (value: ProjectInfo) => h(Page, { route, project: value, reload: project.reload }),
      }),
    ),
  )
}

const skip = (event: Event, main: HTMLElement | null): void => {
  event.preventDefault()
  main?.focus()
}

const Sidebar = ({
  project,
  current,
}: {
  readonly project: ProjectInfo | undefined
  readonly current: string
}): ComponentChildren => {
  const live = useLive()
  const running = live.value?.filter(({ status }) => status === 'running').length ?? 0
  return h(
    'header',
    { class: 'sidebar' },
    h('a', { class: 'brand', href: linkTo() }, h(Logo, null), h('span', null, 'Penstock')),
    h(
      'nav',
      { 'aria-label': 'Sections' },
      sections.map(([id, title]) =>
        h(
          'a',
          {
            key: id,
            href: linkTo(...(id === '' ? [] : [id])),
            ...(id === current ? { 'aria-current': 'page' as const } : {}),
          },
          title,
          id === 'runs' &&
            running > 0 &&
            h('span', { class: 'running', title: `${running} running` }, running),
        ),
      ),
    ),
    project &&
      h(
        'p',
        { class: 'project', title: project.file },
        h('strong', null, project.name),
        h('span', null, `penstock ${project.version}`),
      ),
  )
}

const Logo = (): ComponentChildren =>
  h(
    'svg',
    { viewBox: '0 0 32 32', width: 26, height: 26, 'aria-hidden': 'true' },
    h('rect', { width: 32, height: 32, rx: 8, class: 'logo-ground' }),
    h('path', { d: 'M7 11h18M7 16h12M7 21h6', class: 'logo-lines' }),
  )

/** Runs that this server has started, looked at every few seconds while the page is seen. */
const useLive = (): Loaded<readonly LiveRun[]> => {
  const live = useLoaded('live', (signal) => call<readonly LiveRun[]>('GET', '/api/live', { signal }))
  const { reload } = live
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload()
    }, 4_000)
    return () => clearInterval(timer)
  }, [reload])
  return live
}

const Page = ({
  route,
  project,
  reload,
}: {
  readonly route: readonly string[]
  readonly project: ProjectInfo
  readonly reload: () => void
}): ComponentChildren => {
  const [section, name, part] = route
  if (section === undefined) return h(Overview, { project })
  if (section === 'connections') {
    if (name === undefined) return h(ConnectionsPage, { project })
    if (name === '+') return h(NewConnectionPage, { key: part ?? '', reference: part, project })
    const connection = project.connections.find((each) => each.name === name)
    if (connection) return h(ConnectionPage, { key: name, connection, tab: part, project, reload })
    return h(Missing, { what: `There is no connection "${name}" in this project.` })
  }
  if (section === 'pipelines') return h(PipelinesPage, { project })
  if (section === 'runs') return name === undefined ? h(RunsPage, null) : h(RunPage, { key: name, id: name })
  return h(Missing, { what: 'There is no such page.' })
}

const Missing = ({ what }: { readonly what: string }): ComponentChildren =>
  h(
    'div',
    null,
    h(PageHead, { title: what, lead: 'It may have been renamed or removed.' }),
    h(LinkButton, { href: linkTo(), kind: 'primary' }, 'To the overview'),
  )
