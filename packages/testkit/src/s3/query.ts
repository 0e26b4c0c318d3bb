import { type QueryParameter, textOfBytes } from '../sigv4/encode.ts'
import { invalidArgument, S3Error } from './errors.ts'

/** The parameters of a request's query string, as text. */
export interface Query {
  has(name: string): boolean
  get(name: string): string | undefined
  names(): string[]
}

/** Throws InvalidURI for parameters that are no UTF-8. */
export function createQuery(parameters: readonly QueryParameter[]): Query {
  const values = new Map<string, string>()
  for (const { name, value } of parameters) {
    const text = textOfBytes(value)
    if (text === undefined) throw new S3Error('InvalidURI')
    if (!values.has(name)) values.set(name, text)
  }
  return {
    has: (name) => values.has(name),
    get: (name) => values.get(name),
    names: () => [...values.keys()],
  }
}

/** A whole number in a range, or the default when the parameter is absent. */
export function integerParameter(
  query: Query,
  name: string,
  { fallback, minimum, maximum }: { fallback: number; minimum: number; maximum: number },
): number {
  const text = query.get(name)
  if (text === undefined || text === '') return fallback
  if (!/^-?\d+$/.test(text)) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`)
  }
  const value = Number(text)
  if (value < minimum || value > 2_147_483_647) {
    throw invalidArgument(name, text, `Argument ${name} must be an integer between ${minimum} and 2147483647`)
  }
  return Math.min(value, maximum)
}

/** Whether names are to be percent-encoded in the answer; any value but `url` is an error. */
export function urlEncoding(query: Query): boolean {
  const type = query.get('encoding-type')
  if (type === undefined || type === '') return false
  if (type.toLowerCase() !== 'url') {
    throw invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request')
  }
  return true
}
