import { expect, it } from 'vitest'
import { exactJson, toJson } from './output.ts'

it('writes numbers with all their digits', () => {
  expect(toJson({ big: 9223372036854775807n }, 0)).toBe('{"big":9223372036854775807}')
  const text = '{"a":[12345678901234567890,0.10],"b":"x","c":null}'
  expect(toJson(exactJson(text), 0)).toBe(text)
})
