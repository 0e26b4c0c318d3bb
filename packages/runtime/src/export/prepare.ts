import {
  type AnyDestination,
  type Connection,
  ConnectorError,
  type ExportMode,
  type ExportRun,
  type ExportSelection,
  exportModes,
  type ProgressListener,
  parse,
  type TableEngine,
} from '@penstock/core'
import type { z } from 'zod'
import { createRunId, type Resources } from '../extract/extract.ts'
import { stableId } from './ids.ts'
import { defaultExportName, type StreamRequest, selectionsOf } from './request.ts'
import { type ExportState, type ExportStore, exportStore } from './state.ts'

export type OptionsInput<Connector extends AnyDestination> =
  NonNullable<Connector['options']> extends z.ZodType ? z.input<NonNullable<Connector['options']>> : unknown

export interface ExportOptions<Connector extends AnyDestination = AnyDestination> {
  readonly destination: Connection<Connector>
  readonly streams: readonly StreamRequest[]
  readonly engine: TableEngine
  /** Default: append, or the only mode that the destination has. */
  readonly mode?: ExportMode | undefined
  /** The destination's own options: file type, key template. */
  readonly options?: OptionsInput<Connector> | undefined
  /**
   * Name of the export in its project (default: its streams). With the connection it makes the identity to which cursors,
   * retries and what an overwrite replaces belong.
   */
  readonly name?: string | undefined
  /** Folder of the project: keeps other processes out, and the state where the database is open for reading only. */
  readonly projectFolder?: string | undefined
  /** Time that a schedule asked for. */
  readonly scheduledTime?: Date | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ProgressListener | undefined
  readonly resources?: Resources | undefined
  readonly clock?: (() => Date) | undefined
  /** What the run history says was run. */
  readonly command?: string | undefined
  readonly pipeline?: string | undefined
  readonly runId?: string | undefined
}

/** An export whose request is checked and whose former state is known. */
export interface PreparedExport {
  readonly exportId: string
  readonly run: ExportRun
  readonly options: unknown
  readonly selections: readonly ExportSelection[]
  readonly store: ExportStore
  readonly state: ExportState
}

/** Identity of an export: the same on every machine and from every database. */
export const exportIdentity = (
  options: Pick<ExportOptions, 'destination' | 'streams' | 'name'>,
): { id: string; name: string } => {
  const { connector, name: connection = '' } = options.destination
  const name = options.name ?? defaultExportName(options.streams)
  return { id: stableId('export', connector.name, connection, name), name }
}

/** Checks a request and finds out whether it is a retry. Throws `config` errors. */
export const prepareExport = async (
  options: ExportOptions,
  defaults: { readonly runId: string; readonly now: Date },
): Promise<PreparedExport> => {
  const { connector } = options.destination
  const { id: exportId, name } = exportIdentity(options)
  const mode = modeOf(connector, options.mode)
  const parsed = connector.options
    ? parse(connector.options, options.options ?? {}, `the export to ${connector.name}`)
    : undefined
  const requested = selectionsOf(exportId, options.streams)
  const store = exportStore(options.engine, options.projectFolder)
  const state = await store.load(exportId)
  const { intent } = state
  const selections = requested.map((selection) => withWindow(selection, state))
  const scheduledTime = intent ? intent.scheduledTime : options.scheduledTime?.toISOString()
  const run: ExportRun = {
    commitId: intent?.commitId ?? defaults.runId,
    exportId,
    exportName: name,
    mode,
    loadTime: intent ? new Date(intent.loadTime) : nextLoadTime(state, defaults.now),
    ...(scheduledTime !== undefined && { scheduledTime: new Date(scheduledTime) }),
    retried: intent !== undefined,
  }
  return { exportId, run, options: parsed, selections, store, state }
}

/**
 * Names are made of the load time, in whole seconds: of two runs of one export within a second, the second one counts as
 * of the next second, so that it has names of its own.
 */
const nextLoadTime = ({ done }: ExportState, now: Date): Date => {
  if (done?.loadTime === undefined) return now
  const next = (Math.floor(Date.parse(done.loadTime) / 1000) + 1) * 1000
  // A clock that was set back by more must not give times of long ahead.
  return next - now.getTime() > furthestAheadMs ? now : new Date(Math.max(now.getTime(), next))
}

/** Runs in a row that take less than a second each may be so far ahead of the clock. */
const furthestAheadMs = 60_000

/** A window begins at the saved cursor; a retry has the window of the try before. */
const withWindow = (selection: ExportSelection, { intent, cursors }: ExportState): ExportSelection => {
  const column = selection.window?.column
  if (column === undefined) return selection
  const before = intent?.windows[selection.id]
  if (before?.column === column)
    return {
      ...selection,
      window: {
        column,
        ...(before.after !== undefined && { after: before.after }),
        ...(before.to !== undefined && { to: before.to }),
      },
    }
  const saved = cursors[selection.id]
  // A cursor of another column says nothing about this one: the export begins anew.
  return { ...selection, window: { column, ...(saved?.column === column && { after: saved.value }) } }
}

const modeOf = (connector: AnyDestination, given: ExportMode | undefined): ExportMode => {
  const { modes } = connector.capabilities
  if (given === undefined) return modes.includes('append') ? 'append' : (modes[0] ?? 'append')
  if (!exportModes.includes(given) || !modes.includes(given))
    throw new ConnectorError('config', `${connector.name} has no mode "${given}".`, {
      code: 'NoSuchMode',
      hint: `It has: ${modes.join(', ')}.`,
    })
  return given
}

export const newRun = (options: Pick<ExportOptions, 'runId' | 'clock'>) => {
  const now = (options.clock ?? (() => new Date()))()
  return { runId: options.runId ?? createRunId(now), now }
}
