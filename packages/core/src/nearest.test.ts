import { expect, it } from 'vitest'
import { nearest } from './nearest.ts'

it.each([
  ['extrct', 'extract'],
  ['exrtact', 'extract'],
  ['Plan', 'plan'],
  ['polcy', 'policy'],
  ['regoin', undefined],
  ['frobnicate', undefined],
  ['r', undefined],
])('%s -> %s', (word, expected) => {
  expect(nearest(word, ['extract', 'plan', 'policy', 'runs', 'run'])).toBe(expected)
})
