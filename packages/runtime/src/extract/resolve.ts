import {
  type AnySource,
  type ConnectorContext,
  ConnectorError,
  type SourceTable,
  type TableSummary,
} from '@penstock/core'
import { type LoadRequest, type ParsedRequest, parseRequest } from './request.ts'

/** A table of the source with the way in which it is to be loaded. */
export interface ResolvedTable {
  readonly table: SourceTable
  readonly load: LoadRequest
}

/**
 * Turns requests into tables. Two tables with one name are a `config` error: the second would replace the first.
 * Names are compared without case, as SQL does.
 */
export const resolveTables = async (
  connector: AnySource,
  context: ConnectorContext,
  requests: readonly unknown[],
): Promise<ResolvedTable[]> => {
  if (requests.length === 0) throw new ConnectorError('config', 'No tables are chosen.')
  const parsed = requests.map((request) => parseRequest(connector, request))
  const resolved: ResolvedTable[] = []
  for (const { selection, load } of parsed)
    for (const table of await tablesOf(connector, context, selection)) resolved.push({ table, load })
  const seen = new Set<string>()
  for (const { table } of resolved) {
    const name = table.name.toLowerCase()
    if (seen.has(name))
      throw new ConnectorError('config', `Two tables of this run have the name "${table.name}".`, {
        hint: 'Give one of them another name with --table (table: name), in a run of its own.',
      })
    seen.add(name)
  }
  for (const { table, load } of resolved) checkModes(connector, table, load)
  return resolved
}

const tablesOf = async (
  connector: AnySource,
  context: ConnectorContext,
  selection: ParsedRequest['selection'],
): Promise<readonly SourceTable[]> => {
  if (connector.select) return connector.select(context, selection)
  const { table: name } = selection as { table: string }
  const known: string[] = []
  for await (const candidate of await listTables(connector, context, {})) {
    if (!('kind' in candidate)) continue
    if (candidate.name === name) return [candidate]
    known.push(candidate.name)
  }
  throw new ConnectorError('not-found', `The source ${connector.name} has no table "${name}".`, {
    hint: `It has: ${known.slice(0, 20).join(', ') || 'none'}.`,
  })
}

const checkModes = (connector: AnySource, table: SourceTable, load: LoadRequest): void => {
  if (!connector.capabilities.modes.includes(load.mode))
    throw new ConnectorError('config', `The source ${connector.name} can't do ${load.mode} loads.`, {
      hint: `It can do: ${connector.capabilities.modes.join(', ')}.`,
    })
  const declaredKey = table.kind === 'rows' ? table.schema.key : undefined
  if (load.mode === 'merge' && !(load.key ?? declaredKey)?.length)
    throw new ConnectorError('config', 'A merge needs key columns.', {
      hint: 'Give --key COLUMN (key: [column]).',
    })
  const narrowing = table.kind === 'files' ? (table.narrowedBy ?? []) : []
  if (narrowing.length > 0 && load.deleted === 'remove')
    throw new ConnectorError(
      'config',
      `Removing the rows of deleted objects needs the whole listing of "${table.name}".`,
      {
        hint: `Leave out ${narrowing.join(', ')}, or keep the rows (--deleted keep).`,
      },
    )
  if (table.kind === 'rows' && load.onBadRow === 'reject')
    throw new ConnectorError(
      'config',
      `Table "${table.name}" comes as rows; rejecting bad rows works for files.`,
      {
        hint: 'Leave --on-bad-row at fail.',
      },
    )
  if (table.kind === 'rows' && load.mode === 'delta' && !table.schema.cursor)
    throw new ConnectorError(
      'config',
      `Table "${table.name}" has no cursor, so a delta can't know what is new.`,
      {
        hint: 'Use --mode full, or --mode merge with key columns.',
      },
    )
}

/** What a source offers, as a stream, whatever form its `tables` returns. */
export async function* listTables(
  connector: AnySource,
  context: ConnectorContext,
  options: { prefix?: string },
): AsyncGenerator<SourceTable | TableSummary> {
  yield* await connector.tables(context, options)
}
