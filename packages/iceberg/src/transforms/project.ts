import type { PartitionSpec } from '../metadata/spec.ts'
import { allOf, anyOf, type BoundLeaf, type BoundPredicate, mapLeaves } from '../predicate/bound.ts'
import type { PrimitiveType } from '../types.ts'
import { isNaNValue, type Value } from '../values/value.ts'
import { applyTransform, prefixOf, wrappedFrom } from './apply.ts'
import type { Transform } from './transform.ts'

const anything: BoundPredicate = { kind: 'true' }

/**
 * What a partition has to fulfil for a row of it to fulfil the predicate (inclusive projection,
 * https://iceberg.apache.org/spec/#scan-planning): leaves on partition fields by their ids. Conditions that no
 * partition field tells anything about become true.
 */
export const projectPredicate = (
  predicate: BoundPredicate,
  spec: PartitionSpec,
  typeOf: (fieldId: number) => PrimitiveType | undefined,
): BoundPredicate =>
  mapLeaves(predicate, (leaf) => {
    const type = typeOf(leaf.fieldId)
    if (!type) return anything
    return allOf(
      spec.fields
        .filter((field) => field.sourceIds.length === 1 && field.sourceIds[0] === leaf.fieldId)
        .map((field) => projectLeaf(leaf, field.fieldId, field.transform, type)),
    )
  })

const projectLeaf = (
  leaf: BoundLeaf,
  fieldId: number,
  transform: Transform,
  type: PrimitiveType,
): BoundPredicate => {
  switch (transform.kind) {
    case 'void':
    case 'unknown':
      return anything
    case 'identity':
      return { ...leaf, fieldId }
  }
  // Null maps to null, and nothing else does.
  if (leaf.kind === 'is-null' || leaf.kind === 'not-null') return { kind: leaf.kind, fieldId }
  if (leaf.kind === 'starts-with')
    return transform.kind === 'truncate'
      ? projectPrefix(leaf.prefix, fieldId, transform.width, type)
      : anything
  if (leaf.kind === 'in') return projectIn(leaf.values, fieldId, transform, type)
  if (leaf.kind !== 'compare' || isNaNValue(leaf.value)) return anything
  if (leaf.operator === '=') return projectIn([leaf.value], fieldId, transform, type)
  if (leaf.operator === '<>' || transform.kind === 'bucket') return anything
  return projectOrder(leaf.operator, leaf.value, fieldId, transform, type)
}

/** Writers before 2021 rounded times before 1970 toward zero: what belongs to v < 0 may stand under v + 1. */
const mayBeOffByOne = (transform: Transform, value: Value): value is bigint =>
  typeof value === 'bigint' &&
  value < 0n &&
  (transform.kind === 'year' ||
    transform.kind === 'month' ||
    transform.kind === 'day' ||
    transform.kind === 'hour')

const projectIn = (
  values: readonly Value[],
  fieldId: number,
  transform: Transform,
  type: PrimitiveType,
): BoundPredicate => {
  const projected: Value[] = []
  for (const value of values) {
    const result = applyTransform(transform, type, value)
    if (result === undefined) return anything
    projected.push(result)
    if (mayBeOffByOne(transform, result)) projected.push(result + 1n)
  }
  return { kind: 'in', fieldId, values: projected }
}

/** Transforms that keep the order: truncate and the parts of dates. */
const projectOrder = (
  operator: '<' | '<=' | '>' | '>=',
  value: Value,
  fieldId: number,
  transform: Transform,
  type: PrimitiveType,
): BoundPredicate => {
  // Of integers, "less than x" is "at most x - 1", which may be of the partition before.
  const step = operator === '<' ? -1n : operator === '>' ? 1n : 0n
  const limit = typeof value === 'bigint' ? value + step : value
  const result = applyTransform(transform, type, limit)
  // What wrapped around keeps no order.
  if (result === undefined || (transform.kind === 'truncate' && result > limit)) return anything
  if (operator === '>' || operator === '>=')
    return { kind: 'compare', fieldId, operator: '>=', value: result }
  const upper = mayBeOffByOne(transform, result) ? result + 1n : result
  const below: BoundPredicate = { kind: 'compare', fieldId, operator: '<=', value: upper }
  const wrapped = transform.kind === 'truncate' ? wrappedFrom(type, transform.width) : undefined
  return wrapped === undefined
    ? below
    : anyOf([below, { kind: 'compare', fieldId, operator: '>=', value: wrapped }])
}

const projectPrefix = (
  prefix: Value,
  fieldId: number,
  width: number,
  type: PrimitiveType,
): BoundPredicate => {
  if (typeof prefix !== 'string' || type.type !== 'string') return anything
  const cut = prefixOf(prefix, width)
  if (cut.length < prefix.length || prefixOf(prefix, width - 1).length < prefix.length)
    return { kind: 'compare', fieldId, operator: '=', value: cut }
  return { kind: 'starts-with', fieldId, prefix }
}
