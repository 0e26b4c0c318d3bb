import type { PreviewTable } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { call } from './client.ts'
import { countOf } from './format.ts'
import { useLoaded } from './hooks.ts'
import { Await, Dialog, Scroller } from './parts.ts'

/** What a preview is asked for with: a path of the API and its body. */
export interface PreviewRequest {
  readonly title: string
  readonly path: string
  readonly body: unknown
}

/** The first rows of a table, over the page. */
export const PreviewDialog = ({
  request,
  onClose,
}: {
  readonly request: PreviewRequest
  readonly onClose: () => void
}): ComponentChildren => {
  const loaded = useLoaded(JSON.stringify(request), (signal) =>
    call<PreviewTable>('POST', request.path, { body: request.body, signal }),
  )
  return h(
    Dialog,
    { title: request.title, onClose },
    h(Await<PreviewTable>, {
      loaded,
      text: 'Reading the first rows …',
      children: (table: PreviewTable) => h(Rows, { table }),
    }),
  )
}

const Rows = ({ table }: { readonly table: PreviewTable }): ComponentChildren => {
  const { columns, rows, more, note, name } = table
  const found = rows.length === 0 ? 'no rows' : `${more ? 'first ' : ''}${countOf(rows.length, 'row')}`
  return h(
    'div',
    { class: 'preview' },
    h(
      'p',
      { class: 'sub' },
      [`Table ${name}: ${found}`, countOf(columns.length, 'column'), note].filter(Boolean).join(' · '),
    ),
    columns.length > 0 &&
      h(
        Scroller,
        { label: `Rows of ${name}` },
        h(
          'table',
          { class: 'data' },
          h(
            'thead',
            null,
            h(
              'tr',
              null,
              columns.map((column) =>
                h(
                  'th',
                  { key: column.name, scope: 'col', class: column.numeric ? 'right' : '' },
                  column.name,
                  h('span', { class: 'type' }, column.type),
                ),
              ),
            ),
          ),
          h(
            'tbody',
            null,
            rows.map((row, index) =>
              h(
                'tr',
                { key: index },
                row.map((cell, place) =>
                  h(
                    'td',
                    { key: columns[place]?.name ?? place, class: columns[place]?.numeric ? 'right' : '' },
                    cell ?? h('span', { class: 'null' }, 'NULL'),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
  )
}
