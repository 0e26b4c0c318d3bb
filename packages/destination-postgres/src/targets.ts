import { ConnectorError, type ExportMode, type PlannedStream } from '@penstock/core'
import type { PostgresContext } from './config.ts'
import { ledgerTable } from './ledger.ts'
import { requireName } from './names.ts'
import type { Target } from './tables.ts'
import { requireType } from './types.ts'

interface Request {
  readonly run: { readonly mode: ExportMode }
  readonly streams: readonly Pick<PlannedStream, 'name' | 'schema'>[]
}

/** The table of each stream. Refuses, before anything is read, names, types and keys that can't work. */
export const targetsOf = (
  { config }: Pick<PostgresContext, 'config'>,
  { run, streams }: Request,
): readonly Target[] =>
  streams.map(({ name, schema }) => {
    requireName(name, `the stream "${name}"`, { table: name })
    if (name === ledgerTable)
      throw new ConnectorError('config', `The table ${ledgerTable} is for the books of the destination.`, {
        code: 'InvalidName',
        place: { table: name },
        hint: 'Give the stream another name (--stream, name).',
      })
    for (const column of schema.columns) {
      requireName(column.name, `column "${column.name}" of ${name}`, { table: name, column: column.name })
      requireType(column, name)
    }
    if (run.mode === 'merge' && !schema.key?.length)
      throw new ConnectorError('config', `${name} has no key to merge by.`, {
        code: 'NoKey',
        place: { table: name },
        hint: 'Name the columns that identify a row: --key COLUMN (key).',
      })
    return { stream: name, schema: config.schema, table: name, rows: schema }
  })
