import type { AnyActions } from '@penstock/core'
import { awsFaultChecks } from '../aws-fault-checks.ts'
import { connectionChecks } from '../connection-checks.ts'
import { cancelCheck, type Exercise, faultChecks } from '../fault-checks.ts'
import { withSkips } from '../options.ts'
import { policyCheck, secretChecks } from '../secret-checks.ts'
import { specChecks } from '../spec-checks.ts'
import type { Check, Suite } from '../suite.ts'
import { definitionChecks } from './definition-checks.ts'
import type { ActionRun, ActionsOptions } from './options.ts'
import { noRuns, runChecks } from './run-checks.ts'
import { actionsOf, runAnew, runsOf, type Subject, stableOf } from './running.ts'

/** The conformance suite of actions. Run it with `runSuite`, or in vitest with `describeSuite`. */
export const testActions = <Connector extends AnyActions>(
  connector: Connector,
  options: ActionsOptions<Connector>,
): Suite => {
  const subject: Subject = { connector, options: options as unknown as ActionsOptions }
  const runAll = async (
    runs: readonly ActionRun[],
    config: unknown,
    signal: AbortSignal,
    notice?: (message: string) => void,
  ) => {
    const outputs: unknown[] = []
    for (const run of runs)
      outputs.push(stableOf(run, await runAnew(subject, run, { signal, config, ...(notice && { notice }) })))
    return outputs
  }
  const exercise: Exercise = (config, signal) => runAll(subject.options.runs, config, signal)
  return Object.freeze({
    connector: connector.name,
    kind: 'actions' as const,
    checks: withSkips(options.skip, [
      ...specChecks(connector, subject.options),
      ...connectionChecks(connector, subject.options),
      ...definitionChecks(subject),
      ...runChecks(subject),
      cancelCheck('run/cancelled', subject.options, exercise),
      ...faultChecks(subject.options, exercise),
      ...awsFaultChecks(subject.options, exercise),
      ...secretChecks(connector, subject.options, (config, signal, notice) =>
        runAll(subject.options.runs, config, signal, notice),
      ),
      ...actionsOf(subject).map(([name]): Check => {
        const runs = runsOf(subject, name)
        const check = {
          id: `policy/${name}`,
          title: `${name} works under exactly the policy that is printed for it`,
        }
        if (runs.length === 0) return { ...check, run: async ({ skip }) => skip(noRuns) }
        const print = { actions: [name] }
        return policyCheck(connector, subject.options, (config, signal) => runAll(runs, config, signal), {
          ...check,
          print,
        })
      }),
    ]),
  })
}
