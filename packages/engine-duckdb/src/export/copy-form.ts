/** How DuckDB writes rows of these columns in a format. */
export interface CopyForm {
  /** The columns as they are written, for `SELECT <list> FROM ...`. */
  readonly list: string
  /** Options of COPY; the header of CSV is asked for apart. */
  readonly options: (first: boolean) => string
  /** Condition of a row that the format can't hold, by column: a query with it names the place. */
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  readonly column: string
  readonly condition: string
  readonly why: string
  /** The way out. */
  readonly hint: string
}
