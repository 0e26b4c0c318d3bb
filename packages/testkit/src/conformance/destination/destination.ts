import type { AnyDestination } from '@penstock/core'
import { awsFaultChecks } from '../aws-fault-checks.ts'
import { connectionChecks } from '../connection-checks.ts'
import { type Exercise, faultChecks } from '../fault-checks.ts'
import { withSkips } from '../options.ts'
import { policyChecks, secretChecks } from '../secret-checks.ts'
import { specChecks } from '../spec-checks.ts'
import type { Suite } from '../suite.ts'
import { boundChecks } from './bound-checks.ts'
import { crashChecks } from './crash-checks.ts'
import type { DestinationOptions } from './options.ts'
import { testStream } from './stream.ts'
import { valueChecks } from './value-checks.ts'
import { writeChecks } from './write-checks.ts'
import { write } from './writing.ts'

/** The conformance suite of a destination. Run it with `runSuite`, or in vitest with `describeSuite`. */
export const testDestination = <Connector extends AnyDestination>(
  connector: Connector,
  options: DestinationOptions<Connector>,
): Suite => {
  const known = options as unknown as DestinationOptions
  let runs = 0
  const exercise = async (config: unknown, signal: AbortSignal, notice?: (message: string) => void) => {
    await known.clear()
    const rows = [1, 2, 3, 4].map((id) => ({ id, name: `n${id}` }))
    await write(connector, known, {
      streams: [testStream({ name: 'orders', rows, key: ['id'] })],
      mode: connector.capabilities.modes[0] ?? 'append',
      commit: `exercise-${++runs}`,
      signal,
      config,
      ...(notice && { notice }),
    })
    return [...(await known.read('orders'))]
  }
  const writeAndRead: Exercise = (config, signal) => exercise(config, signal)
  return Object.freeze({
    connector: connector.name,
    kind: 'destination' as const,
    checks: withSkips(options.skip, [
      ...specChecks(connector, known),
      ...connectionChecks(connector, known),
      ...writeChecks(connector, known),
      ...valueChecks(connector, known),
      ...boundChecks(connector, known),
      ...crashChecks(connector, known),
      ...faultChecks(known, writeAndRead),
      ...awsFaultChecks(known, writeAndRead),
      ...secretChecks(connector, known, exercise),
      ...policyChecks(connector, known, writeAndRead),
    ]),
  })
}
