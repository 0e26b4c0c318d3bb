import type {
  CheckStep,
  ConnectionDraft,
  ConnectionInfo,
  ConnectorForm,
  Policies,
  ProjectInfo,
} from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { CatalogBrowser } from './catalog-browser.ts'
import { type CheckState, CheckSteps } from './check-steps.ts'
import { call, checkConnection, path, problemOf } from './client.ts'
import { ConnectionEditor } from './connection-editor.ts'
import { goTo, linkTo, useAction, useLoaded } from './hooks.ts'
import { Await, Badge, Button, Confirm, Copyable, Empty, ErrorBox, PageHead } from './parts.ts'
import { SourceBrowser } from './source-browser.ts'

const tabs = [
  ['tables', 'Tables'],
  ['check', 'Test'],
  ['policy', 'Access policy'],
  ['settings', 'Settings'],
] as const

export const ConnectionPage = ({
  connection,
  tab,
  project,
  reload,
}: {
  readonly connection: ConnectionInfo
  readonly tab: string | undefined
  readonly project: ProjectInfo
  readonly reload: () => void
}): ComponentChildren => {
  const { name, connector } = connection
  const form = useLoaded(connector, (signal) =>
    call<ConnectorForm>('GET', path`/api/connectors/${connector}`, { signal }),
  )
  const hasTables = connection.kind === 'source' || connection.kind === 'zero-copy'
  const shown = tabs.filter(([id]) => id !== 'tables' || hasTables)
  const current = tab ?? (connection.valid ? (hasTables ? 'tables' : 'check') : 'settings')
  return h(
    'div',
    null,
    h(PageHead, {
      title: [
        name,
        ' ',
        h(Badge, { tone: connection.valid ? 'mute' : 'bad' }, connection.kind ?? 'not valid'),
      ],
      lead: connection.description ?? connection.title ?? connector,
    }),
    h(
      'nav',
      { class: 'tabs', 'aria-label': `Connection ${name}` },
      shown.map(([id, title]) =>
        h(
          'a',
          {
            key: id,
            href: linkTo('connections', name, id),
            ...(id === current ? { 'aria-current': 'page' as const } : {}),
          },
          title,
        ),
      ),
    ),
    connection.error && current !== 'settings' && h(ErrorBox, { error: connection.error }),
    h(Await<ConnectorForm>, {
      loaded: form,
      text: 'Loading the connector …',
      children: (value: ConnectorForm) => tabOf(current, { connection, form: value, project, reload }),
    }),
  )
}

interface TabProps {
  readonly connection: ConnectionInfo
  readonly form: ConnectorForm
  readonly project: ProjectInfo
  readonly reload: () => void
}

const tabOf = (tab: string, props: TabProps): ComponentChildren => {
  if (tab === 'settings') return h(Settings, props)
  if (tab === 'check') return h(CheckTab, { name: props.connection.name })
  if (tab === 'policy') return h(PolicyTab, { name: props.connection.name })
  if (props.connection.kind === 'zero-copy') return h(CatalogBrowser, props)
  return h(SourceBrowser, props)
}

/** Runs the test at once, and shows each step as it ends. */
const CheckTab = ({ name }: { readonly name: string }): ComponentChildren => {
  const [steps, setSteps] = useState<readonly CheckStep[]>([])
  const [state, setState] = useState<CheckState>({ running: true })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    setSteps([])
    setState({ running: true })
    const tell: Parameters<typeof checkConnection>[1] = (line) => {
      if ('step' in line) setSteps((before) => [...before, line.step])
      else if ('done' in line) setState({ running: false, done: line.done })
      else setState({ running: false, thrown: line.error })
    }
    checkConnection(name, tell, controller.signal).catch((thrown: unknown) => {
      if (!controller.signal.aborted) setState({ running: false, thrown: problemOf(thrown) })
    })
    return () => controller.abort()
  }, [name, turn])
  const again = useCallback(() => setTurn((before) => before + 1), [])
  return h(
    'section',
    { class: 'panel' },
    h(
      'div',
      { class: 'row-head' },
      h('h2', null, 'Test of the connection'),
      h(Button, { busy: state.running, onClick: again }, state.running ? 'Testing …' : 'Test again'),
    ),
    h(CheckSteps, { steps, ...state }),
    state.done === 'passed' &&
      h(
        'p',
        { class: 'notice passed' },
        'The connection works. ',
        h('a', { href: linkTo('connections', name) }, 'Look around'),
      ),
  )
}

const PolicyTab = ({ name }: { readonly name: string }): ComponentChildren => {
  const policies = useLoaded(name, (signal) =>
    call<Policies>('GET', path`/api/connections/${name}/policy`, { signal }),
  )
  return h(Await<Policies>, {
    loaded: policies,
    text: 'Making the policy …',
    children: ({ policy, trust }: Policies) =>
      policy === undefined && trust === undefined
        ? h(Empty, { title: 'This connector prints no policy' })
        : h(
            'div',
            { class: 'stack' },
            h('p', { class: 'lead' }, 'Exactly what this connection needs, ready to paste into AWS.'),
            policy !== undefined &&
              h(Copyable, { label: 'IAM policy', text: JSON.stringify(policy, null, 2) }),
            trust !== undefined &&
              h(Copyable, { label: 'Trust policy of the role', text: JSON.stringify(trust, null, 2) }),
          ),
  })
}

const Settings = ({ connection, form, reload }: TabProps): ComponentChildren => {
  const { name } = connection
  const draft = useLoaded(name, (signal) =>
    call<ConnectionDraft>('GET', path`/api/connections/${name}`, { signal }),
  )
  const [asks, setAsks] = useState(false)
  const asked = useRef(asks)
  asked.current = asks
  const removal = useAction(async () => {
    await call('DELETE', path`/api/connections/${name}`)
    goTo('connections')
    reload()
  })
  return h(
    'div',
    { class: 'stack' },
    connection.error && h(ErrorBox, { error: connection.error }),
    h(Await<ConnectionDraft>, {
      loaded: draft,
      text: 'Reading the connection …',
      children: (value: ConnectionDraft) =>
        h(ConnectionEditor, {
          form,
          draft: value,
          name,
          taken: [],
          onSaved: () => goTo('connections', name, 'check'),
        }),
    }),
    h(
      'section',
      { class: 'panel danger-zone' },
      h('h2', null, 'Remove'),
      h('p', null, 'Takes the connection out of penstock.yaml. Tables that were loaded from it stay.'),
      removal.error && h(ErrorBox, { error: removal.error }),
      h(Button, { kind: 'danger', onClick: () => setAsks(true) }, 'Remove this connection'),
    ),
    asks &&
      h(
        Confirm,
        {
          title: `Remove ${name}?`,
          action: 'Remove it',
          busy: removal.busy,
          onConfirm: () => {
            removal.start()
            setAsks(false)
          },
          onClose: () => setAsks(false),
        },
        h('p', null, 'Its entry in penstock.yaml goes away, and secrets that were typed in here.'),
      ),
  )
}
