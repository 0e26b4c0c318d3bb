import type { ActionProgress, ProgressEvent } from '@penstock/core'

/** What is known of one table of a run. Counts are totals so far. */
export interface TableProgress {
  readonly name: string
  /** `writing`: a stream of an export, whose size nobody knows before it is written. */
  readonly phase: 'waiting' | 'listing' | 'loading' | 'writing' | 'finished'
  readonly listedObjects: number
  readonly listedBytes: number
  /** Undefined before the plan is there: then there is no share and no remaining time. */
  readonly plannedObjects?: number
  readonly plannedBytes?: number
  readonly bytes: number
  readonly objectsLoaded: number
  readonly rows: number
  readonly rejected: number
  readonly retries: number
}

export interface ProgressState {
  readonly runId?: string
  readonly tables: ReadonlyMap<string, TableProgress>
  /** The action at work. */
  readonly action?: ActionProgress | undefined
  /** Points in time with the bytes that had arrived, for the rate: the last seconds only. */
  readonly samples: readonly { readonly at: number; readonly bytes: number; readonly table: string }[]
}

export const initialProgress: ProgressState = { tables: new Map(), samples: [] }

const fresh = (name: string): TableProgress => ({
  name,
  phase: 'waiting',
  listedObjects: 0,
  listedBytes: 0,
  bytes: 0,
  objectsLoaded: 0,
  rows: 0,
  rejected: 0,
  retries: 0,
})

/** Window of the rate, in ms: long enough to be calm, short enough to show a change. */
const rateWindow = 10_000

/** The state after an event. `now` in ms. */
export const advance = (state: ProgressState, event: ProgressEvent, now: number): ProgressState => {
  if (event.type === 'run-started')
    return {
      ...state,
      runId: event.runId,
      tables: new Map(event.tables.map((name) => [name, fresh(name)])),
    }
  if (event.type === 'notice') return state
  const table = state.tables.get(event.table) ?? fresh(event.table)
  const changed = changeTable(table, event)
  const tables = new Map(state.tables).set(table.name, changed)
  if (event.type !== 'progress' && event.type !== 'written') return { ...state, tables }
  const samples = [...state.samples, { at: now, bytes: event.bytes, table: event.table }]
  const recent = samples.filter((sample) => sample.table === event.table && sample.at >= now - rateWindow)
  return { ...state, tables, samples: recent }
}

/** Name under which the samples of an action are kept: no table's, as tables have names. */
export const actionSamples = ''

/** The state after an action told where it is, or has ended. `now` in ms. */
export const advanceAction = (
  state: ProgressState,
  action: ActionProgress | undefined,
  now: number,
): ProgressState => {
  if (!action) return { ...state, action, samples: [] }
  const last = state.samples.at(-1)
  // An action tells each chunk: a few samples a second are enough for a rate.
  if (last && now - last.at < 200) return { ...state, action }
  const samples = [...state.samples, { at: now, bytes: action.bytes, table: actionSamples }]
  return { ...state, action, samples: samples.filter((sample) => sample.at >= now - rateWindow) }
}

type TableEvent = Exclude<ProgressEvent, { type: 'run-started' | 'notice' }>

const changeTable = (table: TableProgress, event: TableEvent): TableProgress => {
  switch (event.type) {
    case 'listing':
      return { ...table, phase: 'listing', listedObjects: event.objects, listedBytes: event.bytes }
    case 'planned':
      return { ...table, phase: 'loading', plannedObjects: event.objects, plannedBytes: event.bytes }
    case 'progress':
      return {
        ...table,
        phase: 'loading',
        bytes: event.bytes,
        objectsLoaded: event.objectsLoaded,
        rows: event.rows,
        rejected: event.rejected,
      }
    case 'retry':
      return { ...table, retries: table.retries + 1 }
    case 'written':
      return { ...table, phase: 'writing', bytes: event.bytes, objectsLoaded: event.files, rows: event.rows }
    case 'table-finished':
    case 'stream-finished':
      return { ...table, phase: 'finished' }
  }
}

/** Bytes per second over the last seconds; undefined before there is enough to go by. */
export const rateOf = (state: ProgressState, table: string): number | undefined => {
  const samples = state.samples.filter((sample) => sample.table === table)
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last || last.at - first.at < 500) return undefined
  return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at))
}

/** Remaining time in ms at the current rate; undefined where nothing can be said. */
export const remainingOf = (
  table: Pick<TableProgress, 'bytes' | 'plannedBytes'>,
  rate: number | undefined,
): number | undefined => {
  if (!rate || table.plannedBytes === undefined) return undefined
  return (Math.max(0, table.plannedBytes - table.bytes) * 1000) / rate
}
