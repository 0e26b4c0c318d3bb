import { safeText, stableUuid } from './safe.ts'
import { dateTime, isoDateTime, timeParts } from './time.ts'

/** What names of a run may be made of. */
export interface RunValues {
  readonly commitId: string
  readonly exportId: string
  readonly exportName: string
  readonly loadTime: Date
  readonly destination: string
  readonly destinationId?: string | undefined
  readonly destinationName?: string | undefined
  readonly organization?: string | undefined
  readonly sandbox?: string | undefined
  readonly customText?: string | undefined
  /** Without `.gpg`, which always comes last. */
  readonly extension: string
}

export interface StreamValues extends RunValues {
  readonly stream: { readonly id: string; readonly name: string }
  /** Highest cursor value of the run; absent for a stream without a cursor of time. */
  readonly cursor?: Date | undefined
}

export interface FileValues extends StreamValues {
  readonly part: number
  /** Folders of the partition, empty without. */
  readonly partition: string
}

export interface Macro {
  /** As it is written: `{part}`, `%TIMESTAMP%`. */
  readonly spelling: string
  /** What it differs by. */
  readonly scope: 'settings' | 'run' | 'stream' | 'cursor' | 'part' | 'file'
  /** The text, ready for a key; undefined where the run has no value for it. */
  readonly value: (values: FileValues) => string | undefined
  /** How to give it a value. */
  readonly missing?: string
}

const safe = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : safeText(text)

const time = (render: (time: Date) => string) => ({
  scope: 'run' as const,
  value: ({ loadTime }: FileValues) => render(loadTime),
})

const cursor = (render: (time: Date) => string) => ({
  scope: 'cursor' as const,
  value: ({ cursor: at }: FileValues) => at && render(at),
  missing: 'It needs an incremental export by a column of dates or timestamps.',
})

const setting = (field: 'organization' | 'sandbox' | 'customText') => ({
  scope: 'settings' as const,
  value: (values: FileValues) => safe(values[field]),
  missing: `Set ${field}.`,
})

const streamId = { scope: 'stream', value: ({ stream }: FileValues) => safe(stream.id) } as const
const streamName = { scope: 'stream', value: ({ stream }: FileValues) => safe(stream.name) } as const

type Row = Omit<Macro, 'spelling'>

const braces: Readonly<Record<string, Row>> = {
  extension: { scope: 'settings', value: ({ extension }) => extension },
  date_time: time(dateTime),
  timestamp: time(dateTime),
  iso_date_time: time(isoDateTime),
  date: time((at) => dateTime(at).slice(0, 10)),
  iso_date: time((at) => dateTime(at, '-').slice(0, 10)),
  year: time((at) => timeParts(at).year),
  month: time((at) => timeParts(at).month),
  day: time((at) => timeParts(at).day),
  hour: time((at) => timeParts(at).hour),
  minute: time((at) => timeParts(at).minute),
  second: time((at) => timeParts(at).second),
  stream_id: streamId,
  stream_name: streamName,
  connection_id: { scope: 'settings', value: ({ exportId }) => stableUuid(exportId) },
  connection_run_id: { scope: 'run', value: ({ commitId }) => stableUuid(commitId) },
  // A run writes a stream once: an id of its own for each stream of each run.
  stream_run_id: { scope: 'run', value: ({ commitId, stream }) => stableUuid(commitId, stream.id) },
  cursor_year: cursor((at) => timeParts(at).year),
  cursor_month: cursor((at) => timeParts(at).month),
  cursor_day: cursor((at) => timeParts(at).day),
  cursor_date_time: cursor(dateTime),
  cursor_iso_date_time: cursor(isoDateTime),
  cursor_singular_date_time: cursor((at) => dateTime(at, '-')),
  part: { scope: 'part', value: ({ part }) => String(part) },
  uuid: {
    scope: 'file',
    value: ({ commitId, stream, partition, part }) =>
      stableUuid(commitId, stream.id, partition, String(part)),
  },
  run_id: { scope: 'run', value: ({ commitId }) => safe(commitId) },
}

const percents: Readonly<Record<string, Row>> = {
  DESTINATION: { scope: 'settings', value: ({ destination }) => safe(destination) },
  DESTINATION_NAME: {
    scope: 'settings',
    value: ({ destinationName, exportName }) => safe(destinationName ?? exportName),
  },
  SEGMENT_ID: streamId,
  SEGMENT_NAME: streamName,
  DATASET_ID: streamId,
  DESTINATION_INSTANCE_ID: {
    scope: 'settings',
    value: ({ destinationId, exportId }) => safe(destinationId ?? exportId),
  },
  DESTINATION_INSTANCE_NAME: { scope: 'settings', value: ({ exportName }) => safe(exportName) },
  ORGANIZATION_NAME: setting('organization'),
  SANDBOX_NAME: setting('sandbox'),
  CUSTOM_TEXT: setting('customText'),
  TIMESTAMP: time((at) => String(Math.floor(at.getTime() / 1000))),
  EXPORT_TIME: time((at) => `exportTime=${dateTime(at, '').slice(0, 12)}`),
}

/** Takes a pattern in parentheses; the only one that does. */
export const dateMacro = 'DATETIME'

export const percentNames: readonly string[] = [...Object.keys(percents), dateMacro]

const table = new Map<string, Macro>(
  [
    ...Object.entries(braces).map(([name, row]) => ({ spelling: `{${name}}`, ...row })),
    ...Object.entries(percents).map(([name, row]) => ({ spelling: `%${name}%`, ...row })),
  ].map((macro) => [macro.spelling, Object.freeze(macro)]),
)

export const findMacro = (spelling: string): Macro | undefined => table.get(spelling)

/** `%DATETIME%` with a compiled pattern. */
export const dateTimeMacro = (spelling: string, render: (time: Date) => string): Macro => ({
  spelling,
  ...time(render),
})

/** All spellings, for errors and documentation. */
export const macroSpellings: readonly string[] = [
  ...table.keys(),
  `%${dateMacro}%`,
  `%${dateMacro}(YYYYMMdd)%`,
]
