/** JSON as DuckDB writes it: integers beyond 2^53 come as bigint; `NaN` and `Infinity` stand bare. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/**
 * Parses DuckDB's JSON without rounding. `JSON.parse` would round int64 and uint64, and refuses the numbers that are
 * none.
 */
export const parseJson = (text: string): Json => {
  let position = 0

  const fail = (): never => {
    throw new SyntaxError(`Unexpected JSON at ${position}: ${text.slice(position, position + 20)}`)
  }
  const skipSpace = () => {
    while (text.charCodeAt(position) <= 32) position++
  }
  const token = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) position += found.length
    return found
  }
  const readString = (): string => {
    const start = position++
    for (;;) {
      const code = text.charCodeAt(position)
      if (Number.isNaN(code)) return fail()
      position += code === 92 ? 2 : 1
      if (code === 34) return JSON.parse(text.slice(start, position)) as string
    }
  }
  const readItems = (end: string, item: () => void): void => {
    position++
    skipSpace()
    if (text[position] === end) {
      position++
      return
    }
    for (;;) {
      item()
      skipSpace()
      const next = text[position++]
      if (next === end) return
      if (next !== ',') fail()
    }
  }
  const readObject = (): Json => {
    const entries: [string, Json][] = []
    readItems('}', () => {
      skipSpace()
      const key = readString()
      skipSpace()
      if (text[position++] !== ':') fail()
      entries.push([key, readValue()])
    })
    return Object.fromEntries(entries)
  }
  const readArray = (): Json => {
    const items: Json[] = []
    readItems(']', () => items.push(readValue()))
    return items
  }
  const readValue = (): Json => {
    skipSpace()
    const first = text[position]
    if (first === '"') return readString()
    if (first === '{') return readObject()
    if (first === '[') return readArray()
    const word = token(words)
    if (word !== undefined) return values[word] ?? null
    const number = token(numbers)
    return number === undefined ? fail() : numberOf(number)
  }

  const value = readValue()
  skipSpace()
  return position === text.length ? value : fail()
}

const words = /null|true|false|NaN|-?Infinity/y
const numbers = /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const values: Readonly<Record<string, Json>> = {
  true: true,
  false: false,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

const numberOf = (text: string): number | bigint => {
  const number = Number(text)
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(number) ? BigInt(text) : number
}

/** Access to parts of a parsed document whose shape is DuckDB's matter: what is missing reads as undefined. */
export type JsonObject = { readonly [key: string]: Json }

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const objectAt = (value: Json | undefined, ...path: readonly string[]): JsonObject | undefined => {
  let current: Json | undefined = value
  for (const key of path) current = isObject(current) ? current[key] : undefined
  return isObject(current) ? current : undefined
}

export const listAt = (value: Json | undefined, key: string): readonly Json[] => {
  const found = isObject(value) ? value[key] : undefined
  return Array.isArray(found) ? (found as readonly Json[]) : []
}

export const textAt = (value: Json | undefined, key: string): string | undefined => {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'string' ? found : undefined
}
