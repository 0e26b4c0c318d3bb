import {
  type AnyAction,
  type AnyActions,
  type Connection,
  connectUnknown,
  parse,
  withContext,
} from '@penstock/core'
import { fail } from '../expectations.ts'
import { configAt } from '../options.ts'
import type { ActionRun, ActionsOptions } from './options.ts'

/** A connector under test, with what its suite knows. */
export interface Subject {
  readonly connector: AnyActions
  readonly options: ActionsOptions
}

export interface Call {
  readonly signal: AbortSignal
  readonly notice?: (message: string) => void
  readonly config?: unknown
  /** Takes what an action with many results hands out. */
  readonly emit?: (item: unknown) => Promise<void>
}

export const actionsOf = ({ connector }: Subject): [string, AnyAction][] => Object.entries(connector.actions)

export const runsOf = ({ options }: Subject, name: string): readonly ActionRun[] =>
  options.runs.filter(({ action }) => action === name)

/** The action of a run. Fails for a name that the connector does not have. */
export const actionOf = ({ connector }: Subject, { action }: ActionRun): AnyAction =>
  connector.actions[action] ?? fail(`There is no action ${action} (runs).`)

/** A value of the options, or what its function gives. */
export const given = async (value: unknown): Promise<unknown> =>
  typeof value === 'function' ? (value as () => unknown)() : value

/** Runs an action as the command line does: input by its schema, output as it comes. */
export const call = (
  subject: Subject,
  run: ActionRun,
  input: unknown,
  { signal, notice, config = configAt(subject.options), emit }: Call,
): Promise<unknown> => {
  const action = actionOf(subject, run)
  const connection = connectUnknown(subject.connector, config) as Connection<AnyActions>
  const streams = {
    ...(run.stdin !== undefined && { stdin: bytesOf(run.stdin) }),
    stdout: async () => {},
    onProgress: () => {},
  }
  return withContext(
    connection,
    async (context) =>
      action.run({ ...context, ...streams }, parse(action.input, input, `action ${run.action}`), emit),
    { signal, ...(notice && { notice }) },
  )
}

async function* bytesOf(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** The part of an output that is the same each time. */
export const stableOf = ({ stable }: ActionRun, output: unknown): unknown =>
  stable ? stable(output) : output

/** Puts everything in place for a run, and runs it. */
export const runAnew = async (subject: Subject, run: ActionRun, options: Call): Promise<unknown> => {
  await subject.options.reset?.()
  return call(subject, run, await given(run.input), options)
}
