import { isArchived, type S3Access, type S3Entry } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import { isMarker, lastSegment, quoted } from './keys.ts'
import type { Search } from './search.ts'

/**
 * Pages of the entries that a search takes, in key order; empty pages are left out. Throws a `conflict` error for an
 * archived object among them.
 */
export async function* searchPages(
  access: S3Access,
  search: Pick<Search, 'prefix' | 'delimiter' | 'filter'>,
  signal: AbortSignal,
): AsyncGenerator<S3Entry[]> {
  const { prefix, delimiter, filter } = search
  for await (const page of access.list({ prefix, delimiter, signal })) {
    const taken = page.entries.filter((entry) => !isMarker(entry) && filter.accepts(entry))
    if (taken.length === 0) continue
    await requireReadable(access, taken, signal)
    yield taken
  }
}

/** A restored object keeps its storage class: only a look at the object itself tells that it can be read. */
export const requireReadable = async (
  access: S3Access,
  entries: readonly S3Entry[],
  signal: AbortSignal,
): Promise<void> => {
  const archived = entries.filter(isArchived)
  if (archived.length === 0) return
  const heads = await Promise.all(archived.map((entry) => access.head(entry.key, { signal })))
  for (const { entry, restored } of heads) if (!restored) throw archivedObject(entry)
}

const archivedObject = ({ key, storageClass }: S3Entry): ConnectorError =>
  new ConnectorError(
    'conflict',
    `The object ${quoted(key)} is archived (${storageClass}) and can't be read.`,
    {
      code: 'ArchivedObject',
      hint: `Restore it in S3 first, or leave it out with --exclude '${lastSegment(key).replace(/[\\*?[\]{}()]/g, '\\$&')}'.`,
      place: { object: key },
    },
  )
