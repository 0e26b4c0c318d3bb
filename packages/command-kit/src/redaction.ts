/** Texts shorter than this are not searched for: hiding every `a` would hide everything. */
const shortest = 4

const hidden = '[secret]'

/**
 * Hides known secrets in whatever goes out. The second line of defence: the first is that secrets are wrapped and
 * never put into a message.
 */
export interface Redactor {
  /** Secrets to hide from now on, in plain, URL-encoded, JSON-escaped and base64 form. */
  add(secrets: readonly string[]): void
  text(text: string): string
  /** A copy of plain data with every text redacted, keys included. */
  value(value: unknown): unknown
}

export const createRedactor = (): Redactor => {
  let forms: string[] = []
  const text = (input: string): string =>
    forms.reduce((result, form) => (result.includes(form) ? result.replaceAll(form, hidden) : result), input)
  const value = (input: unknown): unknown => {
    if (forms.length === 0) return input
    if (typeof input === 'string') return text(input)
    if (Array.isArray(input)) return input.map(value)
    if (typeof input !== 'object' || input === null || isRawNumber(input)) return input
    const json = (input as { toJSON?: unknown }).toJSON
    if (typeof json === 'function') return value(json.call(input))
    return Object.fromEntries(Object.entries(input).map(([name, entry]) => [text(name), value(entry)]))
  }
  const add = (secrets: readonly string[]) => {
    const all = secrets.filter((secret) => secret.length >= shortest).flatMap(formsOf)
    // Longest first: a form that contains another one goes as a whole.
    forms = [...new Set([...forms, ...all])].sort((a, b) => b.length - a.length)
  }
  return Object.freeze({ add, text, value })
}

/** A number with all its digits (`exactJson`): a copy of it would not be written as one. */
const isRawNumber = (value: object): boolean =>
  (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value)

const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('base64'),
]
