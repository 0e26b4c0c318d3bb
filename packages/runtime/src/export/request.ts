import { ConnectorError, type ExportMode, type ExportSelection, exportModes, parse } from '@penstock/core'
import { z } from 'zod'
import { stableId } from './ids.ts'

const name = z.string().min(1)

/** One stream of an export: what is exported, and how it is mapped. Flags of `export` and YAML of a pipeline. */
export const streamRequest = z.strictObject({
  table: name.optional().describe('Table to export').meta({ selector: true }),
  sql: name.optional().describe('SELECT whose rows are exported').meta({ selector: true }),
  name: name.optional().describe('Name of the stream (default: the table; query for a SELECT)'),
  columns: z
    .array(name)
    .min(1)
    .optional()
    .describe('Columns to export, in this order (default: all)')
    .meta({ flag: 'columns' }),
  rename: z.record(z.string(), name).optional().describe('New names of columns, as old=new'),
  mandatory: z
    .array(name)
    .optional()
    .describe('Columns that a row must have: a row with a null there is dropped and counted'),
  dedupe: z
    .array(name)
    .min(1)
    .max(2)
    .optional()
    .describe('Key of one or two columns: one row per key is exported'),
  latest: name.optional().describe('Column that decides which row of a key is exported: the highest'),
  key: z
    .array(name)
    .min(1)
    .optional()
    .describe('Columns that identify a row: what merge goes by, and the primary key of a new table'),
  incremental: name.optional().describe('Cursor column: only rows beyond the last complete export'),
})

export type StreamRequest = z.input<typeof streamRequest>

/** How an export is written; `full` is another word for `overwrite`, as loads have it. */
export const exportMode = z
  .enum([...exportModes, 'full'])
  .describe(
    'append adds, overwrite (or full) replaces what this export wrote before, merge replaces rows of the same key (where the destination can)',
  )
  .transform((mode): ExportMode => (mode === 'full' ? 'overwrite' : mode))

/** Validates requests and makes selections of them. Throws `config` errors in the words of the request. */
export const selectionsOf = (exportId: string, requests: readonly unknown[]): ExportSelection[] => {
  if (requests.length === 0)
    throw new ConnectorError('config', 'Nothing is chosen to export.', {
      code: 'NothingChosen',
      hint: 'Name a table or give a SELECT.',
    })
  const selections = requests.map((request) => selectionOf(exportId, request))
  const seen = new Set<string>()
  for (const { name } of selections) {
    if (seen.has(name.toLowerCase()))
      throw new ConnectorError('config', `Two streams have the name "${name}".`, {
        code: 'StreamNames',
        hint: 'Give each stream a name of its own (--name, name: ...).',
      })
    seen.add(name.toLowerCase())
  }
  return selections
}

const selectionOf = (exportId: string, request: unknown): ExportSelection => {
  const stream = parse(streamRequest, request, 'a stream')
  const { table, sql, columns, rename, mandatory, dedupe, latest, key, incremental } = stream
  if ((table === undefined) === (sql === undefined))
    throw new ConnectorError('config', 'A stream is either a table or a SELECT.', {
      code: 'StreamSource',
      hint: 'Give one of table and sql.',
    })
  if ((dedupe === undefined) !== (latest === undefined))
    throw new ConnectorError(
      'config',
      'Deduplication needs a key and the column that decides which row is the latest.',
      {
        code: 'Dedupe',
        hint: 'Give both --dedupe COLUMN and --latest COLUMN (dedupe, latest).',
      },
    )
  const streamName = stream.name ?? table ?? 'query'
  return {
    id: stableId('stream', exportId, streamName),
    name: streamName,
    from: table === undefined ? { sql: sql ?? '' } : { table },
    ...(columns && { columns }),
    ...(rename && { rename }),
    ...(mandatory && { mandatory }),
    ...(dedupe && latest !== undefined && { dedupe: { key: dedupe, latest } }),
    ...(key && { key }),
    ...(incremental !== undefined && { window: { column: incremental } }),
  }
}

/** Names of the streams of a request, before anything is validated: what an export is called by default. */
export const defaultExportName = (requests: readonly StreamRequest[]): string =>
  requests.map((request) => request.name ?? request.table ?? 'query').join('+')
