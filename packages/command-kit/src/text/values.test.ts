import type { LogicalType } from '@penstock/core'
import { bigint, text } from '@penstock/core'
import { expect, it } from 'vitest'
import { csvLine, jsonText, rowText, valueText } from './values.ts'

const decimal: LogicalType = { type: 'decimal', precision: 38, scale: 2 }

it('keeps every digit, at any depth', () => {
  const list: LogicalType = { type: 'list', element: decimal }
  const struct: LogicalType = { type: 'struct', fields: [{ name: 'd', type: decimal }] }
  const map: LogicalType = { type: 'map', key: text, value: bigint }
  expect(valueText(9223372036854775807n, bigint)).toBe('9223372036854775807')
  expect(jsonText(9223372036854775807n, bigint)).toBe('9223372036854775807')
  expect(jsonText('123456789012345678901234567890.10', decimal)).toBe('123456789012345678901234567890.10')
  expect(jsonText(['0.10', null], list)).toBe('[0.10,null]')
  expect(jsonText({ d: '0.10' }, struct)).toBe('{"d":0.10}')
  expect(valueText(new Map([['a', 9223372036854775807n]]), map)).toBe('{"a":9223372036854775807}')
  expect(jsonText('{"n":12345678901234567890}', { type: 'json' })).toBe('{"n":12345678901234567890}')
  expect(jsonText(Number.NaN, { type: 'double' })).toBe('"NaN"')
  expect(valueText(new Uint8Array([1, 255]), { type: 'binary' })).toBe('\\x01ff')
})

it('tells null from an empty text', () => {
  expect(valueText(null, text)).toBeUndefined()
  expect(csvLine([undefined, '', 'a,b', 'say "hi"', 'two\nlines', ' x', 'plain'])).toBe(
    ',"","a,b","say ""hi""","two\nlines"," x",plain',
  )
})

it('loses no column of the same name', () => {
  const columns = ['a', 'a', 'b'].map((name) => ({ name, type: bigint }))
  expect(rowText(columns, [1, 2, 3])).toBe('{"a":1,"a_1":2,"b":3}')
})
