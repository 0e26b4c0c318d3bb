import type { AnyZeroCopy } from '@penstock/core'
import { awsFaultChecks } from '../aws-fault-checks.ts'
import { connectionChecks } from '../connection-checks.ts'
import { cancelCheck, type Exercise, faultChecks } from '../fault-checks.ts'
import { withSkips } from '../options.ts'
import { policyChecks, secretChecks } from '../secret-checks.ts'
import { specChecks } from '../spec-checks.ts'
import type { Suite } from '../suite.ts'
import { catalogChecks } from './catalog-checks.ts'
import type { ZeroCopyOptions } from './options.ts'
import { chosenTables, nameOf, type Subject, withCatalog } from './reading.ts'
import { scanChecks } from './scan-checks.ts'

/** The conformance suite of a zero-copy connector. Run it with `runSuite`, or in vitest with `describeSuite`. */
export const testZeroCopy = <Connector extends AnyZeroCopy>(
  connector: Connector,
  options: ZeroCopyOptions<Connector>,
): Suite => {
  const subject: Subject = { connector, options: options as unknown as ZeroCopyOptions }
  const exercise = (config: unknown, signal: AbortSignal, notice?: (message: string) => void) =>
    readEverything(subject, config, signal, notice)
  const read: Exercise = (config, signal) => exercise(config, signal)
  return Object.freeze({
    connector: connector.name,
    kind: 'zero-copy' as const,
    checks: withSkips(options.skip, [
      ...specChecks(connector, subject.options),
      ...connectionChecks(connector, subject.options),
      ...catalogChecks(subject),
      ...scanChecks(subject),
      cancelCheck('scan/cancelled', subject.options, read),
      ...faultChecks(subject.options, read),
      ...awsFaultChecks(subject.options, read),
      ...secretChecks(connector, subject.options, exercise),
      ...policyChecks(connector, subject.options, read),
    ]),
  })
}

/** Namespaces, tables, and the rows of those that are read. */
const readEverything = (
  subject: Subject,
  config: unknown,
  signal: AbortSignal,
  notice: ((message: string) => void) | undefined,
): Promise<unknown[]> =>
  withCatalog(subject, { signal, config, ...(notice && { notice }) }, async (catalog) => {
    const found: unknown[] = []
    for (const { namespace } of await catalog.namespaces())
      found.push([namespace, await catalog.tables(namespace)])
    for (const chosen of await chosenTables(subject, catalog))
      found.push([nameOf(chosen), await catalog.rows(await catalog.open(chosen))])
    return found
  })
