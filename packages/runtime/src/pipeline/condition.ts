import type { StepCondition } from '../project/step-schema.ts'
import type { StepRecord } from './record.ts'

/** Why a step is left out, for people; undefined when its condition holds after the steps before it. */
export const reasonToSkip = (
  condition: StepCondition,
  earlier: readonly StepRecord[],
): string | undefined => {
  const failed = earlier.filter((step) => step.status === 'failed')
  if (condition === 'always') return undefined
  if (condition === 'success') {
    const decisive = failed.find((step) => !step.tolerated)
    return decisive && `step ${decisive.id} failed`
  }
  if (condition === 'failure') return failed.some((step) => !step.tolerated) ? undefined : 'no step failed'
  const statusOf = (id: string) => earlier.find((step) => step.id === id)?.status
  if ('success' in condition) {
    const missing = condition.success.find((id) => !['succeeded', 'reused'].includes(statusOf(id) ?? ''))
    return missing && `step ${missing} did not succeed`
  }
  return condition.failure.some((id) => statusOf(id) === 'failed')
    ? undefined
    : `${condition.failure.join(' and ')} did not fail`
}
