import { templateError } from './parse.ts'

const digits = (value: number, length: number): string => String(value).padStart(length, '0')

/** Parts of a time in UTC, zero-padded. */
export const timeParts = (time: Date) => ({
  year: digits(time.getUTCFullYear(), 4),
  month: digits(time.getUTCMonth() + 1, 2),
  day: digits(time.getUTCDate(), 2),
  hour: digits(time.getUTCHours(), 2),
  minute: digits(time.getUTCMinutes(), 2),
  second: digits(time.getUTCSeconds(), 2),
})

/** `2025_04_14_11_23_45`, or with another separator. */
export const dateTime = (time: Date, separator = '_'): string =>
  Object.values(timeParts(time)).join(separator)

/** `2025-04-14T11:23:45Z`: to the second, as in the manifest. */
export const isoDateTime = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`

const letters: Readonly<Record<string, (time: Date) => string>> = {
  YYYY: (time) => timeParts(time).year,
  YY: (time) => timeParts(time).year.slice(-2),
  MM: (time) => timeParts(time).month,
  dd: (time) => timeParts(time).day,
  HH: (time) => timeParts(time).hour,
  mm: (time) => timeParts(time).minute,
  ss: (time) => timeParts(time).second,
  SSS: (time) => digits(time.getUTCMilliseconds(), 3),
}
const aliases: Readonly<Record<string, string>> = { yyyy: 'YYYY', yy: 'YY' }

const token = /'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z'])/gy

export const defaultDatePattern = 'YYYYMMdd_HHmmss'

/**
 * Compiles a date pattern such as `YYYYMMdd_HHmmss`: the letters of a Java pattern that make sense in names, text in
 * apostrophes. Throws a `config` error with the position in the template for any other letter.
 */
export const compileDatePattern = (
  pattern: string,
  where: { readonly subject: string; readonly source: string; readonly at: number },
): ((time: Date) => string) => {
  const parts: ((time: Date) => string)[] = []
  token.lastIndex = 0
  while (token.lastIndex < pattern.length) {
    const start = token.lastIndex
    const found = token.exec(pattern)
    const [, quoted, run, , other] = found ?? []
    const part = run === undefined ? undefined : letters[aliases[run] ?? run]
    if (part) parts.push(part)
    else if (run === undefined && found) parts.push(() => quoted ?? other ?? '')
    else
      throw templateError(
        where.subject,
        where.source,
        where.at + start,
        `the date pattern has ${JSON.stringify(run ?? pattern.slice(start))}, which it does not know`,
        `Known: ${Object.keys(letters).join(', ')}; text stands in apostrophes: YYYY-MM-dd'T'HHmmss.`,
      )
  }
  return (time) => parts.map((part) => part(time)).join('')
}
