import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { file, load, openBench, rows, texts } from './support.ts'

const csv = (...lines: string[]) => `${lines.join('\n')}\n`

/** Values, and the type of a column that has them and no other ones. */
const columns: [string, string[], string][] = [
  ['booleans', ['true', 'false', ''], 'boolean'],
  ['the limits of int64', ['9223372036854775807', '-9223372036854775808', '0'], 'bigint'],
  ['one above int64', ['9223372036854775808', '1'], 'text'],
  ['long digit strings', ['12345678901234567890123', '5'], 'text'],
  ['leading zeros', ['007', '12'], 'text'],
  ['leading zero and point', ['00.5', '1.5'], 'text'],
  ['a plus sign', ['+5', '6'], 'text'],
  ['digit separators', ['1_000', '2'], 'text'],
  ['thousands separators', ['"1,000"', '2'], 'text'],
  ['blanks around', [' 12 ', '3'], 'text'],
  ['hexadecimal', ['0x1F', '0x20'], 'text'],
  ['digits of another script', ['٣', '٤'], 'text'],
  ['decimals', ['0.1', '0.2', '0.30000000000000004'], 'decimal(18,17)'],
  ['decimals and integers', ['1', '2.5', '-3.25'], 'decimal(18,2)'],
  ['large decimals', ['12345678901234567890.5', '0.123456789'], 'decimal(29,9)'],
  ['exponents', ['1e3', '2.5'], 'double'],
  ['exponents beyond a double', ['1e400', '2e3'], 'text'],
  ['ISO dates', ['2026-01-31', '1969-12-31', '0001-01-01'], 'date'],
  ['no date of the calendar', ['2026-02-30', '2026-01-01'], 'text'],
  ['German dates', ['31.01.2026', '01.02.2026'], 'text'],
  ['American dates', ['01/31/2026', '02/01/2026'], 'text'],
  ['dates with one digit', ['2026-1-5', '2026-01-06'], 'text'],
  ['timestamps with a blank', ['2026-01-31 10:11:12', '2026-01-31 10:11:12.345678'], 'timestamp'],
  ['timestamps with T', ['2026-01-31T10:11:12', '2026-01-31T10:11:12.5'], 'timestamp'],
  ['more than microseconds', ['2026-01-31T10:11:12.123456789', '2026-01-31T10:11:12.5'], 'text'],
  ['UTC', ['2026-01-31T10:11:12Z', '2026-01-31T10:11:12.5Z'], 'timestamp with time zone'],
  ['offsets', ['2026-01-31T10:11:12+02:00', '2026-01-31T10:11:12-05:30'], 'timestamp with time zone'],
  ['times', ['10:11:12', '23:59:59'], 'time'],
  ['numbers and words', ['1', '2', 'three'], 'text'],
  ['booleans and numbers', ['true', '1'], 'text'],
  ['ISO dates and numbers', ['2026-01-31', '5'], 'text'],
  ['no values', ['', ''], 'text'],
]

describe('types of CSV columns', () => {
  it('each by its own values', async () => {
    const bench = await openBench()
    const height = Math.max(...columns.map(([, values]) => values.length))
    const lines = Array.from({ length: height }, (_, row) =>
      [row, ...columns.map(([, values]) => values[row % values.length])].join(','),
    )
    const header = ['id', ...columns.map(([name]) => name)].join(',')
    const { types } = await load(bench.engine, [file(bench, 'a.csv', csv(header, ...lines))])
    expect(types).toEqual({
      id: 'bigint',
      ...Object.fromEntries(columns.map(([name, , expected]) => [name, expected])),
    })
  })

  it('keeps int64, decimals and instants exact', async () => {
    const bench = await openBench()
    await load(bench.engine, [
      file(
        bench,
        'a.csv',
        csv(
          'i,d,z',
          '9223372036854775807,0.30000000000000004,2026-01-31T10:00:00+02:00',
          '-1,-0.1,2026-01-31T10:00:00Z',
        ),
      ),
    ])
    expect(await rows(bench.engine, 'SELECT i::VARCHAR, d::VARCHAR, epoch_ms(z) FROM t')).toEqual([
      [
        '9223372036854775807',
        '0.30000000000000004',
        expect.toSatisfy((ms) => Number(ms) === Date.UTC(2026, 0, 31, 8)),
      ],
      ['-1', '-0.10000000000000000', expect.toSatisfy((ms) => Number(ms) === Date.UTC(2026, 0, 31, 10))],
    ])
  })

  it('looks at all of the file: a word in row 1,000,000 of an int column makes it text', async () => {
    const bench = await openBench()
    const lines = ['id,n']
    for (let row = 1; row <= 1_000_010; row++) lines.push(`${row},${row === 1_000_000 ? 'x' : row % 7}`)
    const { types, rowsLoaded } = await load(bench.engine, [file(bench, 'a.csv', lines.join('\n'))])
    expect(types).toEqual({ id: 'bigint', n: 'text' })
    expect(rowsLoaded).toBe(1_000_010)
    expect(await rows(bench.engine, "SELECT id, n FROM t WHERE n = 'x'")).toEqual([
      [expect.toSatisfy((id) => Number(id) === 1_000_000), 'x'],
    ])
  })

  it('widens step by step within the first file: bigint, then decimal, then double', async () => {
    const bench = await openBench()
    const numbers = Array.from({ length: 22_000 }, (_, index) => `${index},${index},${index},1`)
    const { types } = await load(bench.engine, [
      file(
        bench,
        'a.csv',
        csv('a,b,c,d', ...numbers, '1,1.25,1e5,2', '1,1.5,1,x', '1,123456789012345678901.5,1,1'),
      ),
    ])
    expect(types).toEqual({ a: 'bigint', b: 'decimal(23,2)', c: 'double', d: 'text' })
  })

  it('takes the types that the user gives, and the formats of dates', async () => {
    const bench = await openBench()
    const content = csv(
      'id,day,at,code',
      '007,31.01.2026,31.01.2026 10:11,5',
      '8,01.02.2026,01.02.2026 00:00,6',
    )
    const { types } = await load(
      bench.engine,
      [
        file(bench, 'a.csv', content, {
          format: { dateFormat: '%d.%m.%Y', timestampFormat: '%d.%m.%Y %H:%M' },
        }),
      ],
      { columnTypes: { code: { type: 'string' } } },
    )
    expect(types).toEqual({ id: 'text', day: 'date', at: 'timestamp', code: 'text' })
    expect(await texts(bench.engine)).toEqual([
      ['007', '2026-01-31', '2026-01-31 10:11:00', '5'],
      ['8', '2026-02-01', '2026-02-01 00:00:00', '6'],
    ])
  })

  it('everything is text on demand', async () => {
    const bench = await openBench()
    const { types } = await load(bench.engine, [file(bench, 'a.csv', csv('a,b', '1,2026-01-01', '1.50,x'))], {
      allText: true,
    })
    expect(types).toEqual({ a: 'text', b: 'text' })
    expect(await texts(bench.engine)).toEqual([
      ['1', '2026-01-01'],
      ['1.50', 'x'],
    ])
  })
})

/** The type that a plain reading of the rules gives for these values; the engine must agree. */
const expectedType = (values: readonly string[]): string => {
  const every = (pattern: RegExp) => values.every((value) => pattern.test(value))
  if (every(/^(true|false)$/)) return 'boolean'
  if (
    every(/^(0|-?[1-9]\d*)$/) &&
    values.every((value) => BigInt.asIntN(64, BigInt(value)) === BigInt(value))
  )
    return 'bigint'
  if (every(/^-?(0|[1-9]\d*)$/)) return 'text'
  if (every(/^-?(0|[1-9]\d*)(\.\d+)?$/)) {
    const integer = Math.max(...values.map((value) => (value.replace('-', '').split('.')[0] ?? '').length))
    const scale = Math.max(...values.map((value) => (value.split('.')[1] ?? '').length))
    const precision = Math.max(18, integer + scale)
    return precision <= 38 ? `decimal(${precision},${scale})` : 'double'
  }
  return 'text'
}

describe('any values', () => {
  const number = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
    fc
      .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.stringMatching(/^\d{1,6}$/))
      .map(([a, b]) => `${a}.${b}`),
  )
  const awkward = fc.constantFrom(
    '007',
    '+1',
    '1_0',
    ' 1',
    '1 ',
    '1.',
    '.5',
    '1e2x',
    '--1',
    '-',
    'tru',
    'é',
    '"q"',
    "it's",
    'a\nb',
    'NULL',
    '-00',
    '𝟙',
  )
  const column = fc.oneof(
    fc.array(number, { minLength: 1, maxLength: 6 }),
    fc.array(fc.constantFrom('true', 'false'), { minLength: 1, maxLength: 6 }),
    fc.array(fc.oneof(number, awkward), { minLength: 1, maxLength: 6 }),
  )

  it('have the narrowest type that holds them, and read back as they were', async () => {
    const bench = await openBench()
    await fc.assert(
      fc.asyncProperty(fc.array(column, { minLength: 1, maxLength: 60 }), async (columns) => {
        const height = Math.max(...columns.map((values) => values.length))
        const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
        const lines = Array.from({ length: height }, (_, row) =>
          [`${row}`, ...columns.map((values) => cell(values[row % values.length] ?? ''))].join(','),
        )
        const header = ['n', ...columns.map((_, index) => `c${index}`)].join(',')
        const { types } = await load(bench.engine, [file(bench, 'a.csv', csv(header, ...lines))])
        const expected = columns.map((values, index) => [`c${index}`, expectedType(values)])
        expect(types).toEqual({ n: 'bigint', ...Object.fromEntries(expected) })
        const read = await texts(bench.engine)
        for (const [row, values] of read.entries())
          for (const [index, source] of columns.entries()) {
            const [given, got] = [source[row % source.length] ?? '', String(values[index + 1])]
            if (types[`c${index}`]?.startsWith('decimal')) expect(plain(got)).toBe(plain(given))
            else if (types[`c${index}`] === 'double') expect(Number(got)).toBe(Number(given))
            else expect(got).toBe(given)
          }
      }),
      { numRuns: 12 },
    )
  })
})

/** A decimal without the zeros that its type adds. */
const plain = (decimal: string): string =>
  (decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal).replace(/^-0$/, '0')
