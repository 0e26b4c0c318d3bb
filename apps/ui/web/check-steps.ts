import type { ApiError, CheckStep } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { ErrorBox, Spinner, Status } from './parts.ts'

/** How far a test is, and how it ended. */
export interface CheckState {
  readonly running: boolean
  readonly done?: 'passed' | 'failed'
  readonly thrown?: ApiError
}

/** Steps of a test of a connection, each as soon as it has ended. */
export const CheckSteps = ({
  steps,
  running,
  thrown,
}: CheckState & { readonly steps: readonly CheckStep[] }): ComponentChildren => [
  h(
    'ol',
    { key: 'steps', class: 'steps', 'aria-live': 'polite' },
    steps.map((step) => h(CheckRow, { key: step.id, step })),
    running && h('li', { key: 'running' }, h(Spinner, { text: 'Calling …' })),
  ),
  thrown !== undefined && h(ErrorBox, { key: 'thrown', error: thrown }),
]

const CheckRow = ({ step }: { readonly step: CheckStep }): ComponentChildren =>
  h(
    'li',
    { class: `step ${step.status}` },
    h(
      'div',
      null,
      h('strong', null, step.title),
      step.detail !== undefined && !step.error && h('span', { class: 'detail' }, step.detail),
    ),
    h(Status, { status: step.status }),
    step.error && h(ErrorBox, { error: step.error }),
  )
