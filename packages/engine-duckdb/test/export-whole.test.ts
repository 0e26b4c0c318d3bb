import { expect, test } from 'vitest'
import { csv, write } from './export-support.ts'
import { openBench } from './support.ts'

const lines = (bytes: Buffer | undefined): string[] => bytes?.toString('utf8').trimEnd().split('\n') ?? []

/** More rows than one batch of a query has. */
const count = 300_000
const scan = `SELECT i, 'row ' || i AS t FROM range(${count}) r(i) WHERE i % 7 <> 3`
/** The same rows, of a query that would be expensive to count. */
const joined = `SELECT i, any_value(t) AS t FROM (${scan}) GROUP BY i ORDER BY i`

test.each([csv(), { type: 'ndjson', compression: 'none' } as const])(
  'a query that only scans is one file, with the same bytes as in batches: $type',
  async (format) => {
    const bench = await openBench()
    const [whole, ...others] = await write(bench, { from: { sql: scan } }, { format })
    const [batches] = await write(bench, { from: { sql: joined } }, { format })
    expect(others).toEqual([])
    expect(whole?.rows).toBe(batches?.rows)
    expect(whole?.bytes.equals(batches?.bytes ?? Buffer.of())).toBe(true)
  },
)

test('more rows than a file may have are several files', async () => {
  const written = await write(await openBench(), { from: { sql: scan } }, { format: csv(), maxRows: 100_000 })
  expect(written.map((file) => file.rows)).toEqual([100_000, 100_000, 57_143])
  expect(lines(written[1]?.bytes)).toHaveLength(100_001)
})

test('a query whose rows differ each time is counted as it is written', async () => {
  const sql = `SELECT i FROM range(${count}) r(i) WHERE random() < 0.5`
  const [file] = await write(await openBench(), { from: { sql } }, { format: csv() })
  expect(lines(file?.bytes)).toHaveLength((file?.rows ?? 0) + 1)
})

test('a query without rows is a header, also where it only scans', async () => {
  const bench = await openBench()
  const from = { sql: 'SELECT i, i::VARCHAR AS t FROM range(10) r(i) WHERE i > 10' }
  const [file] = await write(bench, { from }, { format: csv() })
  expect(file?.bytes.toString()).toBe('i,t\n')
  expect(await write(bench, { from }, { format: csv(), empty: 'nothing' })).toEqual([])
})
