import type { DuckDBConnection } from '@duckdb/node-api'
import { describeType, sameType } from '@penstock/core'
import { quoteText } from '../sql.ts'
import type { BadRow } from './bad-rows.ts'
import { findColumn, type StageColumn } from './columns.ts'
import { inferTypes } from './infer-types.ts'
import { text, widen } from './lattice.ts'
import type { StageOptions } from './types.ts'

/**
 * Hint for a row that ends a load: what makes it fit, where something does. `--schema evolve` is named only where it
 * would help: it widens without loss, and never to text.
 */
export const wayOut = async (
  connection: DuckDBConnection,
  bad: BadRow,
  columns: readonly StageColumn[],
  options: StageOptions & { readonly intoExisting: boolean },
): Promise<string> => {
  const others = 'To load the other rows, use --on-bad-row reject.'
  if (bad.column === undefined) return others
  const mayEvolve = options.schemaPolicy === 'strict'
  const column = findColumn(columns, bad.column)
  if (!column) return mayEvolve ? `If columns may be added, use --schema evolve. ${others}` : others
  if (bad.value === undefined || !column.type) return others
  const value = quoteText(bad.value)
  const [inferred = text] = await inferTypes(connection, (use) => use('(SELECT 1)'), [
    { raw: value, text: value, literal: value },
  ])
  const wider = widen(column.type, inferred)
  // What looks like the column's type and did not fit is a text in quotes, of JSON.
  const type = wider && sameType(wider, column.type) ? text : inferred
  if (mayEvolve && !column.fixed && wider && type === inferred)
    return `The value is ${describeType(type)}: if the column may change, use --schema evolve. ${others}`
  const anew = options.intoExisting ? '--mode full ' : ''
  return `The value is ${describeType(type)}: if all of the column is to be text, say ${anew}--column ${bad.column}=text (columns: {${bad.column}: text}). ${others}`
}
