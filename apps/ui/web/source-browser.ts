import type { ConnectionInfo, ConnectorForm, ProjectInfo, TableEntry } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useState } from 'preact/hooks'
import { call, path } from './client.ts'
import { SchemaForm } from './form.ts'
import type { Values } from './form-values.ts'
import { formatBytes, formatCount } from './format.ts'
import { useLoaded } from './hooks.ts'
import { LoadPanel } from './load-panel.ts'
import { Await, Button, type Column, Empty, Table } from './parts.ts'
import { PreviewDialog, type PreviewRequest } from './preview.ts'

/** A selection that was chosen, with a key that tells it from others. */
export interface ChosenTable {
  readonly key: string
  readonly title: string
  readonly selection: Values
}

const chosenOf = ({ name, selection }: TableEntry): ChosenTable | undefined => {
  if (!selection) return undefined
  const [value] = Object.values(selection)
  return { key: JSON.stringify(selection), title: String(value ?? name), selection }
}

/** Prefix of a folder that can be looked into. */
const folderOf = ({ selection }: TableEntry): string | undefined =>
  typeof selection?.folder === 'string' ? selection.folder : undefined

/** What a source offers: objects and folders, or tables by name; chosen ones are loaded. */
export const SourceBrowser = ({
  connection,
  form,
  project,
}: {
  readonly connection: ConnectionInfo
  readonly form: ConnectorForm
  readonly project: ProjectInfo
}): ComponentChildren => {
  const { name } = connection
  const [prefix, setPrefix] = useState('')
  const [chosen, setChosen] = useState<readonly ChosenTable[]>([])
  const [preview, setPreview] = useState<PreviewRequest>()
  const listing = useLoaded(connection.valid ? `${name}\0${prefix}` : undefined, (signal) =>
    call<readonly TableEntry[]>(
      'GET',
      `${path`/api/connections/${name}/tables`}?${new URLSearchParams(prefix === '' ? {} : { prefix })}`,
      { signal },
    ),
  )
  const toggle = (table: ChosenTable) =>
    setChosen((before) =>
      before.some(({ key }) => key === table.key)
        ? before.filter(({ key }) => key !== table.key)
        : [...before, table],
    )
  const show = ({ title, selection }: ChosenTable) =>
    setPreview({ title, path: path`/api/connections/${name}/preview`, body: { selection } })
  if (!connection.valid) return h(Empty, { title: 'The connection has to be put right first' })
  return h(
    'div',
    { class: 'stack' },
    h(
      'section',
      { class: 'panel' },
      h(Crumbs, { root: String(connection.fields.bucket ?? name), prefix, onOpen: setPrefix }),
      h(Await<readonly TableEntry[]>, {
        loaded: listing,
        text: 'Listing …',
        children: (entries: readonly TableEntry[]) =>
          entries.length === 0
            ? h(Empty, { title: 'There is nothing here to load' })
            : h(Table<TableEntry>, {
                label: `Tables of ${name}`,
                columns: columnsOf({ entries, prefix, chosen, toggle, show, open: setPrefix }),
                rows: entries,
                keyOf: (entry) => JSON.stringify(entry.selection ?? entry.name),
              }),
      }),
    ),
    form.selection && h(OtherSelection, { schema: form.selection, onAdd: toggle, onPreview: show }),
    h(LoadPanel, { connection: name, form, project, chosen, onRemove: toggle }),
    preview && h(PreviewDialog, { request: preview, onClose: () => setPreview(undefined) }),
  )
}

const columnsOf = ({
  entries,
  prefix,
  chosen,
  toggle,
  show,
  open,
}: {
  readonly entries: readonly TableEntry[]
  readonly prefix: string
  readonly chosen: readonly ChosenTable[]
  readonly toggle: (table: ChosenTable) => void
  readonly show: (table: ChosenTable) => void
  readonly open: (prefix: string) => void
}): readonly Column<TableEntry>[] => {
  const sized = entries.some(({ bytes }) => bytes !== undefined)
  const right = { align: 'right' } as const
  return [
    {
      title: 'Load',
      cell: (entry) => {
        const table = chosenOf(entry)
        if (!table) return null
        return h('input', {
          type: 'checkbox',
          checked: chosen.some(({ key }) => key === table.key),
          'aria-label': `Load ${table.title}`,
          onChange: () => toggle(table),
        })
      },
    },
    {
      title: 'Name',
      cell: (entry) => {
        const folder = folderOf(entry)
        const label = (folder ?? chosenOf(entry)?.title ?? entry.name).slice(prefix.length) || entry.name
        return [
          folder !== undefined && folder !== prefix
            ? h('button', { type: 'button', class: 'link folder', onClick: () => open(folder) }, label)
            : h('span', { class: 'object' }, label),
          entry.description !== undefined && h('span', { class: 'description' }, entry.description),
        ]
      },
    },
    { title: 'Format', minor: true, cell: ({ format }) => format ?? '' },
    ...(sized
      ? [
          {
            title: 'Objects',
            ...right,
            minor: true,
            cell: ({ objects }: TableEntry) => (objects === undefined ? '' : formatCount(objects)),
          },
          {
            title: 'Size',
            ...right,
            cell: ({ bytes }: TableEntry) => (bytes === undefined ? '' : formatBytes(bytes)),
          },
        ]
      : []),
    {
      title: 'Rows',
      ...right,
      cell: (entry) => {
        const table = chosenOf(entry)
        if (!table) return null
        return h(
          Button,
          { kind: 'quiet', label: `Preview ${table.title}`, onClick: () => show(table) },
          'Preview',
        )
      },
    },
  ]
}

const Crumbs = ({
  root,
  prefix,
  onOpen,
}: {
  readonly root: string
  readonly prefix: string
  readonly onOpen: (prefix: string) => void
}): ComponentChildren => {
  const parts = prefix.split('/').filter((part) => part !== '')
  const crumb = (label: string, target: string) =>
    h(
      'li',
      { key: target },
      target === prefix
        ? h('span', { 'aria-current': 'location' }, label)
        : h('button', { type: 'button', class: 'link', onClick: () => onOpen(target) }, label),
    )
  return h(
    'nav',
    { class: 'crumbs', 'aria-label': 'Folder' },
    h(
      'ol',
      null,
      crumb(root, ''),
      parts.map((part, index) => crumb(part, `${parts.slice(0, index + 1).join('/')}/`)),
    ),
  )
}

/** What the list can't say: a glob, a pattern, options of CSV. */
const OtherSelection = ({
  schema,
  onAdd,
  onPreview,
}: {
  readonly schema: NonNullable<ConnectorForm['selection']>
  readonly onAdd: (table: ChosenTable) => void
  readonly onPreview: (table: ChosenTable) => void
}): ComponentChildren => {
  const [values, setValues] = useState<Values>({})
  const table: ChosenTable = {
    key: JSON.stringify(values),
    title: Object.entries(values)
      .map(([field, value]) => `${field} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', '),
    selection: values,
  }
  const isEmpty = Object.keys(values).length === 0
  return h(
    'details',
    { class: 'fold panel' },
    h('summary', null, 'Choose by pattern, or with options of the format'),
    h(SchemaForm, {
      schema,
      values,
      onChange: setValues,
      context: { problems: [], connection: '' },
      optionalTitle: 'Selection',
    }),
    h(
      'div',
      { class: 'actions' },
      h(
        Button,
        {
          disabled: isEmpty,
          onClick: () => {
            onAdd(table)
            setValues({})
          },
        },
        'Add to the load',
      ),
      h(Button, { kind: 'quiet', disabled: isEmpty, onClick: () => onPreview(table) }, 'Preview'),
    ),
  )
}
