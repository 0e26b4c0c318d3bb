import type { Predicate } from '@penstock/core'
import { expect, it } from 'vitest'
import { reducePredicate } from './pushdown.ts'

const equals = (column: string): Predicate => ({
  kind: 'compare',
  column: [column],
  operator: '=',
  value: 1n,
})
const isNull: Predicate = { kind: 'is-null', column: ['x'] }
const both: Predicate = { kind: 'and', of: [equals('a'), isNull] }
const either: Predicate = { kind: 'or', of: [equals('a'), isNull] }

it.each<[string, Predicate, Predicate]>([
  ['a kind that is declared', equals('a'), equals('a')],
  ['a kind that is not', isNull, { kind: 'true' }],
  ['AND: what remains', both, equals('a')],
  ['OR: nothing, unless all of it remains', either, { kind: 'true' }],
  [
    'OR of what is declared',
    { kind: 'or', of: [equals('a'), equals('b')] },
    { kind: 'or', of: [equals('a'), equals('b')] },
  ],
  ['NOT of what is declared', { kind: 'not', of: equals('a') }, { kind: 'not', of: equals('a') }],
  ['NOT of an AND that would lose a part', { kind: 'not', of: both }, { kind: 'true' }],
  ['false', { kind: 'false' }, { kind: 'false' }],
])('%s', (_name, predicate, expected) => {
  expect(reducePredicate(predicate, ['compare', 'and', 'or', 'not'])).toEqual(expected)
})

it('without AND, one part of it', () => {
  expect(reducePredicate({ kind: 'and', of: [equals('a'), equals('b')] }, ['compare'])).toEqual(equals('a'))
})
