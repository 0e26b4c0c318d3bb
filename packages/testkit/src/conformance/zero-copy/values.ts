import type { Column, ColumnPath, Comparison, LogicalType, Predicate, Scalar } from '@penstock/core'
import type { Row } from './options.ts'

/**
 * A value of a row as the scalar that predicates hold; undefined where the type has none, or where the form of the
 * value is not one that is read here.
 */
export const scalarOf = (type: LogicalType, value: unknown): Scalar | undefined => {
  switch (type.type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'int':
      return typeof value === 'bigint'
        ? value
        : Number.isSafeInteger(value)
          ? BigInt(value as number)
          : undefined
    case 'float':
    case 'double':
      return typeof value === 'number' ? value : undefined
    case 'string':
    case 'uuid':
      return typeof value === 'string' ? value : undefined
    case 'decimal':
      return unscaled(String(value), type.scale)
    case 'date':
      return typeof value === 'bigint' ? value : daysOf(String(value))
    default:
      return undefined
  }
}

const unscaled = (text: string, scale: number): bigint | undefined => {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = ''] = match
  return fraction.length > scale ? undefined : BigInt(`${sign}${whole}${fraction.padEnd(scale, '0')}`)
}

const daysOf = (text: string): bigint | undefined =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? BigInt(Date.parse(`${text}T00:00:00Z`) / 86_400_000) : undefined

/** Order of predicates: texts by code points, NaN above all numbers. */
export const compareScalars = (a: Scalar, b: Scalar): number => {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return a - b
  }
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : a > b ? 1 : 0
}

const comparisons: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

/** Whether a row fulfils a predicate, as SQL has it: null where that is not known. */
export const evaluate = (predicate: Predicate, columns: readonly Column[], row: Row): boolean | null => {
  const known = (path: ColumnPath, test: (value: Scalar) => boolean): boolean | null => {
    const value = scalarAt(path)
    return value === undefined || value === null ? null : test(value)
  }
  const scalarAt = ([name]: ColumnPath): Scalar | null | undefined => {
    const value = row[name]
    const type = columns.find((column) => column.name === name)?.type
    return value === null || value === undefined ? null : type && scalarOf(type, value)
  }
  const parts = (of: readonly Predicate[]) => of.map((part) => evaluate(part, columns, row))
  switch (predicate.kind) {
    case 'true':
    case 'false':
      return predicate.kind === 'true'
    case 'compare':
      return known(predicate.column, (value) =>
        comparisons[predicate.operator](compareScalars(value, predicate.value)),
      )
    case 'in':
    case 'not-in':
      return known(
        predicate.column,
        (value) =>
          predicate.values.some((other) => compareScalars(value, other) === 0) === (predicate.kind === 'in'),
      )
    case 'is-null':
    case 'not-null':
      return (scalarAt(predicate.column) === null) === (predicate.kind === 'is-null')
    case 'is-nan':
    case 'not-nan':
      return known(predicate.column, (value) => Number.isNaN(value) === (predicate.kind === 'is-nan'))
    case 'starts-with':
    case 'not-starts-with':
      return known(
        predicate.column,
        (value) => String(value).startsWith(predicate.prefix) === (predicate.kind === 'starts-with'),
      )
    case 'and': {
      const all = parts(predicate.of)
      return all.includes(false) ? false : all.includes(null) ? null : true
    }
    case 'or': {
      const any = parts(predicate.of)
      return any.includes(true) ? true : any.includes(null) ? null : false
    }
    case 'not': {
      const inner = evaluate(predicate.of, columns, row)
      return inner === null ? null : !inner
    }
  }
}

/** Predicates of the given kinds about a table, made of the values that it has. */
export const trialPredicates = (
  columns: readonly Column[],
  rows: readonly Row[],
  kinds: readonly string[],
): Predicate[] => {
  const has = (...wanted: readonly string[]) => wanted.every((kind) => kinds.includes(kind))
  let joins = false
  return columns.flatMap((column) => {
    const path: ColumnPath = [column.name]
    const values = distinctScalars(column, rows)
    const middle = values[Math.floor(values.length / 2)]
    const nulls: Predicate[] = [
      { kind: 'is-null', column: path },
      { kind: 'not-null', column: path },
    ]
    if (middle === undefined) return nulls.filter(({ kind }) => has(kind))
    const equal: Predicate = { kind: 'compare', column: path, operator: '=', value: middle }
    const above: Predicate = { kind: 'compare', column: path, operator: '>', value: middle }
    const simple: Predicate[] = [
      ...(['=', '<>', '<', '>='] as const).map(
        (operator): Predicate => ({ kind: 'compare', column: path, operator, value: middle }),
      ),
      { kind: 'in', column: path, values: [middle, values[0] ?? middle] },
      { kind: 'not-in', column: path, values: [middle] },
      ...nulls,
    ]
    if (typeof middle === 'number')
      simple.push({ kind: 'is-nan', column: path }, { kind: 'not-nan', column: path })
    if (typeof middle === 'string' && middle !== '') {
      const prefix = [...middle].slice(0, 2).join('')
      simple.push({ kind: 'starts-with', column: path, prefix })
      simple.push({ kind: 'not-starts-with', column: path, prefix })
    }
    // Once is enough: what is joined is of one column or another.
    const first = !joins
    joins = true
    const joined: Predicate[] =
      first && has('compare')
        ? [
            {
              kind: 'and',
              of: [above, { kind: 'compare', column: path, operator: '<>', value: values[0] ?? middle }],
            },
            { kind: 'or', of: [equal, above] },
            { kind: 'not', of: equal },
          ]
        : []
    return [...simple, ...joined].filter(({ kind }) => has(kind))
  })
}

const distinctScalars = (column: Column, rows: readonly Row[]): Scalar[] => {
  const found = new Map<string, Scalar>()
  for (const row of rows) {
    const scalar = scalarOf(column.type, row[column.name])
    if (scalar !== undefined && !Number.isNaN(scalar)) found.set(String(scalar), scalar)
  }
  return [...found.values()].sort(compareScalars)
}
