import { ConnectorError } from '@penstock/core'
import { writersOf } from './ledger.ts'
import { qualified } from './names.ts'
import type { Session } from './session.ts'
import { shown, type Target } from './tables.ts'

/** Why an overwrite must not replace the rows of a table; undefined when they are those of this export, or none. */
export const ownershipProblem = async (
  session: Session,
  target: Target,
  exportId: string,
): Promise<string | undefined> => {
  const { own, others } = await writersOf(session, target.schema, target.table, exportId)
  if (others.length > 0) return `${shown(target)} has rows of other exports: ${others.join(', ')}.`
  if (own) return undefined
  const [row] = await session.query(`SELECT 1 FROM ${qualified(target.schema, target.table)} LIMIT 1`)
  return row ? `${shown(target)} has rows that this export did not write.` : undefined
}

/** Refuses to replace what this export has not written. */
export const requireOwn = async (session: Session, target: Target, exportId: string): Promise<void> => {
  const problem = await ownershipProblem(session, target, exportId)
  if (problem === undefined) return
  throw new ConnectorError('conflict', problem, {
    code: 'ForeignRows',
    place: { table: target.stream },
    hint: 'Choose another name for the stream, empty the table, or replace its rows all the same with --adopt.',
  })
}
