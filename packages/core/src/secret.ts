import { z } from 'zod'
import { schemaField } from './schema-fields.ts'

const marker = Symbol.for('penstock.Secret')

/**
 * A value that must not be shown. Printing, serialising or concatenating it gives `[secret]`;
 * only `reveal()` gives the text, so every use is visible in the code.
 */
export interface Secret {
  reveal(): string
  toString(): '[secret]'
  toJSON(): '[secret]'
}

const hidden = '[secret]' as const

/** Wraps a text as a secret. The text is held in a closure, so no inspection of the object shows it. */
export const createSecret = (text: string): Secret =>
  Object.freeze({
    reveal: () => text,
    toString: () => hidden,
    toJSON: () => hidden,
    [Symbol.for('nodejs.util.inspect.custom')]: () => hidden,
    [marker]: true,
  })

export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && marker in value

/**
 * Schema of a secret field of a configuration. Input: the text (in a project file a `${env:NAME}` or
 * `${file:path}` reference, resolved before parsing). Output: a {@link Secret}. `error`: the message when it is missing.
 */
export const secret = (options: { error?: string } = {}) =>
  z
    .string(options)
    .min(1)
    .meta({ secret: true, writeOnly: true, format: 'password' })
    .transform(createSecret)
    .meta({ secret: true })

/** True for a schema made with {@link secret}, also when it is optional or has a default. */
export const isSecretSchema = (schema: z.ZodType): boolean => schemaField('', schema).kind === 'secret'

/** Every secret text inside a value, at any depth: what an output has to be searched for. */
export const revealAll = (value: unknown): string[] => {
  if (isSecret(value)) return [value.reveal()]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(revealAll)
}
