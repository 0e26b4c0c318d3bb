import { ConnectorError } from '@penstock/core'
import { qualified, quoteName, quoteNames } from './names.ts'
import type { Session } from './session.ts'
import { shown, type Target } from './tables.ts'

const stageTable = 'penstock_stage'

/** A temporary table with the columns of the rows, which ends with the transaction. */
export const stageFor = async (session: Session, target: Target): Promise<string> => {
  const stage = qualified('pg_temp', stageTable)
  const columns = quoteNames(target.rows.columns.map(({ name }) => name))
  await session.query(
    `DROP TABLE IF EXISTS ${stage};
     CREATE TEMPORARY TABLE ${quoteName(stageTable)} ON COMMIT DROP AS
     SELECT ${columns} FROM ${qualified(target.schema, target.table)} WITH NO DATA`,
  )
  return stage
}

/** Replaces the rows of the table that have a key of the stage, and adds the others. */
export const mergeStage = async (session: Session, target: Target, stage: string): Promise<void> => {
  const { key = [], columns } = target.rows
  await requireKeys(session, target, stage, key)
  const names = columns.map(({ name }) => name)
  const changed = names
    .filter((name) => !key.includes(name))
    .map((name) => `${quoteName(name)} = EXCLUDED.${quoteName(name)}`)
  const action = changed.length > 0 ? `DO UPDATE SET ${changed.join(', ')}` : 'DO NOTHING'
  await session.query(
    `INSERT INTO ${qualified(target.schema, target.table)} (${quoteNames(names)})
     SELECT ${quoteNames(names)} FROM ${stage} ON CONFLICT (${quoteNames(key)}) ${action}`,
  )
}

/** A null is no key: such rows would pile up with each run. Of two rows with one key nobody knows which is right. */
const requireKeys = async (
  session: Session,
  target: Target,
  stage: string,
  key: readonly string[],
): Promise<void> => {
  const isNull = key.map((name) => `${quoteName(name)} IS NULL`).join(' OR ')
  const shownKey = `pg_catalog.concat_ws(', ', ${quoteNames(key)})`
  const [wrong] = await session.query<{ nulls: string; count: string; value: string }>(
    `SELECT count(*) FILTER (WHERE ${isNull}) AS nulls, count(*) AS count, pg_catalog.left(${shownKey}, 100) AS value
     FROM ${stage} GROUP BY ${quoteNames(key)} HAVING count(*) > 1 OR bool_or(${isNull}) LIMIT 1`,
  )
  if (!wrong) return
  const place = { table: target.stream, column: key.join(', ') }
  if (wrong.nulls !== '0')
    throw new ConnectorError('data', `Rows for ${shown(target)} have no key: ${key.join(', ')} is null.`, {
      code: 'NullKey',
      place,
      hint: `Leave them out: --mandatory ${key[0]}.`,
    })
  throw new ConnectorError(
    'data',
    `${wrong.count} rows for ${shown(target)} have the same key ${key.join(', ')} = ${wrong.value}.`,
    {
      code: 'DuplicateKey',
      place: { ...place, value: wrong.value },
      hint: 'Keep one row per key: --dedupe KEY --latest COLUMN.',
    },
  )
}
