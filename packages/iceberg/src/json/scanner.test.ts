import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { itemsOf, membersOf, parseLosslessJson, parseSpan } from './scanner.ts'

const bytesOf = (text: string) => Buffer.from(text)

test('members and items have the values that a parser gives', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.array(fc.jsonValue()),
      fc.nat(2),
      (object, list, space) => {
        const text = bytesOf(JSON.stringify(object, null, space))
        const members = [...membersOf(text, 0)].map(([name, span]) => [name, parseSpan(text, span)])
        expect(members).toEqual(Object.entries(parseLosslessJson(text.toString()) ?? {}))
        const items = bytesOf(JSON.stringify(list, null, space))
        expect([...itemsOf(items, 0)].map((span) => parseSpan(items, span))).toEqual(
          parseLosslessJson(items.toString()),
        )
      },
    ),
  )
})

test('integers keep all of their digits', () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
      const text = bytesOf(`{"id": ${value}}`)
      const expected = Number.isSafeInteger(Number(value)) ? Number(value) : value
      expect([...membersOf(text, 0)].map(([, span]) => parseSpan(text, span))).toEqual([expected])
      expect(parseLosslessJson(`[${value}]`)).toEqual([expected])
    }),
  )
})

describe('damaged JSON is an error', () => {
  test.each([
    '',
    '[]',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":[1}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '{"a":"x}',
    '{a:1}',
    '{"a":}',
  ])('%s', (text) => {
    const read = () => {
      const bytes = bytesOf(text)
      for (const [, span] of membersOf(bytes, 0)) parseSpan(bytes, span)
    }
    expect(read).toThrow(SyntaxError)
  })

  test('wherever it is cut', () => {
    const whole = '{"a": [1, {"b": "x\\"y"}], "c": {"d": null}}'
    for (let end = 0; end < whole.length; end++)
      expect(() => [...membersOf(bytesOf(whole.slice(0, end)), 0)]).toThrow(SyntaxError)
  })
})
