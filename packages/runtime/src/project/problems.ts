import {
  type AuthMethod,
  ConnectorError,
  describeIssue,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import type { z } from 'zod'
import { plainSecrets, secretHint } from './connection.ts'
import type { FieldPath } from './document.ts'
import type { ConnectionEdit } from './edit.ts'
import { isProjectName } from './names.ts'
import { withoutReferences } from './validate.ts'

type Fields = Readonly<Record<string, unknown>>

/** What is wrong with one field of a connection, for a form that shows it there. Holds no value of the field. */
export interface FieldProblem {
  /** `['auth', 'roleArn']`, `['region']`, `['name']`. */
  readonly path: FieldPath
  readonly message: string
}

/**
 * Everything that is wrong with a connection before it is saved, as far as that goes without resolving references:
 * what {@link saveConnection} would refuse, field by field.
 */
export const connectionProblems = (
  edit: Pick<ConnectionEdit, 'name' | 'connector' | 'fields' | 'auth'>,
): readonly FieldProblem[] => {
  const { name, connector, fields, auth } = edit
  const methods: readonly AuthMethod[] = connector.auth ?? []
  const { method: id, ...authFields } = auth ?? {}
  const method = methods.find((candidate) => candidate.id === id)
  return [
    ...(isProjectName(name)
      ? []
      : [
          {
            path: ['name'],
            message: 'must have 1-64 letters, digits, . _ or -, beginning with a letter or digit',
          },
        ]),
    ...partProblems(name, connector.config, fields, []),
    ...(methods.length > 0 && !method ? [{ path: ['auth', 'method'], message: 'is required' }] : []),
    ...(method ? partProblems(name, method.fields, authFields, ['auth']) : []),
  ]
}

const partProblems = (
  name: string,
  schema: z.ZodType,
  input: Fields,
  base: FieldPath,
): readonly FieldProblem[] => {
  const fields = schemaFields(schema)
  const result = schema.safeParse(input)
  const issues = result.success ? [] : withoutReferences(result.error.issues, input)
  return [
    ...secretProblems(name, fields, input, base),
    ...issues.flatMap((issue): FieldProblem[] => {
      const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => ({ path: [...path, key], message: 'is not known here' }))
      return [{ path, message: describeIssue(issue) }]
    }),
  ]
}

const secretProblems = (
  name: string,
  fields: readonly SchemaField[],
  input: Fields,
  base: FieldPath,
): readonly FieldProblem[] =>
  plainSecrets(fields, input, base).map(({ path, invalid }) => ({
    path,
    message: invalid
      ? `${invalid.message} ${invalid.hint ?? ''}`.trim()
      : `must not stand in the project file in plain text. ${secretHint(name, path)}`,
  }))

/** The problems as one `config` error, for who has no form. */
export const problemsError = (problems: readonly FieldProblem[]): ConnectorError =>
  new ConnectorError(
    'config',
    problems.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n'),
    { code: 'InvalidConfiguration' },
  )

/**
 * True for a role that has no external id yet. It is made, not chosen: whoever owns the role puts it into the trust
 * policy.
 */
export const needsExternalId = (method: AuthMethod | undefined, auth: Fields): boolean =>
  method !== undefined &&
  !auth.externalId &&
  schemaFields(method.fields).some((field) => field.name === 'externalId' && field.required)
