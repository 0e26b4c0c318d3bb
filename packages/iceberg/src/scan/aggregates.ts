import type { ExactAggregates, Scalar } from '@penstock/core'
import type { ColumnStats } from '../predicate/column-stats.ts'
import { isPrimitive, type NestedField, type PrimitiveType } from '../types.ts'
import { compareValues, uuidToText, type Value } from '../values/value.ts'
import type { DataFile } from './data-files.ts'

/** Adds up what metadata knows exactly of the files of a scan. */
export interface AggregateSum {
  add(file: DataFile): void
  /** A row may be filtered or deleted: nothing is exact. */
  spoil(): void
  result(): ExactAggregates | undefined
}

interface Bounds {
  readonly name: string
  readonly id: number
  readonly type: PrimitiveType
  min: Value | undefined
  max: Value | undefined
}

/** Texts and bytes may have been cut, so that their bounds are no values. */
const hasExactBounds = (type: PrimitiveType): boolean =>
  !['string', 'binary', 'fixed', 'unknown', 'unsupported'].includes(type.type)

export const sumAggregates = (fields: readonly NestedField[]): AggregateSum => {
  let rows: bigint | undefined = 0n
  const columns = new Map<number, Bounds>()
  for (const { id, name, type } of fields)
    if (isPrimitive(type) && hasExactBounds(type))
      columns.set(id, { name, id, type, min: undefined, max: undefined })
  const spoil = (): void => {
    rows = undefined
  }
  return {
    spoil,
    add({ file, residual, valuesOf }) {
      if (residual || file.recordCount < 0n) spoil()
      if (rows === undefined) return
      rows += file.recordCount
      for (const column of columns.values())
        if (!extend(column, valuesOf(column.id))) columns.delete(column.id)
    },
    result: () =>
      rows === undefined
        ? undefined
        : {
            rows,
            bounds: Object.fromEntries(
              [...columns.values()].flatMap(({ name, min, max }) =>
                min === undefined || max === undefined
                  ? []
                  : [[name, { min: scalar(min), max: scalar(max) }]],
              ),
            ),
          },
  }
}

/** False when a file does not tell the bounds of the column. */
const extend = (column: Bounds, stats: ColumnStats): boolean => {
  if (stats.nulls === 'all') return true
  if (stats.nans !== 'none' || stats.lower === undefined || stats.upper === undefined) return false
  if (column.min === undefined || compareValues(stats.lower, column.min) < 0) column.min = stats.lower
  if (column.max === undefined || compareValues(stats.upper, column.max) > 0) column.max = stats.upper
  return true
}

const scalar = (value: Value): Scalar => (value instanceof Uint8Array ? uuidToText(value) : value)
