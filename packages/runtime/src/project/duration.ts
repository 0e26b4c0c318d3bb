import { z } from 'zod'

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Reads a duration such as `30s`, `15m`, `2h` or `1d` as milliseconds; undefined when it is none. */
const parseDuration = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim())
  const milliseconds = Math.round(Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN))
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined
}

/** Schema of a duration: a text such as `15m`. Output: milliseconds. */
export const duration = () =>
  z.string().transform((value, context) => {
    const milliseconds = parseDuration(value)
    if (milliseconds !== undefined) return milliseconds
    context.addIssue({ code: 'custom', message: 'must be a duration such as 30s, 15m, 2h or 1d' })
    return z.NEVER
  })
