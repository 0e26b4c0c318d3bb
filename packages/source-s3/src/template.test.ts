import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileTemplate, requirePlaceholders } from './template.ts'

describe('table names', () => {
  it('fills placeholders and keeps doubled braces', () => {
    const template = compileTemplate('raw_{1}_{{x}}_{day}')
    expect(template.placeholders).toEqual(['1', 'day'])
    expect(template.render({ 1: 'orders', day: 'mon' }, 'k')).toBe('raw_orders_{x}_mon')
  })

  it.each([['{a'], ['a}'], ['{a{b}}']])('refuses %j', (source) => {
    expect(() => compileTemplate(source)).toThrow('without a partner')
  })

  it.each([[undefined], ['']])('refuses %j as a value, naming the key', (value) => {
    expect(() => compileTemplate('{1}').render({ 1: value }, 'exports//x.csv')).toThrow('"exports//x.csv"')
  })

  it('lists what is known when a placeholder is not', () => {
    const template = compileTemplate('{1}_{tabel}')
    expect(() => requirePlaceholders(template, ['1', 'table'])).toThrow(
      expect.objectContaining({ kind: 'config', hint: expect.stringContaining('{1}, {table}') }),
    )
    expect(() => requirePlaceholders(template, ['1', 'tabel'])).not.toThrow()
  })

  it('keeps every text whose braces are doubled', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const template = compileTemplate(text.replaceAll('{', '{{').replaceAll('}', '}}'))
        expect(template.render({}, 'k')).toBe(text)
      }),
    )
  })

  it('puts values in as they stand', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
        expect(compileTemplate('{1}/{b}').render({ 1: a, b }, 'k')).toBe(`${a}/${b}`)
      }),
    )
  })
})
