import type { Comparison } from '@penstock/core'
import type { Value } from '../values/value.ts'

/**
 * A predicate on fields by id, with NOT pushed into the leaves and values in the types of their fields. `unknown`
 * stands for a condition that can't be judged by metadata: no row may be dropped for it, and none is sure to pass.
 */
export type BoundPredicate =
  | { readonly kind: 'true' | 'false' | 'unknown' }
  | BoundLeaf
  | { readonly kind: 'and' | 'or'; readonly of: readonly BoundPredicate[] }

/** A condition on one field. */
export type BoundLeaf =
  | {
      readonly kind: 'compare'
      readonly fieldId: number
      readonly operator: Comparison
      readonly value: Value
    }
  | { readonly kind: 'in' | 'not-in'; readonly fieldId: number; readonly values: readonly Value[] }
  | { readonly kind: 'is-null' | 'not-null' | 'is-nan' | 'not-nan'; readonly fieldId: number }
  | { readonly kind: 'starts-with' | 'not-starts-with'; readonly fieldId: number; readonly prefix: Value }

export const allOf = (parts: readonly BoundPredicate[]): BoundPredicate =>
  combine('and', 'true', 'false', parts)
export const anyOf = (parts: readonly BoundPredicate[]): BoundPredicate =>
  combine('or', 'false', 'true', parts)

const combine = (
  kind: 'and' | 'or',
  neutral: 'true' | 'false',
  deciding: 'true' | 'false',
  parts: readonly BoundPredicate[],
): BoundPredicate => {
  const of = parts.filter((part) => part.kind !== neutral)
  if (of.some((part) => part.kind === deciding)) return { kind: deciding }
  if (of.length === 0) return { kind: neutral }
  return of.length === 1 && of[0] ? of[0] : { kind, of }
}

/** The predicate with each leaf replaced. */
export const mapLeaves = (
  predicate: BoundPredicate,
  change: (leaf: BoundLeaf) => BoundPredicate,
): BoundPredicate => {
  switch (predicate.kind) {
    case 'true':
    case 'false':
    case 'unknown':
      return predicate
    case 'and':
      return allOf(predicate.of.map((part) => mapLeaves(part, change)))
    case 'or':
      return anyOf(predicate.of.map((part) => mapLeaves(part, change)))
    default:
      return change(predicate)
  }
}

/** Ids of the fields that the predicate looks at. */
export const fieldIdsOf = (predicate: BoundPredicate): Set<number> => {
  const ids = new Set<number>()
  mapLeaves(predicate, (leaf) => {
    ids.add(leaf.fieldId)
    return leaf
  })
  return ids
}
