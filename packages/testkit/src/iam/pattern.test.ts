import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressInRange } from './addresses.ts'
import { matchesText } from './pattern.ts'

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', 'A'), maxLength: 12 })

/** The same rule said another way. */
const asRegExp = (pattern: string) =>
  new RegExp(
    `^${pattern.replace(/[*?]|[^*?]/gsu, (c) => (c === '*' ? '[\\s\\S]*' : c === '?' ? '[^]' : c.replace(/[/\\^$.+()[\]{}|]/, '\\$&')))}$`,
  )

test('wildcards mean what the equivalent regular expression means', () => {
  fc.assert(
    fc.property(letters, letters, (pattern, text) => {
      expect(matchesText(pattern, text)).toBe(asRegExp(pattern).test(text))
    }),
    { numRuns: 3000 },
  )
})

test('a text is matched by itself, by * and by any prefix followed by *', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (text, cut) => {
      const plain = text.replace(/[*?]/g, '')
      expect(matchesText(plain, plain)).toBe(true)
      expect(matchesText('*', text)).toBe(true)
      expect(matchesText(`${plain.slice(0, cut % (plain.length + 1))}*`, plain)).toBe(true)
      expect(matchesText('?'.repeat(text.length), text)).toBe(true)
      expect(matchesText(`${plain}x`, plain)).toBe(false)
    }),
  )
})

test('replacing a piece of a pattern by * never loses a match', () => {
  fc.assert(
    fc.property(letters, letters, fc.nat(), fc.nat(), (pattern, text, from, length) => {
      const start = from % (pattern.length + 1)
      const wider = `${pattern.slice(0, start)}*${pattern.slice(start + (length % 4))}`
      if (matchesText(pattern, text)) expect(matchesText(wider, text)).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('ignoring case is matching in lower case', () => {
  fc.assert(
    fc.property(letters, letters, (pattern, text) => {
      expect(matchesText(pattern, text, { ignoreCase: true })).toBe(
        matchesText(pattern.toLowerCase(), text.toLowerCase()),
      )
    }),
  )
})

test('the value of a variable is text, whatever it contains', () => {
  fc.assert(
    fc.property(letters, letters, (value, text) => {
      const variables = () => value
      expect(matchesText(`p/\${aws:username}/s`, `p/${text}/s`, { variables })).toBe(value === text)
    }),
  )
})

test('many wildcards over a long text take no exponential time', () => {
  expect(matchesText(`${'*a'.repeat(200)}*b`, 'a'.repeat(5000))).toBe(false)
})

test('an IPv4 range holds exactly the addresses that share its prefix', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
  const number = (parts: number[]) => parts.reduce((sum, part) => sum * 256 + part, 0)
  fc.assert(
    fc.property(octets, octets, fc.nat(32), (range, address, bits) => {
      const size = 2 ** (32 - bits)
      const inside = Math.floor(number(range) / size) === Math.floor(number(address) / size)
      expect(addressInRange(`${range.join('.')}/${bits}`, address.join('.'))).toBe(inside)
      expect(addressInRange(`${range.join('.')}/${bits}`, `::ffff:${address.join('.')}`)).toBe(inside)
    }),
  )
})
