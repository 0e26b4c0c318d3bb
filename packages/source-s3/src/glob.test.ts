import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob } from './glob.ts'

describe('what matches', () => {
  it.each([
    ['a/*.csv', 'a/b.csv', true],
    ['a/*.csv', 'a/.csv', true],
    ['a/*.csv', 'a/b/c.csv', false],
    ['a/*.csv', 'A/b.csv', false],
    ['a/**/*.csv', 'a/b.csv', true],
    ['a/**/*.csv', 'a/b/c/d.csv', true],
    ['a/**/*.csv', 'ab.csv', false],
    ['a/**', 'a/', true],
    ['a/**', 'a', false],
    ['**', 'anything/at/all', true],
    ['**/x', 'x', true],
    ['**/**/x', 'a/x', true],
    ['file?.csv', 'file1.csv', true],
    ['file?.csv', 'file😀.csv', true],
    ['a?b', 'a/b', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['a[!x]b', 'a/b', false],
    ['a[+-9]b', 'a/b', false],
    ['[]]', ']', true],
    ['[a-]', '-', true],
    ['[\\]]', ']', true],
    ['{a,b/c}/*.csv', 'b/c/x.csv', true],
    ['x.{csv,csv.gz}', 'x.csv.gz', true],
    ['{a,{b,c}d}e', 'cde', true],
    ['x{,.gz}', 'x', true],
    ['a+(b)$^|.csv', 'a+b$^|.csv', true],
    ['a\\*\\(1\\)', 'a*(1)', true],
    ['a\\\\b', 'a\\b', true],
    ['.hidden/*', '.hidden/.x', true],
    ['a//*', 'a//b', true],
    ['a/*/c', 'a//c', true],
    ['a/*/c', 'a/../c', true],
    ['./*', './x', true],
    ['*', './x', false],
    ['**/x', '../x', true],
    ['a*c', 'a\nc', true],
    ['a/**/c', 'a/b\nb/c', true],
    ['*', 'x\n', true],
    ['x', 'x\n', false],
    ['a  ;%+*', "a  ;%+'", true],
  ])('%j against %j: %j', (glob, key, expected) => {
    expect(compileGlob(glob).test(key)).toBe(expected)
  })
})

describe('captures', () => {
  it.each([
    ['exports/(*)/*.csv', 'exports/orders/1.csv', { 1: 'orders' }],
    ['(?<table>*)_{2024,2025}.csv', 'sales_2025.csv', { 1: 'sales', table: 'sales' }],
    ['(*)-(*).csv', 'a-b-c.csv', { 1: 'a-b', 2: 'c' }],
    ['{(a)x,(b)y}', 'by', { 1: undefined, 2: 'b' }],
  ])('%j against %j', (glob, key, expected) => {
    expect(compileGlob(glob).match(key)).toEqual(expected)
  })

  it('tells the groups before anything is matched', () => {
    expect(compileGlob('(?<a>*)/(*)').groups).toEqual(['1', 'a', '2'])
  })
})

describe('what a listing can use', () => {
  it.each([
    ['a/b/*.csv', 'a/b/', 'a/b/', true],
    ['a/b/x*.csv', 'a/b/x', 'a/b/', true],
    ['a/*/x.csv', 'a/', 'a/', false],
    ['a/**', 'a/', 'a/', false],
    ['a/{b,c/d}', 'a/', 'a/', false],
    ['a/\\*b/(*).csv', 'a/*b/', 'a/*b/', true],
    ['*', '', '', true],
    ['a/b.csv', 'a/b.csv', 'a/', true],
  ])('%j: prefix %j, folder %j, one level %j', (source, prefix, folder, oneLevel) => {
    expect(compileGlob(source)).toMatchObject({ prefix, folder, oneLevel })
  })
})

describe('what can not be read', () => {
  it.each([
    ['a**b', 'whole segment'],
    ['a/**.csv', 'whole segment'],
    ['***', 'whole segment'],
    ['(**)/x', 'captured'],
    ['{**,a}', 'whole segment'],
    ['a{b', '"{" is not closed'],
    ['a{b}', 'no comma'],
    ['a}', 'closes nothing'],
    ['a)', 'closes nothing'],
    ['(a', '"(" is not closed'],
    ['[a', '"[" is not closed'],
    ['[', '"[" is not closed'],
    ['[b-a]', 'runs backwards'],
    ['[[:alpha:]]', 'named sets'],
    ['a\\', 'escapes nothing'],
    ['(?<x>*)/(?<x>*)', 'two groups'],
  ])('%j: %s', (glob, problem) => {
    expect(() => compileGlob(glob)).toThrow(problem)
  })
})

// A glob as a tree, its text, and a matcher that walks the tree: nothing shared with the code under test.
type Node =
  | { type: 'text'; text: string }
  | { type: 'star' }
  | { type: 'one' }
  | { type: 'set'; members: string[]; negated: boolean }
  | { type: 'either'; parts: Node[][] }
  | { type: 'group'; nodes: Node[] }
  | { type: 'segments' }
  | { type: 'rest' }

const escaped = (text: string) =>
  [...text].map((character) => character.replace(/[\\*?[\]{}(),]/, '\\$&')).join('')

const textOf = (nodes: readonly Node[]): string =>
  nodes
    .map((node) => {
      switch (node.type) {
        case 'text':
          return escaped(node.text)
        case 'star':
          return '*'
        case 'one':
          return '?'
        case 'set':
          return `[${node.negated ? '!' : ''}${node.members.map((member) => `\\${member}`).join('')}]`
        case 'either':
          return `{${node.parts.map(textOf).join(',')}}`
        case 'group':
          return `(${textOf(node.nodes)})`
        case 'segments':
          return '**/'
        default:
          return '**'
      }
    })
    .join('')

/** Positions that can be reached from these positions. */
const reach = (node: Node, key: readonly string[], from: ReadonlySet<number>): Set<number> => {
  const reached = new Set<number>()
  const step = (accepts: (character: string) => boolean, at: number) => {
    const character = key[at]
    if (character !== undefined && character !== '/' && accepts(character)) reached.add(at + 1)
  }
  for (const at of from) {
    if (node.type === 'text') {
      const characters = [...node.text]
      if (characters.every((character, index) => key[at + index] === character))
        reached.add(at + characters.length)
    } else if (node.type === 'star') {
      for (let end = at; end <= key.length; end++) {
        reached.add(end)
        if (key[end] === '/') break
      }
    } else if (node.type === 'one') step(() => true, at)
    else if (node.type === 'set') step((character) => node.members.includes(character) !== node.negated, at)
    else if (node.type === 'segments') {
      reached.add(at)
      for (let end = at; end < key.length; end++) if (key[end] === '/') reached.add(end + 1)
    } else if (node.type === 'rest') reached.add(key.length)
    else
      for (const nodes of node.type === 'either' ? node.parts : [node.nodes])
        for (const end of walk(nodes, key, new Set([at]))) reached.add(end)
  }
  return reached
}

const walk = (
  nodes: readonly Node[],
  key: readonly string[],
  from: ReadonlySet<number>,
): ReadonlySet<number> =>
  nodes.reduce<ReadonlySet<number>>((positions, node) => reach(node, key, positions), from)

const bruteForce = (nodes: readonly Node[], key: string): boolean => {
  const characters = [...key]
  return walk(nodes, characters, new Set([0])).has(characters.length)
}

const alphabet = ['a', 'a', 'b', 'b', '/', '/', '.', '*', '\n', '😀', '\\', '-', ',', '(', ']', '!', '^']
const keys = fc.array(fc.constantFrom(...alphabet), { maxLength: 9 }).map((characters) => characters.join(''))
const letters = fc.constantFrom(...alphabet.filter((character) => character !== '/'))

/** Two stars in a row would be another token, and mean the same as one. */
const oneStar = (nodes: readonly Node[]): Node[] =>
  nodes.filter((node, index) => node.type !== 'star' || nodes[index - 1]?.type !== 'star')

const inSegment: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    letters.map((text): Node => ({ type: 'text', text })),
    fc.constant<Node>({ type: 'star' }),
    fc.constant<Node>({ type: 'one' }),
    fc.record({
      type: fc.constant('set' as const),
      members: fc.array(letters, { minLength: 1, maxLength: 3 }),
      negated: fc.boolean(),
    }),
    fc
      .array(
        fc.array(fc.oneof(tie('node'), fc.constant<Node>({ type: 'text', text: '/' })), { maxLength: 3 }),
        {
          minLength: 2,
          maxLength: 3,
        },
      )
      .map((parts): Node => ({ type: 'either', parts: parts.map(oneStar) })),
    fc.array(tie('node'), { maxLength: 3 }).map((nodes): Node => ({ type: 'group', nodes: oneStar(nodes) })),
  ),
})).node

const globs: fc.Arbitrary<Node[]> = fc
  .array(fc.oneof(fc.constant('segments' as const), fc.array(inSegment, { maxLength: 4 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((segments) =>
    segments.flatMap((segment, index): Node[] => {
      const last = index === segments.length - 1
      if (segment === 'segments') return [{ type: last ? 'rest' : 'segments' }]
      return last ? oneStar(segment) : [...oneStar(segment), { type: 'text', text: '/' }]
    }),
  )

describe('against a matcher that tries everything', () => {
  it('matches the same keys', () => {
    fc.assert(
      fc.property(globs, fc.array(keys, { minLength: 5, maxLength: 20 }), (nodes, candidates) => {
        const glob = compileGlob(textOf(nodes))
        for (const key of candidates) expect([key, glob.test(key)]).toEqual([key, bruteForce(nodes, key)])
      }),
      { numRuns: 1000 },
    )
  })

  it('matches only keys with its prefix, and of one level where it says so', () => {
    fc.assert(
      fc.property(globs, fc.array(keys, { minLength: 5, maxLength: 20 }), (nodes, candidates) => {
        const { prefix, folder, oneLevel, test } = compileGlob(textOf(nodes))
        expect(prefix.startsWith(folder)).toBe(true)
        for (const key of candidates.flatMap((candidate) => [candidate, prefix + candidate])) {
          if (!test(key)) continue
          expect(key.startsWith(prefix)).toBe(true)
          if (oneLevel) expect(key.slice(prefix.length)).not.toContain('/')
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('matches an escaped key alone', () => {
    const anyKey = fc.string({ unit: 'binary', minLength: 1 })
    fc.assert(
      fc.property(anyKey, anyKey, (key, other) => {
        const glob = compileGlob(escaped(key))
        expect(glob).toMatchObject({ prefix: key, groups: [] })
        expect(glob.test(key)).toBe(true)
        expect(glob.test(other)).toBe(other === key)
      }),
    )
  })
})
