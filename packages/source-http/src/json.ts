const marker = Symbol('exact number')

/** A JSON number that JavaScript's numbers can't hold, with its digits. */
interface ExactNumber {
  readonly [marker]: true
  readonly source: string
  readonly value: number | bigint
}

/** `JSON.parse` whose reviver also gets the text of a number (ECMAScript 2026, Node 22). */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown

/** Parses JSON without losing a digit: numbers that would be rounded, or lose their spelling, keep their text. */
export const parseJson = (text: string): unknown =>
  parseWith(text, (_, value, { source }) => {
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value
    const isInteger = /^-?\d+$/.test(source)
    return { [marker]: true, source, value: isInteger ? BigInt(source) : value } satisfies ExactNumber
  })

/** Text and value of a number that {@link parseJson} gave; undefined for what is no number. */
export const exactNumber = (value: unknown): { source: string; value: number | bigint } | undefined => {
  if (typeof value === 'number') return { source: String(value), value }
  if (typeof value === 'object' && value !== null && marker in value) return value as ExactNumber
  return undefined
}

/** Text that `JSON.stringify` writes as it is (ECMAScript 2026, Node 22). */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }

/** What stands at a path of names with dots, also behind positions in lists: `data.0.items`. */
export const atPath = (value: unknown, path: string | undefined): unknown => {
  if (path === undefined || path === '') return value
  let current = value
  for (const name of path.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined
    current = (current as Readonly<Record<string, unknown>>)[name]
  }
  return current
}

/** A part of a parsed answer as values that `JSON.stringify` writes with every digit, for columns that hold JSON. */
export const plainJson = (value: unknown): unknown => {
  const number = exactNumber(value)
  if (number) return typeof value === 'number' ? value : rawJson(number.source)
  if (Array.isArray(value)) return value.map(plainJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainJson(item)]))
}
