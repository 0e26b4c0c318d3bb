import type { LineageColumn, LogicalType } from '@penstock/core'
import { ConnectorError, lineageColumns } from '@penstock/core'
import { instant, text } from './lattice.ts'

/** A column of the staging table. */
export interface StageColumn {
  readonly name: string
  /** Undefined while all its values were null: it is text until a file brings a value. */
  type: LogicalType | undefined
  /** `data`: from the file; `constant`: the same for all rows of a file; `lineage`: where a row came from. */
  readonly kind: 'data' | 'constant' | 'lineage'
  /** Given by the user: it is never widened. */
  readonly fixed: boolean
}

export const isLineage = (name: string): name is LineageColumn =>
  (lineageColumns as readonly string[]).includes(name)

const lineageTypes: Record<LineageColumn, LogicalType> = {
  _file: text,
  _row: { type: 'int', bits: 64, signed: true },
  _modified: instant,
}

export const lineageColumn = (name: LineageColumn): StageColumn => ({
  name,
  type: lineageTypes[name],
  kind: 'lineage',
  fixed: true,
})

/** Names are compared without case, as DuckDB does. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export const findColumn = <Item extends { readonly name: string }>(
  columns: readonly Item[],
  name: string,
): Item | undefined => columns.find((column) => sameName(column.name, name))

/** A type that the user gave for a column, where there is one. */
export const givenType = (
  types: Readonly<Record<string, LogicalType>> | undefined,
  name: string,
): LogicalType | undefined => {
  const found = Object.entries(types ?? {}).find(([given]) => sameName(given, name))
  return found?.[1]
}

/** A file's column that clashes with a partition or lineage column: neither may silently win. */
export const refuseClash = (url: string, names: readonly string[], constants: readonly string[]): void => {
  const clash = names.find((name) => constants.some((constant) => sameName(constant, name)))
  if (clash === undefined) return
  throw new ConnectorError(
    'data',
    `${url} has a column "${clash}", and its path or a lineage column has one too.`,
    {
      place: { object: url, column: clash },
      hint: 'Switch the partition columns off (--no-partitions), or leave the lineage column out.',
    },
  )
}
