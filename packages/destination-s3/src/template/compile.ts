import { nearest } from '@penstock/core'
import {
  dateMacro,
  dateTimeMacro,
  type FileValues,
  findMacro,
  type Macro,
  macroSpellings,
  percentNames,
} from './macros.ts'
import { type Piece, parseTemplate, templateError } from './parse.ts'
import { compileDatePattern, defaultDatePattern } from './time.ts'

/** A piece of a compiled template. */
export type Part =
  | { readonly text: string; readonly at: number }
  | { readonly macro: Macro; readonly at: number; readonly percent: boolean }

/** A template of a folder, a file name, or a whole key. */
export interface Template {
  /** What it is, for errors: `fileName`. */
  readonly subject: string
  readonly source: string
  readonly parts: readonly Part[]
}

/** Parses a template and looks its macros up. Throws a `config` error that lists the known ones. */
export const compileTemplate = (source: string, subject: string): Template => {
  const parts = parseTemplate(source, subject, percentNames).map((piece) => partOf(piece, source, subject))
  return { subject, source, parts }
}

const partOf = (piece: Piece, source: string, subject: string): Part => {
  if (piece.kind === 'text') return piece
  const { at } = piece
  const percent = piece.spelling === 'percent'
  if (percent && piece.name === dateMacro) {
    const pattern = piece.argument === '' ? undefined : piece.argument
    const where = { subject, source, at: at + dateMacro.length + 2 }
    const render = compileDatePattern(pattern ?? defaultDatePattern, where)
    return { macro: dateTimeMacro(piece.source, render), at, percent }
  }
  const macro = findMacro(piece.source)
  if (macro) return { macro, at, percent }
  throw unknownMacro(piece, source, subject)
}

const unknownMacro = (piece: Piece & { kind: 'macro' }, source: string, subject: string) => {
  const plain = piece.spelling === 'percent' ? `%${piece.name}%` : `{${piece.name}}`
  const takesNoArgument = piece.argument !== undefined && findMacro(plain) !== undefined
  const what = takesNoArgument ? `${plain} takes no argument` : `${piece.source} is no macro`
  const candidate = takesNoArgument ? plain : nearestMacro(piece)
  const guess = candidate === undefined ? '' : `Did you mean ${candidate}? `
  return templateError(subject, source, piece.at, what, `${guess}Known: ${macroSpellings.join(', ')}.`)
}

/** The nearest of the same spelling, else the one of the same words in the other spelling. */
const nearestMacro = (piece: Piece & { kind: 'macro' }): string | undefined => {
  const [open, close] = piece.spelling === 'percent' ? ['%', '%'] : ['{', '}']
  const names = (mark: string) =>
    macroSpellings.filter((spelling) => spelling.startsWith(mark)).map((spelling) => spelling.slice(1, -1))
  const same = nearest(piece.name, names(open ?? ''))
  if (same !== undefined) return `${open}${same}${close}`
  const [otherOpen, otherClose] = piece.spelling === 'percent' ? ['{', '}'] : ['%', '%']
  const other = nearest(piece.name, names(otherOpen ?? ''))
  return other === undefined ? undefined : `${otherOpen}${other}${otherClose}`
}

/** The text of a template. Throws a `config` error for a macro that has no value in this run. */
export const renderTemplate = (template: Template, values: FileValues): string =>
  template.parts.map((part) => ('text' in part ? part.text : textOf(template, part, values))).join('')

const textOf = (template: Template, part: Part & { macro: Macro }, values: FileValues): string => {
  const value = part.macro.value(values)
  if (value !== undefined && value !== '') return value
  throw missingValue(template, part)
}

export const missingValue = (template: Template, part: Part & { macro: Macro }) =>
  templateError(
    template.subject,
    template.source,
    part.at,
    `${part.macro.spelling} has no value in this run`,
    `${part.macro.missing ?? 'What it stands for is empty.'} Known: ${macroSpellings.join(', ')}.`,
  )
