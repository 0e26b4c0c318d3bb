import { expect, it } from 'vitest'
import { csvLine, plainValue, valueText } from './values.ts'

it('keeps every digit and tells null from an empty text', () => {
  expect(valueText(9223372036854775807n)).toBe('9223372036854775807')
  expect(valueText({ a: [9223372036854775807n, null] })).toBe('{"a":[9223372036854775807,null]}')
  expect(valueText(new Uint8Array([1, 255]))).toBe('\\x01ff')
  expect(valueText(null)).toBeUndefined()
  expect(plainValue(new Map([[1, Number.NaN]]))).toEqual({ 1: 'NaN' })
  expect(csvLine([undefined, '', 'a,b', 'say "hi"', 'two\nlines', ' x', 'plain'])).toBe(
    ',"","a,b","say ""hi""","two\nlines"," x",plain',
  )
})
