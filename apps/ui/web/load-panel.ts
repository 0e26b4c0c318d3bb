import type { ConnectorForm, LiveRun, LoadDraft, PlanInfo, ProjectInfo } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useId, useState } from 'preact/hooks'
import { call } from './client.ts'
import { SchemaForm } from './form.ts'
import { Select } from './form-inputs.ts'
import type { Values } from './form-values.ts'
import { countOf, formatBytes, formatCount } from './format.ts'
import { goTo, useAction } from './hooks.ts'
import { Badge, Button, ErrorBox, Table } from './parts.ts'
import type { ChosenTable } from './source-browser.ts'

/** What the modes of a load do to a table. */
const modeTexts: Readonly<Record<string, string>> = {
  full: 'full: replace the table',
  delta: 'delta: append what is new',
  merge: 'merge: upsert by key',
}

/** Where the chosen tables go, how, what that would do, and the start. */
export const LoadPanel = ({
  connection,
  form,
  project,
  chosen,
  onRemove,
}: {
  readonly connection: string
  readonly form: ConnectorForm
  readonly project: ProjectInfo
  readonly chosen: readonly ChosenTable[]
  readonly onRemove: (table: ChosenTable) => void
}): ComponentChildren => {
  const [into, setInto] = useState(project.databases[0] ?? 'warehouse.duckdb')
  const [mode, setMode] = useState(form.modes[0] ?? 'full')
  const [options, setOptions] = useState<Values>({})
  const [plan, setPlan] = useState<PlanInfo>()
  const id = useId()
  const draft: LoadDraft = {
    connection,
    tables: chosen.map(({ selection }) => selection),
    options: { ...options, mode },
    into,
  }
  const planning = useAction(async () => {
    setPlan(undefined)
    setPlan(await call<PlanInfo>('POST', '/api/plan', { body: draft }))
  })
  const starting = useAction(async () => {
    const run = await call<LiveRun>('POST', '/api/loads', { body: draft })
    goTo('runs', run.id)
  })
  const nothing = chosen.length === 0
  return h(
    'section',
    { class: 'panel load', 'aria-label': 'Load' },
    h('h2', null, nothing ? 'Load' : `Load ${countOf(chosen.length, 'table')}`),
    nothing
      ? h('p', { class: 'sub' }, 'Tick what is to become tables of a DuckDB file.')
      : h(
          'ul',
          { class: 'chips' },
          chosen.map((table) =>
            h(
              'li',
              { key: table.key },
              h('span', null, table.title),
              h(
                'button',
                { type: 'button', 'aria-label': `Leave out ${table.title}`, onClick: () => onRemove(table) },
                '✕',
              ),
            ),
          ),
        ),
    h(
      'div',
      { class: 'fields columns' },
      h(
        'div',
        { class: 'field' },
        h('label', { for: `${id}-into` }, 'Into the database'),
        h('input', {
          id: `${id}-into`,
          type: 'text',
          value: into,
          list: `${id}-known`,
          spellcheck: false,
          onInput: (event: Event) => setInto((event.currentTarget as HTMLInputElement).value),
        }),
        h(
          'datalist',
          { id: `${id}-known` },
          project.databases.map((name) => h('option', { key: name, value: name })),
        ),
      ),
      h(
        'div',
        { class: 'field' },
        h('label', { for: `${id}-mode` }, 'Mode'),
        h(Select, {
          given: { id: `${id}-mode` },
          options: form.modes.map((each) => [each, modeTexts[each] ?? each] as const),
          value: mode,
          blank: undefined,
          onChange: setMode,
        }),
      ),
    ),
    form.load &&
      h(SchemaForm, {
        schema: form.load,
        values: options,
        onChange: setOptions,
        context: { problems: [], connection },
        omit: ['mode'],
        optionalTitle: 'Options of the load',
      }),
    planning.error && h(ErrorBox, { error: planning.error }),
    starting.error && h(ErrorBox, { error: starting.error }),
    plan && h(PlanView, { plan }),
    h(
      'div',
      { class: 'actions' },
      h(
        Button,
        { kind: 'primary', disabled: nothing, busy: starting.busy, onClick: () => starting.start() },
        'Load now',
      ),
      h(Button, { disabled: nothing, busy: planning.busy, onClick: () => planning.start() }, 'Show the plan'),
    ),
  )
}

const PlanView = ({ plan }: { readonly plan: PlanInfo }): ComponentChildren =>
  h(
    'div',
    { class: 'plan', 'aria-live': 'polite' },
    plan.tables.map((table) =>
      h(
        'section',
        { key: table.name },
        h('h3', null, table.name, ' ', h(Badge, null, table.mode)),
        h(
          'p',
          { class: 'sub' },
          [
            `${countOf(table.toLoad.objects, 'object')}, ${formatBytes(table.toLoad.bytes)} to load`,
            table.unchanged.objects > 0 && `${formatCount(table.unchanged.objects)} unchanged`,
            table.rowsBefore === undefined ? 'a new table' : `${countOf(table.rowsBefore, 'row')} now`,
            `about ${countOf(table.requests, 'request')}`,
          ]
            .filter(Boolean)
            .join(' · '),
        ),
        table.changes.map((change) => h('p', { key: change, class: 'notice warn' }, change)),
        table.columns.length > 0 &&
          h(Table<PlanInfo['tables'][number]['columns'][number]>, {
            label: `Columns of ${table.name}`,
            columns: [
              { title: 'Column', cell: ({ name }) => name },
              { title: 'Type', cell: ({ type }) => h('code', null, type) },
              { title: 'Because of', minor: true, cell: ({ because }) => because ?? '' },
            ],
            rows: table.columns,
            keyOf: ({ name }) => name,
          }),
      ),
    ),
  )
