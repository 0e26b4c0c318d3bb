import {
  ConnectorError,
  type CsvFormat,
  detectCompression,
  detectFormat,
  type FileEntry,
  type FileFormat,
} from '@penstock/core'
import { csvFields, type FormatName, type Selection } from './selection.ts'

/** Formats of the files of one selection: by the user's word, else by the key's suffixes. */
export interface Formats {
  /** Undefined where neither the user nor the name says it. */
  readonly of: (key: string) => FileFormat | undefined
  /** A check for the files of one table, in the order in which they come. */
  readonly createCheck: () => (entry: FileEntry) => void
}

export const formatsOf = (selection: Selection): Formats => {
  const { format: override, compression } = selection
  const csv = csvOptionsOf(selection)
  const given = csvFields.filter((name) => selection[name] !== undefined)

  const of = (key: string): FileFormat | undefined => {
    const detected = override === undefined ? detectFormat(key) : overridden(override, key)
    if (detected === undefined) return undefined
    const format = compression === undefined ? detected : ({ ...detected, compression } as FileFormat)
    return format.type === 'csv' ? { ...format, ...csv } : format
  }

  /** A table's files all have one type; what has another is named together with the way out. */
  const createCheck = () => {
    let reference: { key: string; name: FormatName; tail: string } | undefined
    return ({ key }: FileEntry): void => {
      // Listings are long and mostly uniform: a key with the suffixes of the first file needs no further look.
      if (reference && key.endsWith(reference.tail)) return
      const format = of(key)
      if (!format) throw unknownFormat(key)
      const name = nameOf(format, override)
      if (given.length > 0 && format.type !== 'csv') throw notCsv(key, name, given)
      if (!reference) reference = { key, name, tail: suffixes(key) }
      else if (name !== reference.name) throw mixedFormats(key, name, reference)
    }
  }
  return { of, createCheck }
}

/** `csv` or `tsv` by the detected delimiter, else the type. */
export const formatName = (format: FileFormat): FormatName =>
  format.type === 'csv' && format.delimiter === '\t' ? 'tsv' : format.type

const nameOf = (format: FileFormat, override: FormatName | undefined): FormatName =>
  override ?? formatName(format)

/** The format in words: `csv`, `csv.gz`. */
export const describeFormat = (format: FileFormat): string =>
  formatName(format) + { none: '', gzip: '.gz', zstd: '.zst' }[format.compression]

const overridden = (format: FormatName, key: string): FileFormat => {
  // Parquet compresses inside the file, so a suffix such as `.gz` can't mean the whole of it.
  const compression = format === 'parquet' ? 'none' : detectCompression(key)
  if (format === 'tsv') return { type: 'csv', delimiter: '\t', compression }
  return { type: format, compression }
}

const csvOptionsOf = (selection: Selection): Partial<CsvFormat> => {
  const options: Record<string, unknown> = {}
  for (const name of csvFields) if (selection[name] !== undefined) options[name] = selection[name]
  // A shell hands `--delimiter '\t'` over as two characters.
  if (options.delimiter === '\\t') options.delimiter = '\t'
  return options
}

/** `.csv` or `.csv.gz` of a key whose type the name tells; a text that ends no key where it doesn't. */
const suffixes = (key: string): string => {
  const name = key.slice(key.lastIndexOf('/') + 1)
  const count = detectCompression(key) === 'none' ? 1 : 2
  const parts = name.split('.')
  return parts.length > count ? `.${parts.slice(-count).join('.')}` : `/${name}/`
}

const unknownFormat = (key: string): ConnectorError => {
  const name = key.slice(key.lastIndexOf('/') + 1)
  return new ConnectorError(
    'config',
    `The file type of the object ${quoted(key)} is not known from its name.`,
    {
      code: 'UnknownFormat',
      hint: `Say it with --format csv|tsv|json|ndjson|parquet, or leave the object out with --exclude ${shellQuoted(excludeFor(name))}.`,
      place: { object: key },
    },
  )
}

const mixedFormats = (key: string, name: string, reference: { key: string; name: string }): ConnectorError =>
  new ConnectorError(
    'data',
    `The object ${quoted(key)} is ${name}, and ${quoted(reference.key)} of the same table is ${reference.name}: all files of a table have one type.`,
    {
      code: 'MixedFormats',
      hint: `Leave it out with --exclude ${shellQuoted(excludeFor(key.slice(key.lastIndexOf('/') + 1)))}, choose one type with --glob, or say what all of them are with --format.`,
      place: { object: key },
    },
  )

const notCsv = (key: string, name: string, given: readonly string[]): ConnectorError =>
  new ConnectorError(
    'config',
    `${given.join(', ')} go with CSV alone, and the object ${quoted(key)} is ${name}.`,
    {
      code: 'NotCsv',
      hint: 'Leave these options out, or say --format csv if the extension is wrong.',
      place: { object: key },
    },
  )

/** A glob that leaves files like this one out: by extension, by the leading underscore or dot, or by its name. */
const excludeFor = (name: string): string => {
  if (/^[_.]/.test(name)) return `${name.charAt(0)}*`
  const extension = /\.[A-Za-z0-9]+(\.(gz|zst|gzip|zstd))?$/.exec(name)?.[0]
  return extension ? `*${extension}` : name.replace(/[\\*?[\]{}()]/g, '\\$&')
}

const quoted = (key: string): string => JSON.stringify(key)
const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
