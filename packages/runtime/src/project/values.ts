import { ConnectorError, nearest } from '@penstock/core'
import type { z } from 'zod'
import type { FieldPath, ProjectDocument } from './document.ts'
import { referencesOf } from './references.ts'
import { fieldOfSchema } from './schema-path.ts'
import { rethrown } from './validate.ts'

/** Where a value of a run is: `steps.export.files[0].key` or `run.scheduledTime`. */
type ValuePath = readonly (string | number)[]

/** Parts of what stands between the braces. Throws a `config` error for what is none. */
const parseValuePath = (target: string): ValuePath => {
  const [root = ''] = /^[a-z]*/.exec(target) ?? []
  const path: (string | number)[] = [root]
  for (let rest = target.slice(root.length); rest !== ''; ) {
    const match = /^(?:\.([A-Za-z0-9_-]+)|\[(\d+)\]|\["([^"]+)"\])/.exec(rest)
    if (!match) throw invalid(target)
    path.push(match[2] === undefined ? (match[1] ?? match[3] ?? '') : Number(match[2]))
    rest = rest.slice(match[0].length)
  }
  const isStep = root === 'steps' && typeof path[1] === 'string'
  if (path.length < 2 || !(isStep || root === 'run')) throw invalid(target)
  return path
}

const invalid = (target: string): ConnectorError =>
  new ConnectorError('config', `\${${target}} is no reference.`, {
    code: 'InvalidReference',
    hint: `Write \${steps.ID.field}, as in \${steps.export.files[0].key}, or \${run.id}.`,
  })

/** What is known of the values of a run before it runs. */
export interface KnownValues {
  /** Outputs of the steps before this one, by id. */
  readonly steps: ReadonlyMap<string, z.ZodType>
  /** Ids of all steps of the pipeline. */
  readonly ids: readonly string[]
  readonly run: z.ZodType
}

/**
 * Checks the values that an input refers to, at any depth: the step stands before, and its output has that field, as
 * far as its schema tells. Throws `config` errors with the place of the text.
 */
export const checkValues = (
  document: ProjectDocument,
  path: FieldPath,
  input: unknown,
  known: KnownValues,
): void => {
  if (typeof input === 'string') checkText(document, path, input, known)
  if (typeof input !== 'object' || input === null) return
  for (const [name, entry] of Object.entries(input))
    checkValues(document, [...path, Array.isArray(input) ? Number(name) : name], entry, known)
}

const checkText = (document: ProjectDocument, path: FieldPath, text: string, known: KnownValues): void => {
  try {
    for (const { type, target } of referencesOf(text)) if (type === 'value') checkTarget(target, known)
  } catch (error) {
    throw rethrown(document, path, error)
  }
}

const checkTarget = (target: string, { steps, ids, run }: KnownValues): void => {
  const path = parseValuePath(target)
  const [root, id] = path
  let schema = root === 'run' ? run : steps.get(String(id))
  if (!schema) throw unknownStep(target, String(id), [...steps.keys()], ids)
  for (const [index, part] of path.entries()) {
    if (index < (root === 'run' ? 1 : 2)) continue
    const field = fieldOfSchema(schema, part, 'output')
    if (field.is === 'anything') return
    if (field.is === 'missing') throw unknownField(target, path.slice(0, index), part, field.known)
    schema = field.schema
  }
}

const unknownStep = (
  target: string,
  id: string,
  earlier: readonly string[],
  ids: readonly string[],
): ConnectorError => {
  if (ids.includes(id))
    return new ConnectorError('config', `\${${target}}: step "${id}" has not run by then.`, {
      code: 'UnknownValue',
      hint: 'A step can use the values of steps before it.',
    })
  const guess = nearest(id, earlier)
  const hint = earlier.length > 0 ? `Steps before it: ${earlier.join(', ')}.` : 'There is no step before it.'
  return new ConnectorError('config', `\${${target}}: there is no step "${id}".`, {
    code: 'UnknownValue',
    hint: guess ? `Did you mean ${guess}?` : hint,
  })
}

const unknownField = (
  target: string,
  parent: ValuePath,
  part: string | number,
  known: readonly string[],
): ConnectorError => {
  const guess = nearest(String(part), known)
  const hint = known.length > 0 ? `It has: ${known.join(', ')}.` : 'It has no fields.'
  return new ConnectorError('config', `\${${target}}: ${valueText(parent)} has no field "${part}".`, {
    code: 'UnknownValue',
    hint: guess ? `Did you mean ${guess}?` : hint,
  })
}

const valueText = (path: ValuePath): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  )

/** Values of a run under way: what steps gave, and facts of the run itself. */
export interface RunValues {
  readonly steps: ReadonlyMap<string, unknown>
  readonly run: Readonly<Record<string, unknown>>
}

/** The value that a reference means now. One that is not there is a `config` error. */
export const lookUpValue = (target: string, values: RunValues): unknown => {
  const path = parseValuePath(target)
  const isStep = path[0] === 'steps'
  if (isStep && !values.steps.has(String(path[1])))
    throw new ConnectorError(
      'config',
      `\${${target}}: step "${path[1]}" did not succeed, so it has no values.`,
      {
        code: 'UnknownValue',
        hint: 'Run this step on success of that one alone (if).',
      },
    )
  let value: unknown = isStep ? values.steps.get(String(path[1])) : values.run
  for (const [index, part] of path.entries()) {
    if (index < (isStep ? 2 : 1)) continue
    const held = typeof value === 'object' && value !== null && Object.hasOwn(value, part)
    const found: unknown = held ? (value as Record<string | number, unknown>)[part] : undefined
    if (found === undefined) throw noValue(target, path.slice(0, index), part, value)
    value = found
  }
  return value
}

const noValue = (
  target: string,
  parent: ValuePath,
  part: string | number,
  value: unknown,
): ConnectorError => {
  const what = Array.isArray(value)
    ? ` It has ${value.length === 1 ? '1 entry' : `${value.length} entries`}.`
    : ''
  const missing = typeof part === 'number' ? `entry ${part}` : `"${part}"`
  return new ConnectorError('config', `\${${target}}: ${valueText(parent)} has no ${missing}.${what}`, {
    code: 'UnknownValue',
  })
}
