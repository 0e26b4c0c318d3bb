import {
  type ConnectorError,
  type CsvExportOptions,
  csvEmptyIsNull,
  csvExportOptions,
  csvOptionIssues,
} from '@penstock/core'
import { expect, test } from 'vitest'
import { write } from './export-support.ts'
import { type Bench, failure, openBench } from './support.ts'

/*
 * Whatever the options, a null, an empty text and a text that looks like either are written in different ways, or the
 * run is refused. Only who chooses the same value for null and for an empty text gets the same.
 */

const csv = (
  options: Partial<CsvExportOptions>,
): { type: 'csv'; compression: 'none' } & CsvExportOptions => ({
  type: 'csv',
  compression: 'none',
  ...csvExportOptions.parse(options),
})

const product = <Value extends object, Name extends string, Item>(
  values: readonly Value[],
  name: Name,
  items: readonly Item[],
) =>
  values.flatMap((value) => items.map((item) => ({ ...value, [name]: item }) as Value & Record<Name, Item>))

const combinations = product(
  product(product(product([{}], 'quoteAll', [false, true]), 'nullValue', ['', 'NULL', '""']), 'emptyValue', [
    undefined,
    '',
    '""',
    'EMPTY',
    'NULL',
  ]),
  'quote',
  ['"' as const, '' as const],
)

const literals = ['NULL', "''", "'NULL'", `'""'`, "'x'"]

/** How each value is written, of those that are not refused. */
const written = async (
  bench: Bench,
  format: ReturnType<typeof csv>,
  { type, more }: { type: string; more: string },
): Promise<ReadonlyMap<string, string>> => {
  let left = type === 'BLOB' ? literals.slice(0, 2) : literals
  while (left.length > 0) {
    const values = left.map((literal) => `(${literal})`).join(', ')
    const sql = `SELECT a::${type} AS a${more} FROM (VALUES ${values}) v(a)`
    try {
      const [file] = await write(bench, { from: { sql } }, { format })
      const lines = file?.bytes.toString().split('\n') ?? []
      return new Map(left.map((literal, index) => [literal, lines[index] ?? '']))
    } catch (error) {
      expect(error).toMatchObject({ kind: 'data', code: 'Unwritable' })
      const { place } = error as ConnectorError
      left = left.filter((_, index) => index + 1 !== place?.line)
    }
  }
  return new Map()
}

test.each([
  { type: 'VARCHAR', more: '', delimiter: ',' },
  { type: 'VARCHAR', more: ', 1 AS b', delimiter: ',' },
  { type: 'VARCHAR', more: ', 1 AS b', delimiter: '§' },
  { type: 'BLOB', more: '', delimiter: ',' },
  { type: 'BLOB', more: ', 1 AS b', delimiter: ',' },
])(
  'null, empty and look-alikes stay apart: $type, "a$more", $delimiter',
  async ({ delimiter, ...columns }) => {
    const bench = await openBench()
    let compared = 0
    for (const options of combinations) {
      const format = csv({ ...options, delimiter, header: false })
      if (csvOptionIssues(format).length > 0) continue
      const fields = await written(bench, format, columns)
      const [empty, nothing] = [fields.get("''"), fields.get('NULL')]
      const isAlike = empty !== undefined && empty === nothing
      expect(
        isAlike && !(columns.type === 'VARCHAR' && csvEmptyIsNull(format)),
        JSON.stringify(options),
      ).toBe(false)
      // A text that is the empty value is the choice of who chose it.
      const others = [...fields].filter(([literal]) => literal !== "''").map(([, field]) => field)
      expect(new Set(others).size, JSON.stringify([options, ...fields])).toBe(others.length)
      compared += fields.size
    }
    expect(compared).toBeGreaterThan(combinations.length / 2)
  },
)

test('who chooses one value for both gets it', async () => {
  const bench = await openBench()
  const sql = "SELECT NULL::VARCHAR AS a, '' AS b, 'x' AS c"
  for (const [options, expected] of [
    [{ nullValue: '""', emptyValue: '""' }, '"","",x\n'],
    [{ nullValue: '""', emptyValue: '""', quoteAll: true }, '"","","x"\n'],
    [{ nullValue: '""', emptyValue: '', quoteAll: true }, '"","","x"\n'],
    [{ nullValue: '', emptyValue: '' }, ',,x\n'],
    [{ nullValue: '-', emptyValue: '-', quoteAll: true }, '-,-,"x"\n'],
    [{ nullValue: '', emptyValue: '', quote: '' }, ',,x\n'],
  ] as const)
    for (const delimiter of [',', '§']) {
      const format = csv({ ...options, delimiter, header: false })
      const [file] = await write(bench, { from: { sql } }, { format })
      expect(file?.bytes.toString()).toBe(expected.replaceAll(',', delimiter))
    }
})

test('a name of a column that the header can not hold is refused', async () => {
  const bench = await openBench()
  const write1 = (options: Parameters<typeof csv>[0]) =>
    write(bench, { from: { sql: 'SELECT 1 AS "a,b"' } }, { format: csv(options) })
  expect(await failure(write1({ quote: '' }))).toMatchObject({ kind: 'config', place: { column: 'a,b' } })
  await write1({ quote: '', header: false })
  await write1({})
})
