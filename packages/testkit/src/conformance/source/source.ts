import type { AnySource } from '@penstock/core'
import { awsFaultChecks } from '../aws-fault-checks.ts'
import { connectionChecks } from '../connection-checks.ts'
import { type Exercise, faultChecks } from '../fault-checks.ts'
import { withSkips } from '../options.ts'
import { policyChecks, secretChecks } from '../secret-checks.ts'
import { specChecks } from '../spec-checks.ts'
import type { Suite } from '../suite.ts'
import { fileChecks, listFiles } from './file-checks.ts'
import type { SourceOptions } from './options.ts'
import { readChecks } from './read-checks.ts'
import { connectSource, isRowTable, readPages, withTables } from './reading.ts'
import { tableChecks } from './table-checks.ts'

/** The conformance suite of a source. Run it with `runSuite`, or in vitest with `describeSuite`. */
export const testSource = <Connector extends AnySource>(
  connector: Connector,
  options: SourceOptions<Connector>,
): Suite => {
  const known = options as unknown as SourceOptions
  const exercise = (config: unknown, signal: AbortSignal, notice?: (message: string) => void) =>
    readEverything(connector, known, config, signal, notice)
  const read: Exercise = (config, signal) => exercise(config, signal)
  return Object.freeze({
    connector: connector.name,
    kind: 'source' as const,
    checks: withSkips(options.skip, [
      ...specChecks(connector, known),
      ...connectionChecks(connector, known),
      ...tableChecks(connector, known),
      ...readChecks(connector, known),
      ...fileChecks(connector, known),
      ...faultChecks(known, read),
      ...awsFaultChecks(known, read),
      ...secretChecks(connector, known, exercise),
      ...policyChecks(connector, known, read),
    ]),
  })
}

/** Bytes of a file that are read for the result, at most. */
const fileBytes = 8 * 1024 ** 2

/** Rows of all tables; of tables of files, each entry with its bytes. */
const readEverything = (
  connector: AnySource,
  options: SourceOptions,
  config: unknown,
  signal: AbortSignal,
  notice?: (message: string) => void,
): Promise<unknown[]> =>
  withTables(
    connectSource(connector, options, config),
    options,
    { signal, ...(notice && { notice }) },
    async (tables) => {
      const found: unknown[] = []
      for (const table of tables) {
        if (isRowTable(table)) {
          found.push(...(await readPages(table, undefined, signal)).flat())
          continue
        }
        for (const entry of await listFiles(table, signal)) {
          const end = Math.min(entry.size, fileBytes)
          const chunks = await Array.fromAsync(table.open(entry).read({ start: 0, end }, { signal }))
          found.push([entry.key, entry.version, Buffer.concat(chunks).toString('base64')])
        }
      }
      return found
    },
  )
