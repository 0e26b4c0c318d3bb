import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinName, parseTableName, parseTableVersion, splitName } from './table-name.ts'

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

test('a version is a snapshot, a time, or a branch or tag', () => {
  expect(parseTableVersion('9007199254740993123')).toEqual({ snapshotId: 9007199254740993123n })
  expect(parseTableVersion('2026-01-02')).toEqual({ timestamp: new Date('2026-01-02T00:00:00Z') })
  expect(parseTableVersion('2026-01-02 03:04')).toEqual({ timestamp: new Date('2026-01-02T03:04:00Z') })
  expect(parseTableVersion('2026-01-02T03:04:05+01:00')).toEqual({
    timestamp: new Date('2026-01-02T02:04:05Z'),
  })
  expect(parseTableVersion('audit-2026')).toEqual({ ref: 'audit-2026' })
  expect(parseTableVersion('2026-13-45')).toEqual({ ref: '2026-13-45' })
})
