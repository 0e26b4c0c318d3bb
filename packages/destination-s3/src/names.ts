import { ConnectorError, type ExportCursor, type ExportRun, type TableSchema } from '@penstock/core'
import type { S3DestinationConfig } from './config.ts'
import { extensionOf, type S3ExportOptions } from './options.ts'
import {
  checkKeyLength,
  compileKeyTemplate,
  escapePattern,
  type KeyTemplate,
  stateFolder,
  type TemplateTexts,
} from './template/key-template.ts'
import type { FileValues, RunValues } from './template/macros.ts'
import { partitionFolder, safeText } from './template/safe.ts'

/** What names are made of, of a stream that is planned or written. */
export interface NamedStream {
  readonly id: string
  readonly name: string
  readonly schema: TableSchema
  readonly cursor?: ExportCursor
}

/** Names of everything that a run writes. */
export interface RunNames {
  readonly template: KeyTemplate
  /** Throws a `config` error for a key that breaks a rule, or that another file of the run has already. */
  fileKey(
    stream: NamedStream,
    file: { readonly part: number; readonly partition: Readonly<Record<string, string | null>> },
  ): string
  /** Throws a `config` error, with a position, for a macro that has no value for a stream. */
  requireValues(stream: NamedStream): void
  /** Regular expression that all keys of a stream match. */
  pattern(stream: NamedStream): string
  /** Prefixes that all keys of the run begin with, one for each folder. */
  folders(streams: readonly NamedStream[]): readonly string[]
  /** Key of the manifest: in the folder that all files share. */
  manifestKey(streams: readonly NamedStream[]): string
}

/** What the key template of an export is: the export's own words count more than the connection's. */
export const templateTexts = (
  config: Pick<S3DestinationConfig, 'folder' | 'fileName' | 'keyTemplate'>,
  options: Partial<Pick<S3ExportOptions, 'folder' | 'fileName' | 'keyTemplate'>> = {},
): TemplateTexts => {
  for (const level of [options, config])
    if (level.keyTemplate !== undefined && (level.folder !== undefined || level.fileName !== undefined))
      throw new ConnectorError('config', 'keyTemplate is given together with folder or fileName.', {
        code: 'InvalidKeyTemplate',
        hint: 'keyTemplate is folder and file name in one: leave the others out.',
      })
  if (options.keyTemplate !== undefined) return { keyTemplate: options.keyTemplate }
  const own = options.folder !== undefined || options.fileName !== undefined
  if (!own && config.keyTemplate !== undefined) return { keyTemplate: config.keyTemplate }
  return { folder: options.folder ?? config.folder, fileName: options.fileName ?? config.fileName }
}

/** Values of the macros that are the same for all files. */
export const settingsValues = (
  config: S3DestinationConfig,
  customText: string | undefined,
  extension: string,
): Omit<RunValues, 'commitId' | 'exportId' | 'exportName' | 'loadTime'> => ({
  destination: config.destination,
  destinationId: config.destinationId,
  destinationName: config.destinationName,
  organization: config.organization,
  sandbox: config.sandbox,
  customText: customText ?? config.customText,
  extension,
})

/** Compiles the templates of a run. Throws `config` errors, with positions. */
export const namesOf = (config: S3DestinationConfig, options: S3ExportOptions, run: ExportRun): RunNames => {
  const template = compileKeyTemplate(templateTexts(config, options))
  const encrypted = (options.publicKey ?? config.publicKey) !== undefined
  const prefix = config.prefix ?? ''
  const base: RunValues = {
    ...settingsValues(config, options.customText, extensionOf(options)),
    commitId: run.commitId,
    exportId: run.exportId,
    exportName: run.exportName,
    loadTime: run.loadTime,
  }
  const taken = new Map<string, string>()

  const valuesOf = (stream: NamedStream, part = 1, partition = ''): FileValues => ({
    ...base,
    stream,
    cursor: cursorTime(stream, run),
    part,
    partition,
  })

  const take = (key: string, owner: string): string => {
    checkKeyLength(key)
    const other = taken.get(key)
    if (other !== undefined) throw sameKey(key, other, owner)
    taken.set(key, owner)
    return key
  }

  const folders = (streams: readonly NamedStream[]): string[] => [
    ...new Set(streams.map((stream) => `${prefix}${template.folder(valuesOf(stream))}`)),
  ]

  return Object.freeze<RunNames>({
    template,
    fileKey: (stream, { part, partition }) => {
      const entries = Object.entries(partition)
      const inner = entries.map(([column, value]) => `${partitionFolder(column, value)}/`).join('')
      const key = template.key(valuesOf(stream, part, inner), { encrypted })
      const owner = [
        `part ${part} of ${stream.name}`,
        ...entries.map(([column, value]) => `${column} = ${value ?? 'null'}`),
      ].join(', ')
      return take(`${prefix}${key}`, owner)
    },
    requireValues: (stream) => template.requireValues(valuesOf(stream), { cursor: true }),
    pattern: (stream) => `^${escapePattern(prefix)}${template.pattern(valuesOf(stream), { encrypted })}`,
    folders,
    manifestKey: (streams) => {
      const id = safeText(config.destinationId ?? run.exportId)
      const name = `manifest-${id}-${safeText(run.commitId)}.json`
      return take(`${commonFolder(folders(streams))}${name}`, 'the manifest')
    },
  })
}

const sameKey = (key: string, first: string, second: string) =>
  new ConnectorError('config', `${first} and ${second} would both be written to ${JSON.stringify(key)}.`, {
    code: 'KeyCollision',
    hint: 'Tell them apart in the key template: {stream_name} or {stream_id} for streams, {part} for parts.',
    place: { object: key },
  })

/** The folder that all of some folders lie in. */
const commonFolder = ([first = '', ...others]: readonly string[]): string => {
  let segments = first.split('/').slice(0, -1)
  for (const other of others) {
    const theirs = other.split('/')
    const differs = segments.findIndex((segment, index) => segment !== theirs[index])
    if (differs !== -1) segments = segments.slice(0, differs)
  }
  return segments.map((segment) => `${segment}/`).join('')
}

const timeTypes: readonly string[] = ['date', 'timestamp']

/** True for a stream whose cursor tells a time. */
const hasTimeCursor = ({ cursor, schema }: NamedStream): boolean => {
  if (!cursor) return false
  const column = schema.columns.find(({ name }) => name === cursor.column)
  // A query may leave its cursor column out of what it gives: the value decides then.
  return column ? timeTypes.includes(column.type.type) : readTime(cursor.to ?? cursor.after) !== undefined
}

/** Time of the highest cursor value; without new rows the last one, and before the first row the load time. */
const cursorTime = (stream: NamedStream, run: ExportRun): Date | undefined => {
  const { cursor } = stream
  if (!cursor || !hasTimeCursor(stream)) return undefined
  return readTime(cursor.to ?? cursor.after) ?? run.loadTime
}

/** `2025-04-14`, `2025-04-14 11:23:45.678`, with `T`, `Z` or an offset; without a zone it is UTC. */
const readTime = (text: string | undefined): Date | undefined => {
  const [, date, time = '00:00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(text ?? '') ?? []
  if (date === undefined) return undefined
  const offset = zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`)
  const at = new Date(`${date}T${time}${offset}`)
  return Number.isNaN(at.getTime()) ? undefined : at
}

/** Keys of the destination's own notes. */
export const stateRoot = (config: Pick<S3DestinationConfig, 'prefix'>): string =>
  `${config.prefix ?? ''}${stateFolder}`
