import type { AnyDestination, ExportMode } from '@penstock/core'
import { fail, show, within } from '../expectations.ts'
import { configAt, defaultPatienceMs } from '../options.ts'
import type { Check, CheckContext } from '../suite.ts'
import { type CrashGate, startCrashGate } from './crash-gate.ts'
import type { DestinationOptions, Row } from './options.ts'
import { testStream } from './stream.ts'
import { requireRows, textRows, type Write, write } from './writing.ts'

/** Steps of a write at which it crashes, at most: spread evenly where there are more, the last ones always. */
const triedSteps = 6
const lastSteps = 3

const rowsFrom = (first: number, count: number): Row[] =>
  Array.from({ length: count }, (_, index) => ({ id: first + index, name: `n${first + index}` }))

/** What is wrong after crashes: the first of each, if any. */
interface Findings {
  readonly inBetween: string | undefined
  readonly afterRetry: string | undefined
}

/**
 * The commit protocol: the machine of the connector vanishes at each step of a write, so that nothing of it can clean
 * up. The step is lost on the way there, or done without an answer.
 */
export const crashChecks = (connector: AnyDestination, options: DestinationOptions): Check[] => {
  let tried: Promise<Findings> | undefined
  const findings = ({ signal, skip }: CheckContext): Promise<Findings> => {
    const endpoint = options.endpoint ?? skip('No endpoint was given, so nothing can be put in between.')
    if (typeof options.config !== 'function') skip('The configuration takes no other endpoint.')
    tried ??= crashEverywhere(connector, options, endpoint, signal)
    return tried
  }
  const check = (id: string, title: string, pick: (found: Findings) => string | undefined): Check => ({
    id: `write/${id}`,
    title,
    run: async (context) => {
      const problem = pick(await findings(context))
      if (problem !== undefined) fail(problem)
    },
  })
  return [
    check(
      'crash',
      'After a crash at any step, the next try of the run leaves exactly its rows',
      ({ afterRetry }) => afterRetry,
    ),
    check(
      'crash-whole',
      'A crash at any step leaves the old rows in sight, or all of the new ones',
      ({ inBetween }) => inBetween,
    ),
  ]
}

const crashEverywhere = async (
  connector: AnyDestination,
  options: DestinationOptions,
  endpoint: string,
  signal: AbortSignal,
): Promise<Findings> => {
  const gate = await startCrashGate(endpoint)
  let found: Findings = { inBetween: undefined, afterRetry: undefined }
  try {
    for (const mode of connector.capabilities.modes) {
      const { inBetween, afterRetry } = await crashInMode({ connector, options, gate, mode, signal })
      found = { inBetween: found.inBetween ?? inBetween, afterRetry: found.afterRetry ?? afterRetry }
    }
    return found
  } finally {
    await gate.close()
  }
}

interface Subject {
  readonly connector: AnyDestination
  readonly options: DestinationOptions
  readonly gate: CrashGate
  readonly mode: ExportMode
  readonly signal: AbortSignal
}

const crashInMode = async ({ connector, options, gate, mode, signal }: Subject): Promise<Findings> => {
  const [before, next] = [rowsFrom(1, 4), rowsFrom(5, 7)]
  const wanted = mode === 'overwrite' ? next : [...before, ...next]
  const put = (rows: readonly Row[], commit: string, more: Partial<Write> = {}) =>
    write(connector, options, {
      streams: [testStream({ name: 'orders', rows, key: ['id'] })],
      mode,
      commit: `${commit}-${mode}`,
      signal,
      ...more,
    })
  const config = configAt(options, gate.url)
  const patience = options.patienceMs ?? defaultPatienceMs

  /** Writes until the machine is gone; rows that are in sight then. */
  const crash = async (commit: string, at: number, delivered: boolean): Promise<readonly Row[]> => {
    const machine = new AbortController()
    gate.arm({ at, delivered, onCrash: () => machine.abort() })
    const both = AbortSignal.any([signal, machine.signal])
    const ended = Promise.allSettled([put(next, commit, { config, signal: both })])
    await within(patience, 'A write that lost its service', ended)
    signal.throwIfAborted()
    return options.read('orders')
  }

  await options.clear()
  await put(before, 'crash-before')
  gate.disarm()
  await put(next, 'crash-never', { config })
  const steps = gate.messages()
  if (steps === 0) fail('Nothing was sent to the endpoint of the configuration.')
  let inBetween: string | undefined
  for (const [index, step] of chosenSteps(steps).entries())
    for (const delivered of fatesOf(step, index, steps)) {
      const commit = `crash-${step}-${delivered}`
      const when = `after a crash at step ${step} of ${steps}, which was ${delivered ? 'done without an answer' : 'lost'} (${mode})`
      await options.clear()
      await put(before, `before-${commit}`)
      const left = textRows(await crash(commit, step, delivered))
      if (![before, wanted].some((rows) => textRows(rows) === left))
        inBetween ??= `The other side has neither the old rows nor all of the new ones ${when}: ${show(left)}.`
      try {
        await put(next, commit, { retried: true })
        await requireRows(options, 'orders', wanted, `${when} and a second try`)
      } catch (error) {
        return { inBetween, afterRetry: `${error instanceof Error ? error.message : error} (${when})` }
      }
    }
  gate.disarm()
  return { inBetween, afterRetry: undefined }
}

/** Whether the step is lost or done: both where the run becomes visible, before that one of them in turn. */
const fatesOf = (step: number, index: number, count: number): readonly boolean[] =>
  step > count - lastSteps ? [false, true] : [index % 2 === 1]

const chosenSteps = (count: number): readonly number[] => {
  const all = Array.from({ length: count }, (_, index) => index + 1)
  const stride = Math.max(1, Math.ceil(count / triedSteps))
  return all.filter((step) => step % stride === 0 || step > count - lastSteps)
}
