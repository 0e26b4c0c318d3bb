import fc from 'fast-check'

/** A row with values that formats like to lose. Numbers beyond 2^53 and times are text. */
export interface TypedRow {
  readonly n: string | null
  readonly t: string | null
  readonly u: string
  readonly d: string | null
  readonly day: string | null
  readonly z: string | null
  readonly w: string | null
  readonly yes: boolean | null
  readonly f: number
  readonly l: readonly (number | null)[] | null
  readonly s: { readonly a: string | null; readonly b: number } | null
}

export const sqlTypes = {
  n: 'BIGINT',
  t: 'VARCHAR',
  u: 'VARCHAR',
  d: 'DECIMAL(30, 6)',
  day: 'DATE',
  z: 'TIMESTAMPTZ',
  w: 'TIMESTAMP',
  yes: 'BOOLEAN',
  f: 'DOUBLE',
  l: 'BIGINT[]',
  s: 'STRUCT(a VARCHAR, b BIGINT)',
} as const satisfies Record<keyof TypedRow, string>

const text = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(',', ';', '\t', '|', '"', "'", '\\', '\n', '\r', ' ', '#', '{', '['),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom('NULL', 'null', '\\N', 'é', '漢', '🦆', '\u2028', '\ufeff', '007', '-'),
      },
      {
        weight: 1,
        arbitrary: fc.string({ unit: 'grapheme', maxLength: 3 }).filter((part) => !part.includes('\0')),
      },
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''))

const nullable = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: null, freq: 4 })

const decimal = fc
  .tuple(fc.boolean(), fc.bigInt(0n, 10n ** 24n - 1n), fc.integer({ min: 0, max: 999_999 }))
  .map(([minus, whole, part]) => {
    const digits = `${whole}.${String(part).padStart(6, '0')}`
    return minus && !/^0\.0+$/.test(digits) ? `-${digits}` : digits
  })

const instant = fc
  .tuple(fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }), fc.integer({ min: 0, max: 999_999 }))
  .map(([seconds, micros]) => {
    const fraction = String(micros).padStart(6, '0').replace(/0+$/, '')
    return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction && `.${fraction}`}`
  })

export const typedRows: fc.Arbitrary<TypedRow[]> = fc.array(
  fc.record({
    n: nullable(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String)),
    t: nullable(text),
    u: text,
    d: nullable(decimal),
    day: nullable(instant.map((time) => time.slice(0, 10))),
    z: nullable(instant.map((time) => `${time}Z`)),
    w: nullable(instant),
    yes: nullable(fc.boolean()),
    f: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    l: nullable(fc.array(nullable(fc.maxSafeInteger()), { maxLength: 3 })),
    s: nullable(fc.record({ a: nullable(text), b: fc.maxSafeInteger() })),
  }),
  { minLength: 1, maxLength: 12 },
)

const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** A SELECT that gives the rows, numbered from 0 by `id`. */
export const selectOf = (rows: readonly TypedRow[]): string => {
  const values = rows.map((row, id) => {
    const texts = Object.entries(sqlTypes).map(([name, type]) => {
      const value = row[name as keyof TypedRow]
      if (value === null) return `NULL::${type}`
      if (name === 'l' || name === 's')
        return `from_json(${literal(JSON.stringify(value))}::JSON, ${shapes[name]})::${type}`
      return `${literal(String(value))}::${type}`
    })
    return `(${id}, ${texts.join(', ')})`
  })
  return `SELECT * FROM (VALUES ${values.join(', ')}) rows(id, ${Object.keys(sqlTypes)
    .map((name) => `"${name}"`)
    .join(', ')})`
}

const shapes = { l: `'["BIGINT"]'`, s: `'{"a": "VARCHAR", "b": "BIGINT"}'` } as const
