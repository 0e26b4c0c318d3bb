import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinName, parseTableName, splitName } from './table-name.ts'

test('a table by its namespace and name', () => {
  expect(parseTableName('sales.orders')).toEqual({ namespace: ['sales'], name: 'orders' })
  expect(parseTableName('a.b.orders')).toEqual({ namespace: ['a', 'b'], name: 'orders' })
  expect(parseTableName('"a.b".orders')).toEqual({ namespace: ['a.b'], name: 'orders' })
  for (const text of ['orders', '', 'a.', '.b', 'a..b', '"a.b', 'a"b".c'])
    expect(() => parseTableName(text), text).toThrow('no name of a table')
})

test('names come back as they were joined', () => {
  const level = fc.string({ minLength: 1, unit: fc.constantFrom('a', '.', '"', ' ', 'é') })
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 4 }), (levels) => {
      expect(splitName(joinName(levels))).toEqual(levels)
    }),
  )
})
