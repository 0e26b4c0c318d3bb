import { bigint, describeType, type LogicalType, text } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { postgresType, takesType } from './types.ts'

const int = (bits: 8 | 16 | 32 | 64 | 128, signed = true): LogicalType => ({ type: 'int', bits, signed })
const decimal = (precision: number, scale: number): LogicalType => ({ type: 'decimal', precision, scale })
const timestamp = (unit: 's' | 'ms' | 'us' | 'ns', zoned = false): LogicalType => ({
  type: 'timestamp',
  unit,
  zoned,
})
const list = (element: LogicalType): LogicalType => ({ type: 'list', element })
const other = (name: string): LogicalType => ({ type: 'other', name })

const created: readonly (readonly [LogicalType, string | undefined])[] = [
  [int(8), 'smallint'],
  [int(8, false), 'smallint'],
  [int(16, false), 'integer'],
  [int(32, false), 'bigint'],
  [bigint, 'bigint'],
  [int(64, false), 'numeric(20,0)'],
  [int(128), 'numeric(39,0)'],
  [decimal(18, 4), 'numeric(18,4)'],
  [{ type: 'double' }, 'double precision'],
  [timestamp('us'), 'timestamp without time zone'],
  [timestamp('us', true), 'timestamp with time zone'],
  [timestamp('ns'), undefined],
  [{ type: 'binary' }, 'bytea'],
  [{ type: 'json' }, 'jsonb'],
  [list(text), 'text[]'],
  [list(decimal(10, 2)), 'numeric(10,2)[]'],
  [list(timestamp('ns')), undefined],
  [list(list(text)), 'jsonb'],
  [{ type: 'struct', fields: [{ name: 'a', type: text }] }, 'jsonb'],
  [other('INTEGER[3]'), 'jsonb'],
  [other("ENUM('a', 'b(c)')"), 'text'],
  [other('TIME WITH TIME ZONE'), 'time with time zone'],
  [other('BIT'), undefined],
]

test.each(created.map(([type, wanted]) => [describeType(type), wanted, type] as const))(
  '%s becomes %s',
  (_, wanted, type) => {
    expect(postgresType(type)).toBe(wanted)
  },
)

describe('an existing column', () => {
  test.each(
    created.filter(([, name]) => name !== undefined).map(([type, name]) => [name ?? '', type] as const),
  )('%s, as it is created, takes the same again', (name, type) => {
    expect(takesType({ name, isEnum: false }, type)).toBe(true)
  })

  /** Where PostgreSQL refuses what does not fit, a narrower column is fine; where it would change a value, it is not. */
  test.each([
    ['integer', bigint, true],
    ['numeric(10,0)', bigint, true],
    ['text', bigint, true],
    ['double precision', int(32), true],
    ['double precision', bigint, false],
    ['real', { type: 'double' }, false],
    ['numeric', { type: 'double' }, true],
    ['numeric(18,2)', decimal(18, 2), true],
    ['numeric(18,2)', decimal(18, 4), false],
    ['numeric(18,2)', { type: 'double' }, false],
    ['bigint', decimal(18, 0), false],
    ['timestamp with time zone', timestamp('us'), false],
    ['timestamp without time zone', timestamp('us', true), false],
    ['timestamp(3) without time zone', timestamp('us'), false],
    ['timestamp(3) without time zone', timestamp('ms'), true],
    ['date', timestamp('s'), false],
    ['timestamp without time zone', { type: 'date' }, true],
    ['character varying(20)', text, true],
    ['uuid', text, true],
    ['character(20)', text, false],
    ['timestamp without time zone', text, false],
    ['text', { type: 'binary' }, false],
    ['text', list(text), true],
    ['jsonb', list(text), false],
    ['jsonb', list(list(text)), true],
    ['smallint[]', list(bigint), true],
    ['real[]', list({ type: 'double' }), false],
    ['boolean', { type: 'null' }, true],
  ] as const satisfies readonly (readonly [string, LogicalType, boolean])[])(
    '%s: %j %j',
    (name, type, takes) => {
      expect(takesType({ name, isEnum: false }, type)).toBe(takes)
    },
  )

  test('that is an enum takes texts, which the server checks', () => {
    expect(takesType({ name: 'sales.mood', isEnum: true }, text)).toBe(true)
    expect(takesType({ name: 'sales.mood', isEnum: true }, bigint)).toBe(false)
  })
})
