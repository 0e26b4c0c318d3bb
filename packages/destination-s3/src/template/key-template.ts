import { ConnectorError } from '@penstock/core'
import { compileTemplate, missingValue, type Part, renderTemplate, type Template } from './compile.ts'
import type { FileValues, Macro } from './macros.ts'
import { templateError } from './parse.ts'

/** Default of section 4 of the connector specification. */
export const defaultFileName = '%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%'

/** Characters of a file name, its extensions included, and UTF-8 bytes of a key. */
export const maxNameLength = 255
const maxKeyBytes = 1024

/** Folder of a destination's own notes, at the top of its prefix. */
export const stateFolder = '.penstock/'

/** Either a whole key, or a folder and a file name. */
export interface TemplateTexts {
  readonly keyTemplate?: string | undefined
  readonly folder?: string | undefined
  readonly fileName?: string | undefined
}

/** Folder and name of all keys of an export, parsed and checked. */
export interface KeyTemplate {
  /** Every macro, in order. */
  readonly macros: readonly Part[]
  /** No time and no id of a run: each export writes the same names. */
  readonly isStatic: boolean
  /** Below the prefix; empty or ending with a slash. */
  folder(values: FileValues): string
  /** Key below the prefix. Throws a `config` error where it breaks a rule of keys. */
  key(values: FileValues, options: { readonly encrypted: boolean }): string
  /** Regular expression that all keys of a stream match, below the prefix. */
  pattern(values: FileValues, options: { readonly encrypted: boolean }): string
  /** Throws a `config` error for a macro that `values` has nothing for, with its position. */
  requireValues(values: FileValues, options: { readonly cursor: boolean }): void
}

/** Compiles the templates. Throws a `config` error with the position of what is wrong. */
export const compileKeyTemplate = (texts: TemplateTexts): KeyTemplate => {
  const [folder, name] = compileHalves(texts)
  if (folder) checkFolder(folder)
  checkName(name)
  const parts = [...(folder?.parts ?? []), ...name.parts]
  const scopes = new Set(parts.flatMap((part) => ('macro' in part ? [part.macro.scope] : [])))
  const numbersParts = scopes.has('part') || scopes.has('file')

  const folderText = (values: FileValues): string => {
    const text = folder ? renderTemplate(folder, values).replace(/\/$/, '') : ''
    if (folder) checkSegments(text, folder)
    return text === '' ? '' : `${text}/`
  }

  return Object.freeze<KeyTemplate>({
    macros: parts.filter((part) => 'macro' in part),
    isStatic: !['run', 'cursor', 'file'].some((scope) => scopes.has(scope as 'run')),
    folder: folderText,
    key: (values, { encrypted }) => {
      const plain = renderTemplate(name, values)
      const named = withExtension(plain, name, values.extension)
      const numbered = numbersParts ? named : withPart(named, values.part, values.extension)
      const text = encrypted ? `${numbered}.gpg` : numbered
      checkSegments(text, name)
      if (Array.from(text).length > maxNameLength)
        throw templateError(
          name.subject,
          name.source,
          1,
          `it gives the name ${JSON.stringify(text)} with ${Array.from(text).length} characters`,
          `A file name has at most ${maxNameLength} characters, its extension included.`,
        )
      return `${folderText(values)}${values.partition}${text}`
    },
    pattern: (values, { encrypted }) => {
      const plain = name.parts.map((part) => patternOf(part, values)).join('')
      const extension = escapePattern(`.${values.extension}`)
      const ended = isExtended(name, plain.endsWith(extension)) ? plain : `${plain}${extension}`
      const end = ended.endsWith(extension) ? ended.length - extension.length : ended.length
      const numbered = `${ended.slice(0, end)}(?:_\\d+)?${ended.slice(end)}`
      return `${escapePattern(folderText(values))}(?:[^/=]+=[^/]*/)*${numbered}${encrypted ? '\\.gpg' : ''}$`
    },
    requireValues: (values, { cursor }) => {
      for (const template of folder ? [folder, name] : [name])
        for (const part of template.parts) {
          if (!('macro' in part) || (part.macro.scope === 'cursor' && !cursor)) continue
          if (!part.macro.value(values)) throw missingValue(template, part)
        }
    },
  })
}

const compileHalves = ({
  keyTemplate,
  folder,
  fileName,
}: TemplateTexts): [Template | undefined, Template] => {
  if (keyTemplate === undefined)
    return [
      folder === undefined || folder === '' ? undefined : compileTemplate(folder, 'folder'),
      compileTemplate(fileName ?? defaultFileName, 'fileName'),
    ]
  const whole = compileTemplate(keyTemplate, 'keyTemplate')
  const last = whole.parts.findLastIndex((part) => 'text' in part && part.text.includes('/'))
  const split = whole.parts[last]
  if (!split || !('text' in split)) return [undefined, whole]
  const slash = split.text.lastIndexOf('/')
  const before = { text: split.text.slice(0, slash + 1), at: split.at }
  const after = { text: split.text.slice(slash + 1), at: split.at + slash + 1 }
  const rest = whole.parts.slice(last + 1)
  return [
    { ...whole, parts: [...whole.parts.slice(0, last), before] },
    { ...whole, parts: after.text === '' ? rest : [after, ...rest] },
  ]
}

/** Section 4: what a folder path may be written with. */
const folderCharacter = /[^A-Za-z0-9/!\-_.'()"^[\]+$%*]/u

/** The literal text of a folder; undefined where it is fine. For a prefix, which has no macros. */
export const folderTextProblem = (text: string): string | undefined => {
  const wrong = folderCharacter.exec(text)
  if (wrong)
    return `has ${JSON.stringify(wrong[0])}, which folder paths must not have (allowed: A-Z a-z 0-9 / ! - _ . ' ( ) " ^ [ ] + $ % *)`
  return segmentProblem(text.replace(/\/$/, ''))
}

const segmentProblem = (path: string): string | undefined => {
  if (path.startsWith('/')) return 'begins with a slash: keys do not'
  for (const segment of path.split('/')) {
    if (segment === '') return 'has an empty segment: two slashes in a row'
    if (segment === '.' || segment === '..') return `has the segment "${segment}"`
    if (`${segment}/` === stateFolder)
      return `has the segment "${segment}", where the destination keeps its notes`
  }
  return undefined
}

const checkFolder = (template: Template): void => {
  const { subject, source, parts } = template
  let segmentMacro: string | undefined
  for (const part of parts) {
    if ('macro' in part) {
      const { spelling } = part.macro
      const closes = part.percent && /^%SEGMENT_(NAME|ID)%$/.test(spelling)
      if (segmentMacro && !closes) throw notAtEnd(template, segmentMacro, part.at)
      if (closes) segmentMacro = spelling
      continue
    }
    if (segmentMacro && part.text.replaceAll('/', '') !== '') throw notAtEnd(template, segmentMacro, part.at)
    const wrong = folderCharacter.exec(part.text)
    if (wrong)
      throw templateError(
        subject,
        source,
        part.at + Array.from(part.text.slice(0, wrong.index)).length,
        `a folder path must not have ${JSON.stringify(wrong[0])}`,
        `Allowed: A-Z a-z 0-9 / ! - _ . ' ( ) " ^ [ ] + $ % * and macros.`,
      )
  }
  // Macros are never empty and never dots alone: any letter stands for them.
  checkSegments(skeleton(parts).replace(/\/$/, ''), template)
}

const skeleton = (parts: readonly Part[]): string =>
  parts.map((part) => ('text' in part ? part.text : 'x')).join('')

const notAtEnd = ({ subject, source }: Template, macro: string, at: number) =>
  templateError(
    subject,
    source,
    at,
    `${macro} has to stand at the end of the folder path`,
    `Move ${macro} behind the rest, or write {stream_name} or {stream_id}, which may stand anywhere.`,
  )

const checkSegments = (path: string, { subject, source }: Template): void => {
  const problem = segmentProblem(path)
  if (problem)
    throw templateError(subject, source, 1, `the path ${problem}`, 'Write a path such as exports/sales.')
}

const sampleTime = new Date(0)

const checkName = (template: Template): void => {
  const { subject, source, parts } = template
  const wrong = (at: number, what: string, hint: string) => templateError(subject, source, at, what, hint)
  if (parts.length === 0) throw wrong(1, 'there is no file name', `The default is ${defaultFileName}.`)
  for (const part of parts) {
    const text = 'text' in part ? part.text : sampleOf(part)
    const slash = text.search(/[/\\\p{Cc}]/u)
    if (slash !== -1)
      throw wrong(
        part.at + ('text' in part ? slash : 0),
        `a file name must not have ${JSON.stringify(text.charAt(slash))}`,
        text.charAt(slash) === '/'
          ? 'Put folders into folder, or write the whole key as keyTemplate.'
          : 'Remove it.',
      )
  }
}

const sampleOf = ({ macro }: Extract<Part, { macro: Macro }>): string =>
  macro.value({
    commitId: 'x',
    exportId: 'x',
    exportName: 'x',
    loadTime: sampleTime,
    destination: 'x',
    extension: 'x',
    stream: { id: 'x', name: 'x' },
    part: 1,
    partition: '',
  }) ?? 'x'

/** The name ends with the extension, unless the template puts it somewhere else. */
const withExtension = (name: string, template: Template, extension: string): string =>
  isExtended(template, name.endsWith(`.${extension}`)) ? name : `${name}.${extension}`

const isExtended = (template: Template, endsWithIt: boolean): boolean =>
  endsWithIt || template.parts.some((part) => 'macro' in part && part.macro.spelling === '{extension}')

/** A text as a regular expression that matches just it. */
export const escapePattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

const patternOf = (part: Part, values: FileValues): string => {
  if ('text' in part) return escapePattern(part.text)
  if (part.macro.scope === 'part') return '\\d+'
  if (part.macro.scope === 'file') return '[0-9a-f-]+'
  return escapePattern(part.macro.value(values) ?? '')
}

/** `name.csv`, `name_2.csv`, `name_3.csv`. */
const withPart = (name: string, part: number, extension: string): string => {
  if (part === 1) return name
  const end = name.endsWith(`.${extension}`) ? name.length - extension.length - 1 : name.length
  return `${name.slice(0, end)}_${part}${name.slice(end)}`
}

/** Throws a `config` error for a key that S3 would not take. */
export const checkKeyLength = (key: string): void => {
  const bytes = Buffer.byteLength(key)
  if (bytes <= maxKeyBytes) return
  throw new ConnectorError('config', `The key ${JSON.stringify(key)} has ${bytes} bytes.`, {
    code: 'KeyTooLong',
    hint: `A key has at most ${maxKeyBytes} bytes of UTF-8: shorten prefix, folder or file name.`,
    place: { object: key },
  })
}
