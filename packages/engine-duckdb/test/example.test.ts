import { expect, test } from 'vitest'
import { startChild } from './processes/child.ts'

test('the example of the README', async () => {
  const child = startChild('../../examples/load-folder.ts', [])
  expect(await child.finish()).toBe(0)
  expect(child.lines.slice(0, 2)).toEqual(['first: 2 new, 0 known, 3 rows', 'second: 1 new, 2 known, 1 rows'])
  expect(child.lines[2]).toMatch(/^third: data: .*thursday\.csv.*line 2.*amount/)
  expect(child.lines.slice(3)).toEqual([
    'code text, amount decimal(18,2)',
    '007 12.50',
    '010 3.00',
    '011 0.99',
    '012 7.25',
  ])
})
