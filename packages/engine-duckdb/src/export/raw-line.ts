import { quoteIdentifier } from '../sql.ts'
import type { CopyForm } from './copy-form.ts'

/**
 * Lines that SQL puts together, for what COPY has no option for: they are written as they are, as a CSV of one column
 * without quotes.
 */
export const rawLines = (
  line: string,
  refusals: CopyForm['refusals'],
  { header = '', crlf = false }: { readonly header?: string | undefined; readonly crlf?: boolean } = {},
): CopyForm => ({
  list: `${line} AS ${quoteIdentifier(header === '' ? 'line' : header)}`,
  options: (first) =>
    [
      "FORMAT csv, COMPRESSION uncompressed, DELIMITER ',', QUOTE '', ESCAPE '', NULLSTR ''",
      ...(crlf ? ["NEW_LINE '\\r\\n'"] : []),
      `HEADER ${first && header !== ''}`,
    ].join(', '),
  refusals,
})
