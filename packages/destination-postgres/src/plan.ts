import type { WritePlan, WritePlanRequest } from '@penstock/core'
import type { PostgresContext } from './config.ts'
import { hasLedger } from './ledger.ts'
import { qualified } from './names.ts'
import type { PostgresExportOptions } from './options.ts'
import { ownershipProblem } from './ownership.ts'
import { type Session, withSession } from './session.ts'
import { findTable, newColumns, requireTypes, requireUniqueKey, shown, type Target } from './tables.ts'
import { targetsOf } from './targets.ts'

type Request = WritePlanRequest<PostgresExportOptions>

/** What a run would write and replace. Reads the catalog of the server, and writes nothing. */
export const planRun = (context: PostgresContext, request: Request): Promise<WritePlan> =>
  withSession(context, async (session) => {
    const targets = targetsOf(context, request)
    const plans = []
    for (const target of targets) plans.push(await planTable(session, target, request))
    return {
      files: targets.map((target, index) => {
        const rows = request.streams[index]?.rows
        return { stream: target.stream, name: shown(target), ...(rows !== undefined && { rows }) }
      }),
      removes: plans.flatMap(({ removes }) => removes),
      warnings: plans.flatMap(({ warnings }) => warnings),
    }
  })

const planTable = async (
  session: Session,
  target: Target,
  { run, options }: Request,
): Promise<{ readonly removes: readonly string[]; readonly warnings: readonly string[] }> => {
  const table = await findTable(session, target)
  if (!table) return { removes: [], warnings: [`${shown(target)} is not there yet: it would be created.`] }
  requireTypes(target, table)
  if (run.mode === 'merge') requireUniqueKey(target, target.rows.key ?? [], table)
  const missing = newColumns(target, table)
  const warnings =
    missing.length === 0
      ? []
      : options.newColumns === 'add'
        ? [`${shown(target)} would get further columns: ${missing.join(', ')}.`]
        : [`${shown(target)} lacks columns: ${missing.join(', ')}. The run would be refused.`]
  if (run.mode !== 'overwrite') return { removes: [], warnings }
  const problem =
    options.adopt || !(await hasLedger(session, target.schema))
      ? undefined
      : await ownershipProblem(session, target, run.exportId)
  const [row] = await session.query(`SELECT 1 FROM ${qualified(target.schema, target.table)} LIMIT 1`)
  return {
    removes: row ? [`all rows of ${shown(target)}`] : [],
    warnings: problem === undefined ? warnings : [...warnings, `${problem} The run would be refused.`],
  }
}
