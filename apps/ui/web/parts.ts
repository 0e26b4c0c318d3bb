import type { ApiError } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { Loaded } from './hooks.ts'

type Children = { readonly children?: ComponentChildren }

export const Button = ({
  children,
  kind = 'plain',
  busy = false,
  disabled = false,
  type = 'button',
  label,
  onClick,
}: Children & {
  readonly kind?: 'plain' | 'primary' | 'quiet' | 'danger'
  readonly busy?: boolean
  readonly disabled?: boolean
  readonly type?: 'button' | 'submit'
  /** What it does, where its text does not say it. */
  readonly label?: string
  readonly onClick?: (() => void) | undefined
}): ComponentChildren =>
  h(
    'button',
    {
      type,
      class: `button ${kind}`,
      disabled: disabled || busy,
      'aria-busy': busy,
      ...(label === undefined ? {} : { 'aria-label': label }),
      ...(onClick ? { onClick } : {}),
    },
    busy && h('span', { class: 'spinner small', 'aria-hidden': 'true' }),
    children,
  )

export const LinkButton = ({
  children,
  href,
  kind = 'plain',
}: Children & { readonly href: string; readonly kind?: 'plain' | 'primary' | 'quiet' }): ComponentChildren =>
  h('a', { class: `button ${kind}`, href }, children)

export const Spinner = ({ text }: { readonly text: string }): ComponentChildren =>
  h('p', { class: 'loading', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), text)

/** An error with its place and the way out. */
export const ErrorBox = ({
  error,
  retry,
}: {
  readonly error: ApiError
  readonly retry?: () => void
}): ComponentChildren => {
  const place = placeText(error)
  const shown = error.code && !error.message.includes(error.code) && error.code !== 'InvalidForm'
  return h(
    'div',
    { class: 'notice failed', role: 'alert' },
    h('p', { class: 'message' }, error.message, shown && h('span', { class: 'code' }, ` ${error.code}`)),
    place !== '' && h('p', { class: 'place' }, place),
    error.hint !== undefined && h('p', { class: 'hint' }, error.hint),
    retry && h(Button, { onClick: retry }, 'Try again'),
  )
}

const placeText = ({ place, message }: ApiError): string =>
  [
    ['table', place?.table],
    ['object', place?.object],
    ['line', place?.line],
    ['column', place?.column],
    ['value', place?.value],
  ]
    .filter(([, value]) => value !== undefined && !message.includes(String(value)))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

/** Shows what is loaded: an indicator, the error with a way to try again, or the value. */
export const Await = <Value>({
  loaded,
  text,
  children,
}: {
  readonly loaded: Loaded<Value>
  readonly text: string
  readonly children: (value: Value) => ComponentChildren
}): ComponentChildren => {
  if (loaded.error) return h(ErrorBox, { error: loaded.error, retry: loaded.reload })
  return loaded.value === undefined ? h(Spinner, { text }) : children(loaded.value)
}

/** What is to be seen where there is nothing yet, with what to do about it. */
export const Empty = ({ title, children }: Children & { readonly title: string }): ComponentChildren =>
  h('div', { class: 'empty' }, h('p', { class: 'title' }, title), children)

const marks: Readonly<Record<string, readonly [tone: string, mark: string]>> = {
  succeeded: ['good', '✔'],
  passed: ['good', '✔'],
  failed: ['bad', '✖'],
  cancelled: ['warn', '■'],
  interrupted: ['warn', '■'],
  running: ['live', '●'],
}

/** A status in colour, mark and word: colour alone tells not everybody. */
export const Status = ({ status }: { readonly status: string }): ComponentChildren => {
  const [tone, mark] = marks[status] ?? ['mute', '–']
  return h(
    'span',
    { class: `status ${tone}` },
    h('span', { 'aria-hidden': 'true' }, mark),
    h('span', { class: 'word' }, ` ${status}`),
  )
}

export const Badge = ({
  children,
  tone = 'mute',
}: Children & { readonly tone?: 'mute' | 'good' | 'warn' | 'bad' }): ComponentChildren =>
  h('span', { class: `badge ${tone}` }, children)

export interface Column<Row> {
  readonly title: string
  readonly align?: 'right'
  /** Left out on narrow screens. */
  readonly minor?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

/** A table that scrolls sideways in its own frame where it is too wide. */
export const Table = <Row>({
  label,
  columns,
  rows,
  keyOf,
}: {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}): ComponentChildren => {
  const classOf = ({ align, minor }: Column<Row>) =>
    [align === 'right' && 'right', minor && 'minor'].filter(Boolean).join(' ')
  return h(
    Scroller,
    { label },
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map((column) => h('th', { scope: 'col', class: classOf(column) }, column.title)),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map((row) =>
          h(
            'tr',
            { key: keyOf(row) },
            columns.map((column) => h('td', { class: classOf(column) }, column.cell(row))),
          ),
        ),
      ),
    ),
  )
}

/** A frame for what may be wider than the page; it can be scrolled by keyboard. */
export const Scroller = ({ label, children }: Children & { readonly label: string }): ComponentChildren =>
  h('section', { class: 'scroller', tabIndex: 0, 'aria-label': label }, children)

/** A text to be copied: a policy, an id. */
export const Copyable = ({
  text,
  label,
}: {
  readonly text: string
  readonly label: string
}): ComponentChildren => {
  const [copied, setCopied] = useState(false)
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true))
  return h(
    'figure',
    { class: 'copyable' },
    h(
      'figcaption',
      null,
      label,
      h(
        Button,
        { kind: 'quiet', label: `Copy: ${label}`, onClick: () => void copy() },
        copied ? 'Copied' : 'Copy',
      ),
    ),
    h('pre', { tabIndex: 0, 'aria-label': label }, text),
  )
}

/** A dialog over the page; Escape closes it. */
export const Dialog = ({
  title,
  children,
  onClose,
}: Children & { readonly title: string; readonly onClose: () => void }): ComponentChildren => {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    ref.current?.showModal()
  }, [])
  return h(
    'dialog',
    { ref, onClose, 'aria-labelledby': id },
    h(
      'header',
      null,
      h('h2', { id }, title),
      h(Button, { kind: 'quiet', label: 'Close', onClick: () => ref.current?.close() }, '✕'),
    ),
    children,
  )
}

/** Asks before something that can't be taken back. */
export const Confirm = ({
  title,
  children,
  action,
  busy,
  onConfirm,
  onClose,
}: Children & {
  readonly title: string
  readonly action: string
  readonly busy: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
}): ComponentChildren =>
  h(
    Dialog,
    { title, onClose },
    children,
    h(
      'div',
      { class: 'actions' },
      h(Button, { kind: 'danger', busy, onClick: onConfirm }, action),
      h(Button, { onClick: onClose }, 'Keep it'),
    ),
  )

/** The heading of a page, with what can be done on it. */
export const PageHead = ({
  title,
  lead,
  children,
}: Children & { readonly title: ComponentChildren; readonly lead?: ComponentChildren }): ComponentChildren =>
  h(
    'header',
    { class: 'page-head' },
    h('div', null, h('h1', null, title), lead !== undefined && h('p', { class: 'lead' }, lead)),
    children !== undefined && h('div', { class: 'actions' }, children),
  )
