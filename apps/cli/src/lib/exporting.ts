import {
  formatBytes,
  formatCount,
  formatDuration,
  type Interfaces,
  parseFlags,
  readFlags,
  schemaFlags,
  type TableColumn,
} from '@penstock/command-kit'
import {
  type AnyDestination,
  type Connection,
  ConnectorError,
  type ExportMode,
  type ProgressListener,
  type RunRecord,
  type TableEngine,
} from '@penstock/core'
import {
  createRunId,
  type ExportOptions,
  exportTo,
  type RecordOptions,
  type ResourceOptions,
  recordRun,
  resourcesOf,
  streamRequest,
} from '@penstock/runtime'

/** What stands for values in the help, where the name of the field says too little. */
const valueNames = {
  table: 'NAME',
  sql: 'SELECT',
  columns: 'A,B',
  rename: 'OLD=NEW',
  mandatory: 'COLUMN',
  dedupe: 'COLUMN',
  latest: 'COLUMN',
  key: 'COLUMN',
  incremental: 'COLUMN',
  delimiter: 'CHARACTER',
  nullValue: 'TEXT',
  emptyValue: 'TEXT',
  keyTemplate: 'TEMPLATE',
  partitionBy: 'COLUMN',
}

/** Flags that choose and map what is exported. */
export const streamFlags: Interfaces.FlagInput = schemaFlags(streamRequest, {
  group: 'WHAT',
  omit: ['name'],
  repeatable: ['table', 'sql'],
  valueNames,
})

/** Flags of a destination's own options, in the help under its name. */
export const optionFlags = ({
  name,
  options,
}: Pick<AnyDestination, 'name' | 'options'>): Interfaces.FlagInput =>
  options
    ? schemaFlags(options, {
        group: `${destinationGroup}${name.replace(/^destination-/, '').toUpperCase()}`,
        valueNames,
      })
    : {}

const destinationGroup = 'DESTINATION '

/** True for the heading of flags that {@link optionFlags} has made. */
export const isDestinationGroup = (group: string | undefined): boolean =>
  group?.startsWith(destinationGroup) ?? false

type Flags = Readonly<Record<string, unknown>>
type Request = ExportOptions['streams'][number]

/** Streams from flags: each `--table` and each `--sql` is one, all with the same mapping. */
export const streamsFromFlags = (flags: Flags): Request[] => {
  // --name is the export's.
  const { table, sql, columns, name: _, ...mapping } = readFlags(streamRequest, flags)
  const names = (flags.stream ?? []) as readonly string[]
  const chosen = [
    ...((table ?? []) as string[]).map((value) => ({ table: value })),
    ...((sql ?? []) as string[]).map((value) => ({ sql: value })),
  ]
  if (chosen.length === 0)
    throw new ConnectorError('config', 'Nothing is chosen. Give --table or --sql.', { code: 'Usage' })
  if (names.length > chosen.length)
    throw new ConnectorError('config', `${names.length} --stream for ${chosen.length} streams.`, {
      code: 'Usage',
    })
  const list = (columns as readonly string[] | undefined)
    ?.flatMap((text) => text.split(','))
    .map((name) => name.trim())
  return chosen.map((choice, index) => {
    const name = names[index]
    const request = {
      ...choice,
      ...mapping,
      ...(list && { columns: list }),
      ...(name !== undefined && { name }),
    }
    parseFlags(streamRequest, request)
    return request
  })
}

export const optionsFromFlags = (connector: AnyDestination, flags: Flags): unknown => {
  if (!connector.options) return undefined
  const input = readFlags(connector.options, flags)
  parseFlags(connector.options, input)
  return input
}

export interface Exporting {
  readonly destination: Connection<AnyDestination>
  readonly streams: readonly Request[]
  readonly options: unknown
  readonly mode: ExportMode | undefined
  readonly name: string | undefined
  readonly engine: TableEngine
  readonly resources: ResourceOptions
  readonly projectFolder: string
  readonly signal: AbortSignal
  readonly onProgress: ProgressListener
  readonly command: string
  readonly pipeline?: string | undefined
  readonly scheduledTime?: Date | undefined
}

export const exportOptions = ({ resources, ...exporting }: Exporting): ExportOptions => ({
  ...exporting,
  resources: resourcesOf(resources),
})

/** Runs one export and keeps it in the project's history. */
export const runExport = (exporting: Exporting, record: RecordOptions): Promise<RunRecord> => {
  const { destination, command, pipeline } = exporting
  const started: RunRecord = {
    runId: createRunId(),
    command,
    connector: destination.connector.name,
    ...(destination.name === undefined ? {} : { connection: destination.name }),
    ...(pipeline === undefined ? {} : { pipeline }),
    status: 'running',
    startedAt: new Date().toISOString(),
    tables: [],
  }
  return recordRun(started, () => exportTo({ ...exportOptions(exporting), runId: started.runId }), record)
}

export const streamColumns: readonly TableColumn[] = [
  { title: 'STREAM', cut: 'middle' },
  { title: 'MODE', cut: 'never' },
  { title: 'STATUS', cut: 'never' },
  { title: 'FILES', align: 'right', cut: 'never' },
  { title: 'BYTES', align: 'right', cut: 'never' },
  { title: 'ROWS', align: 'right', cut: 'never' },
  { title: 'LEFT OUT', align: 'right', cut: 'never' },
  { title: 'TIME', align: 'right', cut: 'never' },
]

/** Rows of a table of results, for {@link streamColumns}. */
export const streamRows = (run: RunRecord): string[][] =>
  (run.export?.streams ?? []).map((stream) => [
    stream.name,
    stream.mode,
    stream.status,
    formatCount(stream.files),
    formatBytes(stream.bytes),
    formatCount(stream.rows),
    formatCount(stream.rowsDropped + stream.rowsDeduplicated + stream.rowsSkipped),
    formatDuration(stream.durationMs),
  ])
