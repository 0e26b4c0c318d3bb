import { ConnectorError, describeIssue, issueText } from '@penstock/core'
import type { z } from 'zod'
import { type FieldPath, type ProjectDocument, unknownField } from './document.ts'
import { hasReference } from './references.ts'
import { fieldNamesAt, fieldOfSchema } from './schema-path.ts'

/** Names the object at a path for people, and the fields that it may have. */
export type DescribeObject = (path: FieldPath) => { subject: string; known: readonly string[] }

/**
 * Throws the issues of a schema as one `config` error with lines and columns; the first gives place and hint.
 * `base` is the path of what was validated inside the file.
 */
export const throwIssues = (
  document: ProjectDocument,
  base: FieldPath,
  issues: readonly z.core.$ZodIssue[],
  describe: DescribeObject,
): never => {
  // An unknown field first: when it is a misspelling, it explains why another one is missing.
  const sorted = [...issues].sort((a, b) => rank(a) - rank(b))
  const errors = sorted.flatMap((issue) => issueErrors(document, base, issue, describe))
  const [first, ...others] = errors
  if (!first) throw new ConnectorError('internal', 'A schema failed without an issue.')
  if (others.length === 0) throw first
  throw new ConnectorError('config', errors.map((error) => error.message).join('\n'), {
    code: first.code ?? 'InvalidProject',
    ...(first.place ? { place: first.place } : {}),
    ...(first.hint ? { hint: first.hint } : {}),
  })
}

const rank = (issue: z.core.$ZodIssue): number => (issue.code === 'unrecognized_keys' ? 0 : 1)

const issueErrors = (
  document: ProjectDocument,
  base: FieldPath,
  issue: z.core.$ZodIssue,
  describe: DescribeObject,
): ConnectorError[] => {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  if (issue.code === 'unrecognized_keys') {
    const { subject, known } = describe(path)
    return issue.keys.map((key) => unknownField(document, [...path, key], known, subject))
  }
  if (issue.code === 'invalid_key')
    return [
      document.problem(path, `The name "${String(issue.path.at(-1))}" ${keyIssue(issue)}.`, { at: 'key' }),
    ]
  const field = path.length === 0 ? 'The file' : path.join('.')
  return [document.problem(path, `${issueText(field, issue)}.`)]
}

const keyIssue = (issue: z.core.$ZodIssueInvalidElement | z.core.$ZodIssueInvalidKey): string => {
  const inner = issue.issues[0]
  return inner ? describeIssue(inner) : 'is not allowed'
}

/**
 * Checks fields of the file against a schema, as far as that goes without resolving references. Unknown ones are
 * refused, also where the schema would drop them: a file must not hold a field that does nothing.
 */
export const checkFields = (
  document: ProjectDocument,
  path: FieldPath,
  schema: z.ZodType,
  input: Readonly<Record<string, unknown>>,
  subject: string,
): void => {
  for (const name of Object.keys(input)) {
    const field = fieldOfSchema(schema, name, 'input')
    if (field.is === 'missing') throw unknownField(document, [...path, name], field.known, subject)
  }
  const result = schema.safeParse(input)
  if (result.success) return
  const issues = withoutReferences(result.error.issues, input)
  if (issues.length === 0) return
  throwIssues(document, path, issues, (at) => {
    const inside = at.slice(path.length)
    return { subject: inside.length === 0 ? subject : at.join('.'), known: fieldNamesAt(schema, inside) }
  })
}

/** Issues that don't only come from a reference, whose value is known at use and not before. */
export const withoutReferences = (
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
): readonly z.core.$ZodIssue[] =>
  issues.filter((issue) => {
    if (issue.code === 'unrecognized_keys') return true
    let value = input
    for (const part of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[part]
    return !hasReference(value)
  })

/** An error of a reference, with the place of the field that holds it. Other errors stay as they are. */
export const rethrown = (document: ProjectDocument, path: FieldPath, error: unknown): unknown => {
  if (!ConnectorError.isInstance(error)) return error
  return document.problem(path, error.message, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.code === undefined ? {} : { code: error.code }),
  })
}
