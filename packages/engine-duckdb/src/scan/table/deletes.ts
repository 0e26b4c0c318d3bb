import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, type ScanDelete, type ScanFile } from '@penstock/core'
import { quoteIdentifier, quoteText, quoteTextList } from '../../sql.ts'
import type { DeletedBits } from './parquet-file.ts'

export type PositionDelete = Extract<ScanDelete, { kind: 'positions' | 'position-file' }>
export type EqualityDelete = Extract<ScanDelete, { kind: 'equality' }>

export const isPositionDelete = (found: ScanDelete): found is PositionDelete => found.kind !== 'equality'
export const isEqualityDelete = (found: ScanDelete): found is EqualityDelete => found.kind === 'equality'

/**
 * The deleted rows of one data file as bits, so that DuckDB filters instead of joining. `pathOf` gives the
 * local copy of a file of positions.
 */
export const deletedRows = async (
  deletes: readonly PositionDelete[],
  pathOf: (file: ScanFile) => string,
  connection: DuckDBConnection,
  signal: AbortSignal,
): Promise<DeletedBits> => {
  const lists: BigUint64Array[] = []
  for (const found of deletes)
    lists.push(
      found.kind === 'positions'
        ? await found.load({ signal })
        : await positionsIn(pathOf(found.file), found, connection),
    )
  return (rows, firstRow) => {
    const bits = new Uint8Array(Math.ceil(rows / 8))
    for (const list of lists) mark(bits, list, BigInt(firstRow), BigInt(firstRow + rows))
    return bits
  }
}

/** Sets the bits of positions within [first, end) of a sorted list. */
const mark = (bits: Uint8Array, positions: BigUint64Array, first: bigint, end: bigint): void => {
  let low = 0
  for (let high = positions.length; low < high; ) {
    const middle = (low + high) >>> 1
    if ((positions[middle] as bigint) < first) low = middle + 1
    else high = middle
  }
  for (let index = low; index < positions.length && (positions[index] as bigint) < end; index++) {
    const row = Number((positions[index] as bigint) - first)
    bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7))
  }
}

const positionsIn = async (
  path: string,
  { file, dataPath }: Extract<ScanDelete, { kind: 'position-file' }>,
  connection: DuckDBConnection,
): Promise<BigUint64Array> => {
  const [pathColumn, positionColumn] = file.columns
  if (!pathColumn || !positionColumn)
    throw new ConnectorError(
      'internal',
      `The position deletes of ${file.file.url} come without their columns.`,
    )
  const result = await connection.runAndReadAll(
    `SELECT DISTINCT ${quoteIdentifier(positionColumn.name)}::UBIGINT FROM read_parquet(${quoteTextList([path])})
     WHERE ${quoteIdentifier(pathColumn.name)} = ${quoteText(dataPath)} ORDER BY 1`,
  )
  return BigUint64Array.from(result.getColumns()[0] as bigint[])
}
