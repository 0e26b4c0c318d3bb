import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBytes, formatClock, formatCount, formatDuration } from './numbers.ts'
import { renderTable } from './table.ts'
import { printable, truncate, widthOf, wrap } from './width.ts'

describe('numbers', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [99_960, '100 kB'],
    [999_600, '1.0 MB'],
    [1_234_567_890, '1.2 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  it('are read easily', () => {
    expect(formatCount(1234567)).toBe('1,234,567')
    expect(formatCount(9223372036854775807n)).toBe('9,223,372,036,854,775,807')
    expect([40, 9_960, 65_000, 3_600_000].map(formatDuration)).toEqual([
      '0.0 s',
      '10 s',
      '1 min 5 s',
      '1 h 0 min',
    ])
    expect([5_000, 750_000, 3_723_000].map(formatClock)).toEqual(['0:05', '12:30', '1:02:03'])
  })
})

describe('width', () => {
  it('cuts to a width, also wide characters and emoji', () => {
    expect(truncate('hello world', 8)).toBe('hello w…')
    expect(truncate('orders/2026/01/part.csv', 12, 'middle')).toBe('orders…t.csv')
    expect(truncate('日本語テキスト', 5)).toBe('日本…')
    expect(truncate('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…')
  })

  it('never exceeds it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (text, width, end) => {
          expect(widthOf(truncate(text, width, end ? 'end' : 'middle'))).toBeLessThanOrEqual(width)
        },
      ),
    )
  })

  it('shows control characters instead of sending them', () => {
    expect(printable('a\x1b[31mb\nc\u202e')).toBe('a\\u001b[31mb\\nc\\u202e')
  })

  it('wraps at spaces', () => {
    expect(wrap('one two three\nfour', 8)).toEqual(['one two', 'three', 'four'])
    expect(wrap('select x\n       ^', 20)).toEqual(['select x', '       ^'])
  })
})

describe('renderTable', () => {
  const columns = [
    { title: 'NAME', cut: 'middle' as const },
    { title: 'ROWS', align: 'right' as const, cut: 'never' as const },
    { title: 'NOTE' },
  ]

  it('aligns columns', () => {
    const { lines } = renderTable(
      columns,
      [
        ['orders', '12', 'x'],
        ['日本', '1,000', ''],
      ],
      { width: 80 },
    )
    expect(lines).toEqual(['NAME     ROWS  NOTE', 'orders     12  x', '日本    1,000'])
  })

  it('makes the widest columns give way', () => {
    const { lines } = renderTable(columns, [['a'.repeat(60), '1,000,000', 'b'.repeat(60)]], { width: 50 })
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(50)
    expect(lines[1]).toContain('1,000,000')
  })

  it('leaves columns out that have no room, and says which', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ title: `column${index}` }))
    const { lines, hiddenColumns } = renderTable(many, [many.map(() => 'value')], { width: 40 })
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(40)
    expect(hiddenColumns.at(-1)).toBe('column39')
  })

  it('fits any width', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 30 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell, cell)),
        fc.integer({ min: 20, max: 90 }),
        (rows, width) => {
          const titles = ['a', 'b', 'c', 'd'].map((title) => ({ title }))
          for (const line of renderTable(titles, rows, { width }).lines)
            expect(widthOf(line)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})
