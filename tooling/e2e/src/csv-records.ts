import { expect } from 'vitest'
import type { TypedRow } from './typed-rows.ts'

type WrittenTexts = Partial<Record<'emptyValue' | 'dateFormat' | 'timestampFormat', string | undefined>>

/** A row as a file has it: texts in the formats that were asked for, and what is the empty value is an empty text. */
const asWritten = (row: TypedRow, { emptyValue, dateFormat, timestampFormat }: WrittenTexts) => {
  const text = <Text extends string | null>(value: Text) => (value === emptyValue ? '' : value)
  const timestamp = (value: string | null) => {
    if (value === null || timestampFormat === undefined) return value
    const [whole = '', fraction = ''] = value.replace('Z', '').replace('T', ' ').split('.')
    const [day = '', time = ''] = whole.split(' ')
    return `${day.replaceAll('-', '/')} ${time.replaceAll(':', '-')}.${fraction.padEnd(6, '0')}`
  }
  return {
    ...row,
    t: text(row.t),
    u: text(row.u),
    day: dateFormat === undefined || row.day === null ? row.day : row.day.split('-').reverse().join('.'),
    z: timestamp(row.z),
    w: timestamp(row.w),
  }
}

/** Compares the fields of a file with the rows that were exported; texts, nested values as JSON. */
export const expectRecords = (
  records: readonly (readonly (string | null)[])[],
  given: readonly TypedRow[],
  options: WrittenTexts,
): void => {
  expect(records).toHaveLength(given.length)
  for (const [index, typed] of given.entries()) {
    const row = asWritten(typed, options)
    const [id, n, t = null, u = null, d, day, z, w, yes, f, l, s] = records[index] ?? []
    const { emptyValue } = options
    const texts = [t, u].map((value) => (value === emptyValue ? '' : value))
    const { n: number, d: digits, day: date, z: instant, w: wall } = row
    expect([id, n, ...texts, d, day, z, w]).toEqual([
      String(index),
      number,
      row.t,
      row.u,
      digits,
      date,
      instant,
      wall,
    ])
    expect(yes ?? null).toBe(row.yes === null ? null : String(row.yes))
    expect(Number(f)).toBe(row.f)
    expect(l === null ? null : JSON.parse(l ?? '')).toEqual(row.l)
    expect(s === null ? null : JSON.parse(s ?? '')).toEqual(row.s)
  }
}
