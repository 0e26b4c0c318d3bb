import type {
  Predicate,
  PredicateKind,
  Scan,
  ScanRequest,
  ZeroCopyCapabilities,
  ZeroCopyTable,
} from '@penstock/core'

/** The table, asked for nothing but what its connector declares that it makes use of. */
export const withPushdown = (table: ZeroCopyTable, { pushdown }: ZeroCopyCapabilities): ZeroCopyTable => ({
  ...table,
  scan: async ({ columns, filter, limit, explain, signal }: ScanRequest): Promise<Scan> => {
    const reduced = filter && reducePredicate(filter, pushdown.filters)
    return table.scan({
      columns: pushdown.columns ? columns : table.schema.columns.map(({ name }) => [name] as const),
      signal,
      ...(reduced && reduced.kind !== 'true' && { filter: reduced }),
      ...(pushdown.limit && limit !== undefined && { limit }),
      ...(explain && { explain }),
    })
  },
})

const all: Predicate = { kind: 'true' }

/** A predicate of these kinds alone that every row of the given one fulfils. */
export const reducePredicate = (predicate: Predicate, kinds: readonly PredicateKind[]): Predicate => {
  if (predicate.kind === 'true' || predicate.kind === 'false') return predicate
  if (predicate.kind === 'and') {
    const parts = predicate.of
      .map((part) => reducePredicate(part, kinds))
      .filter(({ kind }) => kind !== 'true')
    if (parts.length < 2) return parts[0] ?? all
    // Without AND, one of the parts is still right.
    return kinds.includes('and') ? { kind: 'and', of: parts } : (parts[0] ?? all)
  }
  if (predicate.kind === 'or') {
    const parts = predicate.of.map((part) => reducePredicate(part, kinds))
    const isWhole = kinds.includes('or') && parts.every(({ kind }) => kind !== 'true')
    return isWhole ? { kind: 'or', of: parts } : all
  }
  // What is weaker inside of NOT is stronger outside: only a part that stays whole may be handed over.
  if (predicate.kind === 'not') return kinds.includes('not') && isOf(predicate.of, kinds) ? predicate : all
  return kinds.includes(predicate.kind) ? predicate : all
}

const isOf = (predicate: Predicate, kinds: readonly PredicateKind[]): boolean => {
  switch (predicate.kind) {
    case 'true':
    case 'false':
      return true
    case 'and':
    case 'or':
      return kinds.includes(predicate.kind) && predicate.of.every((part) => isOf(part, kinds))
    case 'not':
      return kinds.includes('not') && isOf(predicate.of, kinds)
    default:
      return kinds.includes(predicate.kind)
  }
}
