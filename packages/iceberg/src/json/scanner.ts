/**
 * Reads JSON from UTF-8 bytes without making a string of all of it: parts that nobody asks for are passed over in
 * place. Integers are exact: a number where that is safe, else a bigint. https://www.rfc-editor.org/rfc/rfc8259
 */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | { [key: string]: JsonValue }

/** Bytes [start, end) of a value. */
export interface JsonSpan {
  readonly start: number
  readonly end: number
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const colon = 0x3a

const fail = (what: string, at: number): SyntaxError => new SyntaxError(`${what} at byte ${at} of the JSON`)

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const skipSpace = (bytes: Buffer, position: number): number => {
  let at = position
  while (isSpace(bytes[at])) at++
  return at
}

/** End of the string that begins with the quote at `start`. */
const stringEnd = (bytes: Buffer, start: number): number => {
  let at = start + 1
  for (;;) {
    const end = bytes.indexOf(quote, at)
    if (end < 0) throw fail('A string does not end', start)
    let escapes = 0
    while (bytes[end - 1 - escapes] === backslash) escapes++
    if (escapes % 2 === 0) return end + 1
    at = end + 1
  }
}

/** End of the value that begins at `start` (no space before it). Nesting is counted, not recursed into. */
const valueEnd = (bytes: Buffer, start: number): number => {
  let depth = 0
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === quote) at = stringEnd(bytes, at)
    else if (byte === openBrace || byte === openBracket) {
      depth++
      at++
      continue
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return at
      depth--
      at++
    } else if (byte === comma || isSpace(byte)) {
      if (depth === 0) return at
      at++
      continue
    } else {
      at++
      continue
    }
    if (depth === 0) return at
  }
  if (depth > 0) throw fail('The JSON ends within a value', start)
  return at
}

/** Members of the object that begins at `start`, with the spans of their values. */
export function* membersOf(bytes: Buffer, start: number): Generator<readonly [string, JsonSpan]> {
  let at = skipSpace(bytes, start)
  if (bytes[at] !== openBrace) throw fail('An object is missing', at)
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === closeBrace) return
  for (;;) {
    if (bytes[at] !== quote) throw fail('A member name is missing', at)
    const nameEnd = stringEnd(bytes, at)
    const name = text(bytes, { start: at, end: nameEnd })
    at = skipSpace(bytes, nameEnd)
    if (bytes[at] !== colon) throw fail('A colon is missing', at)
    const begin = skipSpace(bytes, at + 1)
    const end = valueEnd(bytes, begin)
    if (end === begin) throw fail('A value is missing', begin)
    yield [name, { start: begin, end }]
    at = skipSpace(bytes, end)
    if (bytes[at] === closeBrace) return
    if (bytes[at] !== comma) throw fail('A comma is missing', at)
    at = skipSpace(bytes, at + 1)
  }
}

/** Spans of the items of the array that begins at `start`. */
export function* itemsOf(bytes: Buffer, start: number): Generator<JsonSpan> {
  let at = skipSpace(bytes, start)
  if (bytes[at] !== openBracket) throw fail('An array is missing', at)
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === closeBracket) return
  for (;;) {
    const end = valueEnd(bytes, at)
    if (end === at) throw fail('A value is missing', at)
    yield { start: at, end }
    at = skipSpace(bytes, end)
    if (bytes[at] === closeBracket) return
    if (bytes[at] !== comma) throw fail('A comma is missing', at)
    at = skipSpace(bytes, at + 1)
  }
}

/** Anything but plain ASCII: escapes, other characters, and control characters, which only a parser refuses. */
const notPlain = /[^ -[\]-~]/

const text = (bytes: Buffer, span: JsonSpan): string => {
  const plain = bytes.toString('latin1', span.start + 1, span.end - 1)
  return notPlain.test(plain) ? (JSON.parse(decode(bytes, span)) as string) : plain
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const decode = (bytes: Buffer, { start, end }: JsonSpan): string => strict.decode(bytes.subarray(start, end))

const integer = /^-?(?:0|[1-9]\d*)$/

/** The value of a span. Texts and integers, which are nearly all of a long history, take no parser. */
export const parseSpan = (bytes: Buffer, span: JsonSpan): JsonValue => {
  if (bytes[span.start] === quote) return text(bytes, span)
  const source = bytes.toString('latin1', span.start, span.end)
  if (!integer.test(source)) return parseLosslessJson(decode(bytes, span))
  const value = Number(source)
  return Number.isSafeInteger(value) ? value : BigInt(source)
}

/** JSON with exact integers: those beyond 2^53 become bigint. Throws a SyntaxError. */
export const parseLosslessJson = (source: string): JsonValue =>
  JSON.parse(source, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' &&
    !Number.isSafeInteger(value) &&
    context?.source !== undefined &&
    integer.test(context.source)
      ? BigInt(context.source)
      : value,
  ) as JsonValue
