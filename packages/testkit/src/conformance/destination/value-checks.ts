import type { AnyDestination, LogicalType } from '@penstock/core'
import { canonical, fail, show } from '../expectations.ts'
import type { Check, CheckContext } from '../suite.ts'
import type { DestinationOptions } from './options.ts'
import { testStream } from './stream.ts'
import { write } from './writing.ts'

/** A value, and whether what the other side shows is it: places differ in how they write the same value. */
interface Sample {
  readonly type: LogicalType
  readonly value: unknown
  readonly is: (found: unknown) => boolean
}

const float = (value: number, type: 'float' | 'double' = 'double'): Sample => ({
  type: { type },
  value: type === 'float' ? Math.fround(value) : value,
  is: (found) => {
    const number = numberOf(String(found))
    return Object.is(
      type === 'float' ? Math.fround(number) : number,
      type === 'float' ? Math.fround(value) : value,
    )
  },
})

const numberOf = (text: string): number => {
  const word = /^([+-]?)(nan|inf|infinity)$/i.exec(text.trim())
  if (!word) return text.trim() === '' ? Number.NEGATIVE_INFINITY : Number(text)
  const size = /nan/i.test(word[2] ?? '') ? Number.NaN : Number.POSITIVE_INFINITY
  return word[1] === '-' ? -size : size
}

const bytes = Uint8Array.from([0, 255, 92, 34, 10, 44, 39])

/** Hex with or without a mark, or base64. */
const isBytes = (found: unknown): boolean => {
  const text = String(found)
  const buffer = Buffer.from(bytes)
  return (
    text.replace(/^(\\x|0x)/i, '').toLowerCase() === buffer.toString('hex') ||
    text === buffer.toString('base64')
  )
}

/** Microseconds since 1970 of a text with a zone; undefined for one without. */
const instantOf = (text: string): bigint | undefined => {
  const match =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)$/.exec(text)
  if (!match) return undefined
  const [, day, time, fraction = '', zone = 'Z'] = match
  const offset = /^[A-Z]/.test(zone) ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`
  return BigInt(Date.parse(`${day}T${time}${offset}`)) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

const instant = (value: string): Sample => ({
  type: { type: 'timestamp', unit: 'us', zoned: true },
  value,
  is: (found) => instantOf(String(found)) === instantOf(value),
})

const time = (value: string): Sample => ({
  type: { type: 'time' },
  value,
  is: (found) =>
    String(found)
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '') === value,
})

const uuid = '6f1d5a52-9f0e-4d0c-8d57-2b7f5b7c3c01'
const document = { list: ['x', null, ''], quoted: `"q", it's \\ 🚰`, inner: { deep: 'y' } }

/** The document itself, or its text. A text within the text is another value. */
const isDocument = (found: unknown): boolean => {
  try {
    return canonical(typeof found === 'string' ? JSON.parse(found) : found) === canonical(document)
  } catch {
    return false
  }
}

const groups: readonly {
  readonly id: string
  readonly title: string
  readonly samples: Readonly<Record<string, Sample>>
}[] = [
  {
    id: 'floats',
    title: 'Floating-point numbers keep every bit',
    samples: {
      tenth: float(0.1),
      third: float(1 / 3),
      huge: float(1.7976931348623157e308),
      tiny: float(2.2250738585072014e-308),
      negative: float(-2.5),
      single: float(0.1, 'float'),
    },
  },
  {
    id: 'not-finite',
    title: 'NaN and the infinities are no null and no number',
    samples: {
      nan: float(Number.NaN),
      above: float(Number.POSITIVE_INFINITY),
      below: float(Number.NEGATIVE_INFINITY, 'float'),
    },
  },
  {
    id: 'times',
    title: 'Times of day and instants keep their microseconds, and instants their moment',
    samples: {
      clock: time('23:59:59.123456'),
      midnight: time('00:00:00'),
      moment: instant('2026-02-28T23:59:59.123456Z'),
      old: instant('1969-12-31T23:59:59.999999Z'),
    },
  },
  {
    id: 'bytes',
    title: 'Bytes arrive as they are',
    samples: { raw: { type: { type: 'binary' }, value: bytes, is: isBytes } },
  },
  {
    id: 'documents',
    title: 'UUIDs and JSON documents arrive as what they are',
    samples: {
      identity: { type: { type: 'uuid' }, value: uuid, is: (found) => String(found).toLowerCase() === uuid },
      json: { type: { type: 'json' }, value: JSON.stringify(document), is: isDocument },
    },
  },
]

/** Values of types beyond numbers and texts. What a place has no form for is skipped by its fixture, with the reason. */
export const valueChecks = (connector: AnyDestination, options: DestinationOptions): Check[] =>
  groups.map(({ id, title, samples }) => ({
    id: `write/${id}`,
    title,
    run: async ({ signal }: CheckContext) => {
      await options.clear()
      const of = (pick: (sample: Sample) => unknown) =>
        Object.fromEntries(Object.entries(samples).map(([name, sample]) => [name, pick(sample)]))
      const stream = testStream({
        name: 'orders',
        rows: [
          { id: 1, ...of(({ value }) => value) },
          { id: 2, ...of(() => null) },
        ],
        types: of(({ type }) => type) as Readonly<Record<string, LogicalType>>,
        key: ['id'],
      })
      const [mode = 'append'] = connector.capabilities.modes
      await write(connector, options, { streams: [stream], mode, commit: id, signal })
      const rows = await options.read('orders')
      const [first, second] = ['1', '2'].map((key) => rows.find((row) => String(row.id) === key))
      if (!first || !second || rows.length !== 2)
        return fail(`The other side has ${show(rows)}, not the two rows.`)
      for (const [name, sample] of Object.entries(samples)) {
        if (first[name] === null || first[name] === undefined || !sample.is(first[name]))
          fail(`${show(sample.value)} (${sample.type.type}) became ${show(first[name])}.`)
        if (second[name] !== null && second[name] !== undefined)
          fail(`A null (${sample.type.type}) became ${show(second[name])}.`)
      }
    },
  }))
