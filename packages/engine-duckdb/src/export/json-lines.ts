import type { Column } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'
import type { CopyForm } from './copy-form.ts'
import { rawLines } from './raw-line.ts'
import { jsonValue } from './text-values.ts'

/**
 * Objects, one a line, for columns of JSON: their text goes in as it is, so that numbers keep all of their digits. COPY
 * would read and write it anew.
 */
export const jsonLines = (columns: readonly Column[]): CopyForm => {
  const fields = columns.map(({ name, type }) => {
    const from = quoteIdentifier(name)
    const text = type.type === 'json' ? oneLine(from) : `to_json(${jsonValue(type, from)})::VARCHAR`
    return `${quoteText(`${JSON.stringify(name)}:`)} || coalesce(${text}, 'null')`
  })
  return rawLines(`'{' || ${fields.join(" || ',' || ")} || '}'`, [])
}

/** Within the texts of JSON line breaks are escaped: those that are left stand between its parts. */
const oneLine = (json: string): string => `replace(replace((${json})::VARCHAR, chr(10), ' '), chr(13), ' ')`
