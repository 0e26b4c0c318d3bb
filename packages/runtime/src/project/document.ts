import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { ConnectorError, nearest } from '@penstock/core'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'

export type FieldPath = readonly (string | number)[]

/** A project file as parsed YAML, which remembers comments, order and positions. */
export interface ProjectDocument {
  readonly file: string
  /** The text that was read. */
  readonly text: string
  readonly document: Document
  /** Position of a field's value (or of its name, for `key`), counted from 1. */
  position(path: FieldPath, at?: 'key' | 'value'): { line: number; column: number } | undefined
  /** A `config` error at a field: file, line and column are in the message and in its place. */
  problem(path: FieldPath, message: string, options?: ProblemOptions): ConnectorError
}

interface ProblemOptions {
  readonly hint?: string
  readonly code?: string
  readonly at?: 'key' | 'value'
  readonly cause?: unknown
}

/** Reads a project file. A missing file is `not-found`, bad YAML a `config` error with line and column. */
export const readDocument = async (file: string): Promise<ProjectDocument> => {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT')
      throw new ConnectorError('config', `The project file ${file} can't be read (${code}).`, {
        cause: error,
      })
    throw new ConnectorError('not-found', `There is no project file ${file}.`, {
      code: 'NoProject',
      hint: 'Make one with: penstock init',
    })
  }
  return parseProjectText(text, file)
}

export const parseProjectText = (text: string, file: string): ProjectDocument => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const error = (
    position: { line: number; column: number } | undefined,
    message: string,
    options: ProblemOptions,
  ) =>
    new ConnectorError(
      'config',
      `${basename(file)}${position ? `:${position.line}:${position.column}` : ''}: ${message}`,
      {
        code: options.code ?? 'InvalidProject',
        place: { object: file, ...(position ? { line: position.line } : {}) },
        ...(options.hint === undefined ? {} : { hint: options.hint }),
        ...(options.cause === undefined ? {} : { cause: options.cause }),
      },
    )
  const first = document.errors[0]
  if (first)
    throw error(place(first.pos[0]), yamlMessage(first.code, first.message, text.slice(first.pos[0])), {})
  const position: ProjectDocument['position'] = (path, at = 'value') => {
    const offset = offsetOf(document, path, at)
    return offset === undefined ? undefined : place(offset)
  }
  return Object.freeze({
    file,
    text,
    document,
    position,
    problem: (path: FieldPath, message: string, options: ProblemOptions = {}) =>
      error(position(path, options.at) ?? nearestPosition(position, path), message, options),
  })
}

const yamlMessage = (code: string, message: string, from: string): string => {
  if (code === 'DUPLICATE_KEY') {
    const name = /^[\w.-]+(?=\s*:)/.exec(from)?.[0]
    return `${name === undefined ? 'This name' : `"${name}"`} is given twice: there can be one.`
  }
  if (code === 'TAB_AS_INDENT') return 'YAML is indented with spaces, not with tabs.'
  return `This is no valid YAML: ${message.split('\n')[0]}`
}

const offsetOf = (document: Document, path: FieldPath, at: 'key' | 'value'): number | undefined => {
  if (at === 'key' && path.length > 0) {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
    const name = path.at(-1)
    if (!isMap(parent)) return undefined
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === name)
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined
  }
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  return isNode(node) ? node.range?.[0] : undefined
}

/** A missing field has no place: the name of the object that lacks it serves. */
const nearestPosition = (
  position: ProjectDocument['position'],
  path: FieldPath,
): { line: number; column: number } | undefined => {
  for (let length = path.length; length > 0; length--) {
    const found = position(path.slice(0, length), 'key')
    if (found) return found
  }
  return position([])
}

/** Error for a field that nobody knows, with the one that was probably meant. */
export const unknownField = (
  document: ProjectDocument,
  path: FieldPath,
  known: readonly string[],
  subject: string,
): ConnectorError => {
  const name = String(path.at(-1))
  const guess = nearest(name, known)
  return document.problem(path, `Unknown field "${name}" of ${subject}.`, {
    at: 'key',
    code: 'UnknownField',
    hint: guess ? `Did you mean ${guess}?` : `Fields: ${known.join(', ')}.`,
  })
}
