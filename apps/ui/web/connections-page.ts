import type { ConnectionInfo, ConnectorForm, ConnectorInfo, ProjectInfo } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { call, path } from './client.ts'
import { ConnectionEditor } from './connection-editor.ts'
import { valueText } from './format.ts'
import { goTo, linkTo, useLoaded } from './hooks.ts'
import { Await, Badge, Empty, ErrorBox, LinkButton, PageHead } from './parts.ts'

const kindTitles: Readonly<Record<string, string>> = {
  source: 'source',
  destination: 'destination',
  'zero-copy': 'zero-copy',
  actions: 'actions',
}

export const ConnectionsPage = ({ project }: { readonly project: ProjectInfo }): ComponentChildren => {
  const { connections } = project
  return h(
    'div',
    null,
    h(
      PageHead,
      { title: 'Connections', lead: 'Where data comes from and goes to.' },
      connections.length > 0 &&
        h(LinkButton, { href: linkTo('connections', '+'), kind: 'primary' }, 'Add a connection'),
    ),
    connections.length === 0
      ? h(NoConnections, null)
      : h(
          'ul',
          { class: 'cards' },
          connections.map((connection) => h(ConnectionCard, { key: connection.name, connection })),
        ),
  )
}

const NoConnections = (): ComponentChildren =>
  h(
    Empty,
    { title: 'No connections yet' },
    h(
      'p',
      null,
      'A connection says where data is and how to get in. It is kept in penstock.yaml; its secrets are not.',
    ),
    h(LinkButton, { href: linkTo('connections', '+'), kind: 'primary' }, 'Add a connection'),
  )

const ConnectionCard = ({ connection }: { readonly connection: ConnectionInfo }): ComponentChildren => {
  const { name, title, connector, kind, auth, fields, valid, error, description } = connection
  const facts = Object.entries(fields).filter(([field]) => field !== 'shares' && field !== 'tables')
  return h(
    'li',
    { class: 'card' },
    h(
      'h2',
      null,
      h('a', { href: linkTo('connections', name) }, name),
      h(Badge, { tone: valid ? 'mute' : 'bad' }, valid ? (kindTitles[kind ?? ''] ?? '') : 'not valid'),
    ),
    h('p', { class: 'sub' }, description ?? title ?? connector),
    facts.length > 0 &&
      h(
        'dl',
        { class: 'facts' },
        facts.slice(0, 4).map(([field, value]) => [h('dt', null, field), h('dd', null, valueText(value))]),
        auth !== undefined && [h('dt', null, 'auth'), h('dd', null, auth)],
      ),
    error && h(ErrorBox, { error }),
  )
}

export const NewConnectionPage = ({
  reference,
  project,
}: {
  readonly reference: string | undefined
  readonly project: ProjectInfo
}): ComponentChildren => {
  const connectors = useLoaded('connectors', (signal) =>
    call<readonly ConnectorInfo[]>('GET', '/api/connectors', { signal }),
  )
  if (reference !== undefined) return h(NewOf, { reference, project })
  return h(
    'div',
    null,
    h(PageHead, { title: 'Add a connection', lead: 'What do you want to connect to?' }),
    h(Await<readonly ConnectorInfo[]>, {
      loaded: connectors,
      text: 'Looking for connectors …',
      children: (found: readonly ConnectorInfo[]) =>
        h(
          'ul',
          { class: 'cards' },
          found.map((connector) => h(ConnectorCard, { key: connector.reference, connector })),
        ),
    }),
  )
}

const ConnectorCard = ({ connector }: { readonly connector: ConnectorInfo }): ComponentChildren => {
  const { reference, title, kind, description, error, origin } = connector
  return h(
    'li',
    { class: error ? 'card' : 'card clickable' },
    h(
      'h2',
      null,
      error ? title : h('a', { class: 'stretched', href: linkTo('connections', '+', reference) }, title),
      h(Badge, null, kindTitles[kind] ?? kind),
    ),
    h('p', { class: 'sub' }, description ?? reference, origin !== 'built-in' && ' (installed package)'),
    error && h(ErrorBox, { error }),
  )
}

const NewOf = ({
  reference,
  project,
}: {
  readonly reference: string
  readonly project: ProjectInfo
}): ComponentChildren => {
  const form = useLoaded(reference, (signal) =>
    call<ConnectorForm>('GET', path`/api/connectors/${reference}`, { signal }),
  )
  return h(
    'div',
    null,
    h(PageHead, { title: 'Add a connection', lead: form.value?.title ?? reference }),
    h(Await<ConnectorForm>, {
      loaded: form,
      text: 'Loading the connector …',
      children: (value: ConnectorForm) =>
        h(ConnectionEditor, {
          form: value,
          draft: { connector: reference, fields: {} },
          taken: project.connections.map(({ name }) => name),
          onSaved: ({ name }) => goTo('connections', name, 'check'),
        }),
    }),
  )
}
