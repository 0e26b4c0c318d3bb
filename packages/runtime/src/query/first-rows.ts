import type { QueryResult } from '@penstock/core'

/** The first rows of a result, and whether there are more. Reads no further than it has to. */
export const firstRows = async (
  result: QueryResult,
  limit: number,
): Promise<{ rows: (readonly unknown[])[]; more: boolean }> => {
  const rows: (readonly unknown[])[] = []
  for await (const page of result.rows()) {
    const room = limit - rows.length
    if (page.length > room) return { rows: [...rows, ...page.slice(0, room)], more: true }
    rows.push(...page)
  }
  return { rows, more: false }
}
