import { type AnyAction, ConnectorError } from '@penstock/core'
import { requireHelpful } from '../connection-checks.ts'
import { canonical, fail, show, unordered } from '../expectations.ts'
import type { Check, CheckContext } from '../suite.ts'
import type { ActionRun } from './options.ts'
import { actionOf, actionsOf, call, given, runAnew, runsOf, type Subject, stableOf } from './running.ts'

/** Why an action is not run. */
export const noRuns = 'No input was given to run it with (runs).'

/** What actions do, and give. */
export const runChecks = (subject: Subject): Check[] => {
  const { runs, reset, state: look } = subject.options
  const stateOf = ({ skip }: CheckContext) =>
    look ?? skip('The state of the other side was not given (state).')
  const start = async (run: ActionRun) => {
    await reset?.()
    return given(run.input)
  }
  const fitting = ({ skip }: CheckContext, reason: string, has: (run: ActionRun) => boolean) => {
    const found = runs.filter(has)
    return found.length > 0 ? found : skip(reason)
  }

  return [
    ...actionsOf(subject).map(
      ([name, action]): Check => ({
        id: `run/${name}`,
        title: `${name} runs, and its output fits its schema`,
        run: async ({ signal, skip }) => {
          const own = runsOf(subject, name)
          if (own.length === 0) skip(noRuns)
          for (const run of own) {
            const output = await runAnew(subject, run, { signal })
            const result = action.output.safeParse(output)
            if (!result.success) {
              const [issue] = result.error.issues
              fail(`Its output does not fit: ${issue?.path.join('.')}: ${issue?.message}.`)
            }
            if (run.output !== undefined && canonical(output) !== canonical(run.output))
              fail(`Its output is ${show(output)}, not ${show(run.output)}.`)
          }
        },
      }),
    ),
    {
      id: 'run/emitted',
      title: 'Results that are handed out as they come are those of the whole',
      run: async (context) => {
        const { signal } = context
        let seen = 0
        for (const run of runs) {
          const action = actionOf(subject, run)
          const whole = itemsOf(action, stableOf(run, await runAnew(subject, run, { signal })))
          if (!whole) continue
          const emitted: unknown[] = []
          const emit = async (item: unknown) => void emitted.push(item)
          const rest = await runAnew(subject, run, { signal, emit })
          // Who takes `emit` hands out: a run that has results and hands out none would leave its readers with nothing.
          if (emitted.length === 0 && takesEmit(action) && whole.length > 0)
            fail(`${run.action} takes emit and hands out nothing; the whole is ${show(whole)}.`)
          if (emitted.length === 0) continue
          seen++
          const handedOut = stableOf(run, { ...(rest as object), [listName(action)]: emitted })
          if (unordered(itemsOf(action, handedOut) ?? []) !== unordered(whole))
            fail(`${run.action} hands out ${show(emitted)}; the whole is ${show(whole)}.`)
        }
        if (seen === 0) context.skip('No action hands out results as they come.')
      },
    },
    {
      id: 'run/read-only',
      title: 'An action that says that it only reads changes nothing',
      run: async (context) => {
        const state = stateOf(context)
        for (const run of fitting(
          context,
          'No action says that it only reads.',
          (run) => actionOf(subject, run).readOnly === true,
        )) {
          const input = await start(run)
          const before = canonical(await state())
          await call(subject, run, input, context)
          requireSame(before, await state(), run)
        }
      },
    },
    {
      id: 'run/dry-run',
      title: 'A dry run changes nothing, and tells what the run then does',
      run: async (context) => {
        const state = stateOf(context)
        for (const run of fitting(
          context,
          'No input of a dry run was given (dryRun).',
          (run) => 'dryRun' in run,
        )) {
          await start(run)
          const before = canonical(await state())
          const told = itemsOf(
            actionOf(subject, run),
            await call(subject, run, await given(run.dryRun), context),
          )
          requireSame(before, await state(), run)
          const done = itemsOf(
            actionOf(subject, run),
            await call(subject, run, await given(run.input), context),
          )
          if (told && done && told.length !== done.length)
            fail(`${run.action} tells of ${told.length} things, and does ${done.length}.`)
        }
      },
    },
    {
      id: 'run/repeated',
      title: 'An action that says that it is idempotent leaves the same when it is run again',
      run: async (context) => {
        const state = stateOf(context)
        for (const run of fitting(
          context,
          'No action says that it is idempotent.',
          (run) => actionOf(subject, run).idempotent === true,
        )) {
          const input = await start(run)
          await call(subject, run, input, context)
          const once = canonical(await state())
          await call(subject, run, input, context)
          requireSame(once, await state(), run)
        }
      },
    },
    {
      id: 'run/errors',
      title: 'Each wrong input fails with the right kind of error and a hint',
      run: async (context) => {
        const wrong = runs.flatMap((run) => (run.wrong ?? []).map((part) => ({ run, ...part })))
        if (wrong.length === 0) context.skip('No wrong inputs were given (wrong).')
        for (const { run, field, input, kind } of wrong) {
          await start(run)
          const what = `A wrong ${field} of ${run.action}`
          const error = await failureOf(call(subject, run, await given(input), context), what)
          requireHelpful(error, what)
          if (error.kind !== kind) fail(`${what} is told as ${error.kind}, not as ${kind}: ${error.message}`)
        }
      },
    },
  ]
}

const requireSame = (before: string, after: unknown, { action }: ActionRun): void => {
  if (canonical(after) !== before)
    fail(`${action}: the other side changed from ${show(before)} to ${show(canonical(after))}.`)
}

/** Whether its function has a third parameter: `emit`. */
const takesEmit = (action: AnyAction): boolean => action.run.length >= 3

const listName = (action: AnyAction): string => action.list ?? 'items'

/** The list of an output: what an action with many results finds or does. */
const itemsOf = (action: AnyAction, output: unknown): readonly unknown[] | undefined => {
  const items = (output as Readonly<Record<string, unknown>> | undefined)?.[listName(action)]
  return Array.isArray(items) ? items : undefined
}

const failureOf = async (result: Promise<unknown>, what: string): Promise<ConnectorError> => {
  const error = await result.then(
    (output) => fail(`${what} succeeds with ${show(output)}.`),
    (reason: unknown) => reason,
  )
  if (ConnectorError.isInstance(error)) return error
  throw error
}
