import type {
  CatalogEntry,
  CatalogListing,
  ConnectionInfo,
  ConnectorForm,
  NamespaceEntry,
} from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call, path } from './client.ts'
import { countOf } from './format.ts'
import { useAction, useLoaded } from './hooks.ts'
import { Await, Badge, Button, Copyable, Empty, ErrorBox, Table } from './parts.ts'
import { PreviewDialog, type PreviewRequest } from './preview.ts'

/** Namespaces and tables of a catalog: a look at their rows, and the choice of what the connection may use. */
export const CatalogBrowser = ({
  connection,
  form,
  reload,
}: {
  readonly connection: ConnectionInfo
  readonly form: ConnectorForm
  readonly reload: () => void
}): ComponentChildren => {
  const { name } = connection
  const [open, setOpen] = useState<string>()
  const namespaces = useLoaded(connection.valid ? name : undefined, (signal) =>
    call<readonly NamespaceEntry[]>('GET', path`/api/connections/${name}/namespaces`, { signal }),
  )
  if (!connection.valid) return h(Empty, { title: 'The connection has to be put right first' })
  const limited = connection.fields.shares !== undefined
  const changed = () => {
    namespaces.reload()
    reload()
  }
  return h(
    'div',
    { class: 'stack' },
    form.canShare &&
      h(
        'p',
        { class: 'lead' },
        limited
          ? 'Queries reach the chosen tables alone, and the access policy allows no more.'
          : 'Nothing is chosen: queries may reach every table of the catalog. Choose tables to limit the connection to them.',
      ),
    h(Await<readonly NamespaceEntry[]>, {
      loaded: namespaces,
      text: 'Reading the catalog …',
      children: (found: readonly NamespaceEntry[]) =>
        found.length === 0
          ? h(Empty, { title: 'The catalog has no namespaces' })
          : found.map((namespace) =>
              h(NamespacePanel, {
                key: namespace.label,
                connection: name,
                namespace,
                limited,
                canShare: form.canShare,
                isOpen: (open ?? found[0]?.label) === namespace.label,
                onOpen: () => setOpen(namespace.label),
                onChanged: changed,
              }),
            ),
    }),
  )
}

interface NamespaceProps {
  readonly connection: string
  readonly namespace: NamespaceEntry
  readonly limited: boolean
  readonly canShare: boolean
  readonly isOpen: boolean
  readonly onOpen: () => void
  readonly onChanged: () => void
}

const NamespacePanel = (props: NamespaceProps): ComponentChildren => {
  const { namespace, limited, isOpen, onOpen } = props
  return h(
    'section',
    { class: 'panel namespace' },
    h(
      'h2',
      { class: 'row-head' },
      h(
        'button',
        { type: 'button', class: 'link', 'aria-expanded': isOpen, onClick: onOpen },
        h('span', { class: 'chevron', 'aria-hidden': 'true' }, isOpen ? '▾' : '▸'),
        namespace.label,
      ),
      limited &&
        h(Badge, { tone: namespace.shared ? 'good' : 'mute' }, namespace.shared ? 'chosen' : 'not chosen'),
    ),
    namespace.description !== undefined && h('p', { class: 'sub' }, namespace.description),
    isOpen && h(NamespaceTables, props),
  )
}

const NamespaceTables = ({
  connection,
  namespace,
  canShare,
  limited,
  onChanged,
}: NamespaceProps): ComponentChildren => {
  const [preview, setPreview] = useState<PreviewRequest>()
  const query = new URLSearchParams(namespace.namespace.map((level) => ['namespace', level]))
  const listing = useLoaded(`${connection}\0${namespace.label}\0${limited}`, (signal) =>
    call<CatalogListing>('GET', `${path`/api/connections/${connection}/catalog`}?${query}`, { signal }),
  )
  const show = (table: CatalogEntry) =>
    setPreview({
      title: table.label,
      path: path`/api/connections/${connection}/preview`,
      body: { namespace: table.namespace, table: table.name },
    })
  return h(
    'div',
    null,
    h(Await<CatalogListing>, {
      loaded: listing,
      text: 'Listing tables …',
      children: (value: CatalogListing) =>
        value.tables.length === 0
          ? h(Empty, { title: 'This namespace has no tables' })
          : h(Choice, {
              connection,
              namespace,
              listing: value,
              canShare,
              onPreview: show,
              onChanged: () => {
                listing.reload()
                onChanged()
              },
            }),
    }),
    preview && h(PreviewDialog, { request: preview, onClose: () => setPreview(undefined) }),
  )
}

const Choice = ({
  connection,
  namespace,
  listing,
  canShare,
  onPreview,
  onChanged,
}: {
  readonly connection: string
  readonly namespace: NamespaceEntry
  readonly listing: CatalogListing
  readonly canShare: boolean
  readonly onPreview: (table: CatalogEntry) => void
  readonly onChanged: () => void
}): ComponentChildren => {
  const before = listing.limited ? listing.tables.filter(({ shared }) => shared).map(({ name }) => name) : []
  const [chosen, setChosen] = useState<readonly string[]>(before)
  const known = before.join('\0')
  useEffect(() => setChosen(known === '' ? [] : known.split('\0')), [known])
  const saving = useAction(async (tables: readonly string[] | undefined) => {
    const body = { namespace: namespace.namespace, ...(tables === undefined ? {} : { tables }) }
    await call('PUT', path`/api/connections/${connection}/shares`, { body })
    onChanged()
  })
  const toggle = (name: string) =>
    setChosen((names) => (names.includes(name) ? names.filter((each) => each !== name) : [...names, name]))
  const isChanged = [...chosen].sort().join('\0') !== [...before].sort().join('\0')
  const example = listing.tables.find(({ unsupported }) => unsupported === undefined)
  return h(
    'div',
    { class: 'stack' },
    h(Table<CatalogEntry>, {
      label: `Tables of ${namespace.label}`,
      columns: [
        ...(canShare
          ? [
              {
                title: 'Use',
                cell: ({ name, unsupported }: CatalogEntry) =>
                  h('input', {
                    type: 'checkbox',
                    checked: chosen.includes(name),
                    disabled: unsupported !== undefined,
                    'aria-label': `Use ${name}`,
                    onChange: () => toggle(name),
                  }),
              },
            ]
          : []),
        {
          title: 'Table',
          cell: ({ name, unsupported, description }) => [
            h('span', { class: 'object' }, name),
            unsupported === undefined
              ? description !== undefined && h('span', { class: 'description' }, description)
              : h('span', { class: 'problem' }, `can't be read: ${unsupported}`),
          ],
        },
        { title: 'Format', minor: true, cell: ({ format }) => format ?? '' },
        {
          title: 'Rows',
          align: 'right',
          cell: (table) =>
            table.unsupported === undefined &&
            h(
              Button,
              { kind: 'quiet', label: `Preview ${table.name}`, onClick: () => onPreview(table) },
              'Preview',
            ),
        },
      ],
      rows: listing.tables,
      keyOf: ({ name }) => name,
    }),
    saving.error && h(ErrorBox, { error: saving.error }),
    canShare &&
      h(
        'div',
        { class: 'actions' },
        h(
          Button,
          {
            kind: 'primary',
            busy: saving.busy,
            disabled: !isChanged,
            onClick: () => saving.start(chosen),
          },
          chosen.length === 0 ? 'Take the namespace out' : `Use ${countOf(chosen.length, 'table')}`,
        ),
        h(Button, { busy: saving.busy, onClick: () => saving.start(undefined) }, 'Use the whole namespace'),
      ),
    example &&
      h(Copyable, {
        label: 'Query it in the terminal',
        text: `penstock query "select * from ${example.label} limit 10" --connection ${connection}`,
      }),
  )
}
