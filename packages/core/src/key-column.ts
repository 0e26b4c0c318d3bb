import { ConnectorError } from './errors.ts'
import type { Column } from './types.ts'

/**
 * The column of a table, or of the rows for it, that a merge goes by. Case doesn't count.
 * @throws {ConnectorError} `config`, with the code `NoKeyColumn` and the columns that there are.
 */
export const findKeyColumn = (table: string, columns: readonly Column[], key: string): Column => {
  const column = columns.find(({ name }) => name.toLowerCase() === key.toLowerCase())
  if (column) return column
  throw new ConnectorError(
    'config',
    `Table "${table}" can't be merged by "${key}": there is no such column.`,
    {
      code: 'NoKeyColumn',
      place: { table, column: key },
      hint: `Columns: ${columns.map(({ name }) => name).join(', ')}.`,
    },
  )
}
