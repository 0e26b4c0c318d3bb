import { inspect } from 'node:util'

/** Ends a check as failed. */
export const fail = (message: string): never => {
  throw new Error(message)
}

/** A value for messages, shortened. */
export const show = (value: unknown): string => {
  const text = inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY })
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

/** Text that is the same for equal values: keys in order, big integers and dates told apart from texts. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `bigint:${item}`
    if (item instanceof Uint8Array) return `bytes:${Buffer.from(item).toString('hex')}`
    if (typeof item === 'object' && item !== null && !Array.isArray(item))
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
    return item
  })

/** Fails unless both hold the same rows as often, in any order. */
export const sameRows = (
  found: readonly unknown[],
  wanted: readonly unknown[],
  names: { readonly found: string; readonly wanted: string },
): void => {
  const counts = new Map<string, number>()
  for (const row of wanted) counts.set(canonical(row), (counts.get(canonical(row)) ?? 0) + 1)
  for (const row of found) {
    const text = canonical(row)
    const left = (counts.get(text) ?? 0) - 1
    if (left < 0) fail(`${names.found} has a row that ${names.wanted} lacks, or more often: ${show(row)}.`)
    counts.set(text, left)
  }
  for (const [text, left] of counts)
    if (left > 0) fail(`${names.found} lacks a row of ${names.wanted}: ${text.slice(0, 300)}.`)
}

/** Why a comparison says nothing of some tables. */
export const notExpected = (tables: readonly string[]): string =>
  `No rows were given for ${tables.join(', ')} (expected); the other tables are as expected.`

/** A pause of the process counts as this much at most, in ms. */
const sliceMs = 20

/**
 * Waits for a promise, no longer than the limit. The limit is of the process's own time: it runs in short slices, so that
 * a machine which does not let the process run takes nothing off it.
 */
export const within = async <Result>(ms: number, what: string, promise: Promise<Result>): Promise<Result> => {
  const limit = Promise.withResolvers<never>()
  let timer: NodeJS.Timeout | undefined
  const wait = (left: number) => {
    timer = setTimeout(
      () =>
        left > sliceMs ? wait(left - sliceMs) : limit.reject(new Error(`${what} took more than ${ms} ms.`)),
      Math.min(left, sliceMs),
    )
  }
  wait(ms)
  try {
    return await Promise.race([promise, limit.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Results as one text that does not depend on their order. */
export const unordered = (results: readonly unknown[]): string => canonical(results.map(canonical).sort())

/** How long something may go on after it was cancelled, in ms. */
const cancelLimitMs = 1_000

/** Cancels what waits for an answer that never comes. Fails unless it ends soon, with an error. */
export const endsWhenCancelled = async (
  what: string,
  use: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> => {
  const controller = new AbortController()
  const ended = use(controller.signal).then(
    () => fail(`${what} succeeded although no answer came.`),
    () => undefined,
  )
  // It may end before it is cancelled: that is told below.
  ended.catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 50))
  controller.abort()
  await within(cancelLimitMs, `${what}, once cancelled,`, ended)
}
