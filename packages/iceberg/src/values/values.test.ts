import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PrimitiveType } from '../types.ts'
import { decodeBound } from './bounds.ts'
import { initialDefault } from './default.ts'
import {
  bigEndianInteger,
  compareValues,
  minimalBigEndian,
  uuidFromText,
  uuidToText,
  type Value,
} from './value.ts'

const decimal: PrimitiveType = { type: 'decimal', precision: 9, scale: 2 }

test('texts are in the order of their UTF-8 bytes, not of their UTF-16 units', () => {
  expect(compareValues('\uffff', '😀')).toBeLessThan(0)
  const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed())
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareValues(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('unscaled decimals are exact, in the fewest bytes', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 38n), 10n ** 38n), (value) => {
      expect(bigEndianInteger(minimalBigEndian(value))).toBe(value)
    }),
  )
  const lengths = [0n, 127n, 128n, -128n, -129n, 1n << 63n].map((value) => minimalBigEndian(value).length)
  expect(lengths).toEqual([1, 1, 2, 1, 2, 9])
})

test('a uuid is the same in any spelling', () => {
  const bytes = uuidFromText('F79C3E09-677C-4BBD-A479-3F349CB785E7')
  expect(bytes && uuidToText(bytes)).toBe('f79c3e09-677c-4bbd-a479-3f349cb785e7')
  expect(uuidFromText('f79c3e09677c4bbda4793f349cb785e')).toBeUndefined()
})

describe('bounds', () => {
  test.each<[PrimitiveType, number[], Value | undefined]>([
    [{ type: 'boolean' }, [1], true],
    [{ type: 'int' }, [0xfe, 0xff, 0xff, 0xff], -2n],
    [{ type: 'date' }, [1, 0, 0, 0], 1n],
    [{ type: 'long' }, [1, 0, 0, 0, 0, 0, 0, 0x80], -(2n ** 63n) + 1n],
    [{ type: 'long' }, [0xfe, 0xff, 0xff, 0xff], -2n],
    [{ type: 'double' }, [0, 0, 0xc0, 0x3f], 1.5],
    [{ type: 'double' }, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5],
    [{ type: 'float' }, [0, 0, 0xc0, 0x7f], undefined],
    [{ type: 'timestamp' }, [0xff, 0xff, 0xff, 0xff], -86_400_000_000n],
    [{ type: 'timestamp_ns' }, [1, 0, 0, 0], 86_400_000_000_000n],
    [{ type: 'timestamptz' }, [1, 0, 0, 0, 0, 0, 0, 0], 1n],
    [decimal, [0xff, 0x38], -200n],
    [decimal, [], undefined],
    [{ type: 'int' }, [1, 2], undefined],
    [{ type: 'uuid' }, [1], undefined],
  ])('of %j from %j', (type, bytes, expected) => {
    expect(decodeBound(Uint8Array.from(bytes), type, 'lower')).toEqual(expected)
  })

  test('of texts that were cut within a character bound from below alone', () => {
    const cut = Buffer.from('ab😀').subarray(0, 4)
    expect(decodeBound(cut, { type: 'string' }, 'lower')).toBe('ab')
    expect(decodeBound(cut, { type: 'string' }, 'upper')).toBeUndefined()
    expect(decodeBound(Buffer.from('é'), { type: 'string' }, 'upper')).toBe('é')
  })
})

describe('initial defaults', () => {
  test.each<[PrimitiveType, unknown, unknown]>([
    [{ type: 'boolean' }, false, false],
    [{ type: 'int' }, 7, 7n],
    [{ type: 'long' }, 9007199254740993n, 9007199254740993n],
    [{ type: 'double' }, 1, 1],
    [decimal, '14.20', 1420n],
    [decimal, '-0.05', -5n],
    [decimal, '3', 300n],
    [{ type: 'date' }, '1969-12-31', -1n],
    [{ type: 'time' }, '22:31:08.123456', 81_068_123_456n],
    [{ type: 'timestamp' }, '1969-12-31T23:59:59.999999', -1n],
    [{ type: 'timestamptz' }, '1970-01-01T00:00:01.5+00:00', 1_500_000n],
    [{ type: 'timestamp_ns' }, '1970-01-01T00:00:00.000000001', 1n],
    [{ type: 'string' }, "dé'fault", "dé'fault"],
    [{ type: 'uuid' }, 'F79C3E09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
    [{ type: 'binary' }, '00ff', Uint8Array.of(0, 255)],
    [{ type: 'int' }, undefined, null],
    [{ type: 'int' }, null, null],
  ])('of %j', (type, json, expected) => {
    expect(initialDefault({ id: 1, name: 'c', required: false, type, initialDefault: json })).toEqual(
      expected,
    )
  })

  test.each<[PrimitiveType, unknown]>([
    [{ type: 'int' }, 'seven'],
    [decimal, '1E+2'],
    [decimal, '1.005'],
    [{ type: 'date' }, 'yesterday'],
    [{ type: 'binary' }, '0'],
  ])('of %j that can not be understood are refused with the column named', (type, json) => {
    expect(() =>
      initialDefault({ id: 1, name: 'price', required: false, type, initialDefault: json }),
    ).toThrow('"price"')
  })
})
