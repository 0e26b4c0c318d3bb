import { expect, test } from 'vitest'
import type { RequestInfo } from '../types.ts'
import { changedBody, createFaults, type FaultCondition } from './faults.ts'

const get: RequestInfo = {
  service: 's3',
  operation: 'GetObject',
  method: 'GET',
  bucket: 'b',
  key: 'logs/2025/a.csv',
  range: { start: 100, end: 199 },
  sequence: 1,
}

const fault = { kind: 'slow-down' } as const

test.each<[FaultCondition, boolean]>([
  [{}, true],
  [{ service: 's3', operation: 'GetObject', method: 'get', bucket: 'b' }, true],
  [{ operation: ['HeadObject', 'GetObject'] }, true],
  [{ operation: ['HeadObject'] }, false],
  [{ service: 'sts' }, false],
  [{ method: 'PUT' }, false],
  [{ bucket: 'b*' }, true],
  [{ bucket: 'c' }, false],
  [{ key: 'logs/*.csv' }, true],
  [{ key: 'logs/' }, false],
  [{ key: /2025.*csv$/ }, true],
  [{ key: /2024/g }, false],
  [{ minRangeStart: 100 }, true],
  [{ minRangeStart: 101 }, false],
])('%j matches: %s', (when, matches) => {
  const faults = createFaults()
  faults.add({ when, fault })
  expect(faults.match(get)).toEqual(matches ? [fault] : [])
})

test('a global regular expression matches every time', () => {
  const faults = createFaults()
  faults.add({ when: { key: /csv/g }, fault })
  expect([faults.match(get), faults.match(get), faults.match(get)].map(({ length }) => length)).toEqual([
    1, 1, 1,
  ])
})

test('a whole-object request has no range start, and a bucket request no key', () => {
  const { range: _, ...whole } = get
  const { key: __, ...listing } = get
  const faults = createFaults()
  faults.add({ when: { minRangeStart: 0 }, fault })
  faults.add({ when: { key: '*' }, fault })
  expect(faults.match(whole)).toHaveLength(1)
  expect(faults.match(listing)).toHaveLength(1)
})

test('skip lets the first matches pass, times limits the rest, list counts both', () => {
  const faults = createFaults()
  faults.add({ skip: 1, times: 2, fault })
  expect(Array.from({ length: 5 }, () => faults.match(get).length)).toEqual([0, 1, 1, 0, 0])
  expect(faults.match({ ...get, key: 'other' })).toEqual([])
  expect(faults.list()).toMatchObject([{ matched: 6, applied: 2 }])
})

test('several rules apply together; removers and clear take them away', () => {
  const faults = createFaults()
  const remove = faults.add({ fault })
  faults.add({ fault: { kind: 'latency', ms: 1 } })
  expect(faults.match(get)).toHaveLength(2)
  remove()
  remove()
  expect(faults.match(get)).toEqual([{ kind: 'latency', ms: 1 }])
  faults.clear()
  expect(faults.match(get)).toEqual([])
})

test('probability draws the same requests for the same seed, and about that share', () => {
  const draw = (seed: number) => {
    const faults = createFaults()
    faults.add({ probability: 0.25, seed, fault })
    return Array.from({ length: 2000 }, () => faults.match(get).length)
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  const share = draw(7).reduce((sum, hit) => sum + hit, 0) / 2000
  expect(share).toBeGreaterThan(0.2)
  expect(share).toBeLessThan(0.3)
})

test('probability 0 never and 1 always applies', () => {
  const faults = createFaults()
  faults.add({ probability: 0, fault })
  faults.add({ probability: 1, fault })
  expect(Array.from({ length: 50 }, () => faults.match(get).length).every((count) => count === 1)).toBe(true)
})

test('numbers that make no sense are refused when the rule is added', () => {
  const faults = createFaults()
  expect(() => faults.add({ times: -1, fault })).toThrow(RangeError)
  expect(() => faults.add({ skip: 0.5, fault })).toThrow('skip must be a whole number')
  expect(() => faults.add({ probability: 2, fault })).toThrow(RangeError)
  expect(() => faults.add({ fault: { kind: 'truncate-body', afterBytes: -1 } })).toThrow(RangeError)
  expect(() => faults.add({ fault: { kind: 'corrupt-body', atByte: 1.5 } })).toThrow(RangeError)
  expect(() => faults.add({ fault: { kind: 'slow-drip', bytesPerSecond: 0 } })).toThrow(RangeError)
  expect(faults.list()).toEqual([])
})

test('change-object gives a new body, and never touches the one that it got', () => {
  const body = Buffer.from('abc')
  const mutate = (copy: Buffer) => copy.fill('x')
  expect(changedBody([fault], body)).toBeUndefined()
  expect(changedBody([{ kind: 'change-object' }], body)?.toString()).toBe('abc\n')
  expect(changedBody([{ kind: 'change-object', body: 'new' }], body)?.toString()).toBe('new')
  expect(changedBody([{ kind: 'change-object', mutate }], body)?.toString()).toBe('xxx')
  expect(body.toString()).toBe('abc')
})
