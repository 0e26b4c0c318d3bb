import type { Value } from '../values/value.ts'

/** How many of the values are so. `some` includes "it is not known". */
export type Share = 'none' | 'some' | 'all'

/** What is known of the values of a field in a file, a manifest or a partition. */
export interface ColumnStats {
  readonly nulls: Share
  /** Among the values that are not null. */
  readonly nans: Share
  /** Outer bounds of the values that are neither null nor NaN: they need not occur. */
  readonly lower: Value | undefined
  readonly upper: Value | undefined
}

export const unknownStats: ColumnStats = { nulls: 'some', nans: 'some', lower: undefined, upper: undefined }
export const allNullStats: ColumnStats = { nulls: 'all', nans: 'none', lower: undefined, upper: undefined }
