import type { ColumnPath, Comparison, LogicalType, Predicate, Scalar } from '@penstock/core'
import { type PlanConstant, planConstant } from './constants.ts'
import { isObject, type Json, type JsonObject, listAt, textAt } from './json.ts'
import { compareMonotone, monotoneColumn } from './monotone.ts'

/** A column that an expression refers to. */
export interface ColumnReference {
  readonly path: ColumnPath
  readonly type: LogicalType
}

/** What a `BOUND_REF` of an expression means. */
export type Lineage = (index: number) => ColumnReference | undefined

/** Undefined: nothing is known, so every row can fulfil it. */
type Known = Predicate | undefined

const comparisons: Readonly<Record<string, Comparison>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
}
const negations: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
}
const mirrored: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '>=': '<=',
  '>': '<',
  '<=': '>=',
}

/** All of what is known; what is not known drops out, which only weakens it. */
export const allOf = (predicates: readonly Known[]): Known => {
  const known = predicates.filter((predicate) => predicate !== undefined)
  return known.length > 1 ? { kind: 'and', of: known } : known[0]
}

/** Any of them, as far as all of them are known. */
export const anyOf = (predicates: readonly Known[]): Known => {
  const known = predicates.filter((predicate) => predicate !== undefined)
  if (known.length < predicates.length || known.length === 0) return undefined
  return known.length > 1 ? { kind: 'or', of: known } : known[0]
}

const compare = ({ path }: ColumnReference, operator: Comparison, constant: PlanConstant): Known => {
  if (!constant) return undefined
  if (constant.value === null) return { kind: 'false' }
  return { kind: 'compare', column: path, operator, value: constant.value }
}

const oneOf = (reference: ColumnReference, constants: readonly PlanConstant[], negated: boolean): Known => {
  const values: Scalar[] = []
  for (const constant of constants) {
    if (!constant) return undefined
    if (constant.value !== null) values.push(constant.value)
    // x NOT IN (..., NULL) is never true.
    else if (negated) return { kind: 'false' }
  }
  if (values.length === 0)
    return { kind: negated ? 'not-null' : 'false', column: reference.path } as Predicate
  return { kind: negated ? 'not-in' : 'in', column: reference.path, values }
}

/** A filter that DuckDB pushed into a scan, as a predicate; undefined where it is not understood. */
export const tableFilter = (filter: Json | undefined, reference: ColumnReference): Known => {
  switch (textAt(filter, 'filter_type')) {
    case 'CONSTANT_COMPARISON': {
      const operator = comparisons[textAt(filter, 'comparison_type') ?? '']
      const constant = planConstant((filter as JsonObject).constant, reference.type)
      return operator && compare(reference, operator, constant)
    }
    case 'IN_FILTER': {
      const constants = listAt(filter, 'values').map((value) => planConstant(value, reference.type))
      return oneOf(reference, constants, false)
    }
    case 'IS_NULL':
      return { kind: 'is-null', column: reference.path }
    case 'IS_NOT_NULL':
      return { kind: 'not-null', column: reference.path }
    case 'CONJUNCTION_AND':
      return allOf(listAt(filter, 'child_filters').map((child) => tableFilter(child, reference)))
    case 'CONJUNCTION_OR':
      return anyOf(listAt(filter, 'child_filters').map((child) => tableFilter(child, reference)))
    // A filter that another one implies: made for pruning.
    case 'OPTIONAL_FILTER':
      return tableFilter((filter as JsonObject).child_filter, reference)
    case 'STRUCT_EXTRACT': {
      const child = fieldOf(reference, textAt(filter, 'child_name'))
      return child && tableFilter((filter as JsonObject).child_filter, child)
    }
    case 'EXPRESSION_FILTER':
      return expression((filter as JsonObject).expr, (index) => (index === 0 ? reference : undefined))
    default:
      return undefined
  }
}

const fieldOf = ({ path, type }: ColumnReference, name: string | undefined): ColumnReference | undefined => {
  if (type.type !== 'struct') return undefined
  const field = type.fields.find((candidate) => candidate.name === name)
  return field && { path: [...path, field.name], type: field.type }
}

/**
 * A bound expression as a predicate; undefined where it is not understood. `negated`: the predicate of rows for which
 * the expression is false. NOT is pushed down on the way, so that dropping what is unknown never makes it stronger.
 */
export const expression = (node: Json | undefined, lineage: Lineage, negated = false): Known => {
  if (!isObject(node)) return undefined
  const type = textAt(node, 'type') ?? ''
  switch (textAt(node, 'expression_class')) {
    case 'BOUND_COMPARISON':
      return comparison(node, lineage, negated)
    case 'BOUND_CONJUNCTION': {
      const children = listAt(node, 'children').map((child) => expression(child, lineage, negated))
      return (type === 'CONJUNCTION_AND') === negated ? anyOf(children) : allOf(children)
    }
    case 'BOUND_OPERATOR':
      return operation(node, type, lineage, negated)
    case 'BOUND_BETWEEN':
      return between(node, lineage, negated)
    case 'BOUND_FUNCTION':
      return functionCall(node, lineage, negated)
    case 'BOUND_REF': {
      const column = referenceOf(node, lineage)
      if (column?.type.type !== 'boolean') return undefined
      return { kind: 'compare', column: column.path, operator: '=', value: !negated }
    }
    default:
      return undefined
  }
}

const comparison = (node: JsonObject, lineage: Lineage, negated: boolean): Known => {
  const operator = comparisons[textAt(node, 'type') ?? '']
  if (!operator) return undefined
  const left = referenceOf(node.left, lineage)
  const right = referenceOf(node.right, lineage)
  const applied = negated ? negations[operator] : operator
  if (left && !right) return compare(left, applied, constantOf(node.right, left))
  if (right && !left) return compare(right, mirrored[applied], constantOf(node.left, right))
  const resolve = (side: Json | undefined) => referenceOf(side, lineage)
  const leftMonotone = monotoneColumn(node.left, resolve)
  if (leftMonotone) return compareMonotone(leftMonotone, applied, node.right)
  const rightMonotone = monotoneColumn(node.right, resolve)
  return rightMonotone && compareMonotone(rightMonotone, mirrored[applied], node.left)
}

const operation = (node: JsonObject, type: string, lineage: Lineage, negated: boolean): Known => {
  const [first, ...others] = listAt(node, 'children')
  if (type === 'OPERATOR_NOT') return expression(first, lineage, !negated)
  const column = referenceOf(first, lineage)
  if (!column) return undefined
  switch (type) {
    case 'OPERATOR_IS_NULL':
      return { kind: negated ? 'not-null' : 'is-null', column: column.path }
    case 'OPERATOR_IS_NOT_NULL':
      return { kind: negated ? 'is-null' : 'not-null', column: column.path }
    case 'COMPARE_IN':
    case 'COMPARE_NOT_IN':
      return oneOf(
        column,
        others.map((other) => constantOf(other, column)),
        (type === 'COMPARE_NOT_IN') !== negated,
      )
    default:
      return undefined
  }
}

const between = (node: JsonObject, lineage: Lineage, negated: boolean): Known => {
  const column = referenceOf(node.input, lineage)
  const monotone = column ? undefined : monotoneColumn(node.input, (side) => referenceOf(side, lineage))
  const bound = (operator: Comparison, constant: Json | undefined): Known => {
    const applied = negated ? negations[operator] : operator
    if (column) return compare(column, applied, constantOf(constant, column))
    return monotone && compareMonotone(monotone, applied, constant)
  }
  const parts = [
    bound(node.lower_inclusive === true ? '>=' : '>', node.lower),
    bound(node.upper_inclusive === true ? '<=' : '<', node.upper),
  ]
  return negated ? anyOf(parts) : allOf(parts)
}

const functionCall = (node: JsonObject, lineage: Lineage, negated: boolean): Known => {
  const [first, second] = listAt(node, 'children')
  const column = referenceOf(first, lineage)
  if (!column) return undefined
  switch (textAt(node, 'name')) {
    case 'prefix':
    case 'starts_with':
    case '^@': {
      const prefix = constantOf(second, column)?.value
      if (typeof prefix !== 'string') return undefined
      return { kind: negated ? 'not-starts-with' : 'starts-with', column: column.path, prefix }
    }
    case 'isnan':
      return { kind: negated ? 'not-nan' : 'is-nan', column: column.path }
    default:
      return undefined
  }
}

const constantOf = (node: Json | undefined, column: ColumnReference): PlanConstant =>
  textAt(node, 'expression_class') === 'BOUND_CONSTANT'
    ? planConstant((node as JsonObject).value, column.type)
    : undefined

/** The column, or the field of a struct column, that an expression is; undefined for anything else. */
export const referenceOf = (node: Json | undefined, lineage: Lineage): ColumnReference | undefined => {
  if (!isObject(node)) return undefined
  if (node.expression_class === 'BOUND_REF') return lineage(Number(node.index))
  if (node.expression_class !== 'BOUND_FUNCTION' || node.name !== 'struct_extract') return undefined
  const [struct, field] = listAt(node, 'children')
  const parent = referenceOf(struct, lineage)
  const name = isObject(field) && isObject(field.value) ? field.value.value : undefined
  return parent && typeof name === 'string' ? fieldOf(parent, name) : undefined
}
