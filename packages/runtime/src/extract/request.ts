import {
  type AnySource,
  ConnectorError,
  type LogicalType,
  lineageColumns,
  loadModes,
  parse,
  schemaPolicies,
} from '@penstock/core'
import { z } from 'zod'
import { parseType } from './type-names.ts'

const maxRejects = z
  .union([z.int().min(0), z.string().regex(/^\d+$/), z.string().regex(/^\d+(\.\d+)?%$/)])
  .transform((value) =>
    typeof value === 'string' && value.endsWith('%')
      ? { share: Number.parseFloat(value) / 100 }
      : { count: Number(value) },
  )

const columnTypes = z
  .record(z.string(), z.string())
  .transform((columns, context): Record<string, LogicalType> => {
    const types: Record<string, LogicalType> = {}
    for (const [name, typeName] of Object.entries(columns)) {
      const type = parseType(typeName)
      if (type) types[name] = type
      else context.addIssue({ code: 'custom', path: [name], message: `unknown type "${typeName}"` })
    }
    return types
  })

/** How a selected table is loaded: the options that every source shares. They become flags and YAML fields. */
export const loadRequest = z.strictObject({
  mode: z
    .enum(loadModes)
    .default('full')
    .describe('full replaces the table, delta appends what is new, merge upserts by key'),
  key: z.array(z.string().min(1)).optional().describe('Key columns, for merge'),
  schema: z
    .enum(schemaPolicies)
    .default('strict')
    .describe(
      'strict: all files conform to one schema; evolve: add columns, widen types; freeze: the given columns rule',
    ),
  columns: columnTypes.optional().describe('Types that are given instead of inferred, as column=type'),
  allText: z.boolean().default(false).describe('Load every column as text'),
  onBadRow: z
    .enum(['fail', 'reject'])
    .default('fail')
    .describe('What a row that does not fit does to the load'),
  maxRejects: maxRejects.optional().describe('Budget of rejected rows: a count, or a percentage such as 1%'),
  lineage: z.array(z.enum(lineageColumns)).optional().describe('Columns that tell where a row came from'),
  changed: z
    .enum(['append', 'replace', 'error'])
    .default('error')
    .describe('Delta: what an object that was loaded before and has other bytes now does'),
  deleted: z
    .enum(['keep', 'remove'])
    .default('keep')
    .describe('Delta: what happens to rows of objects that are gone'),
  limit: z.int().min(1).optional().describe('Load at most that many rows, for a try-out'),
})

export type LoadRequest = z.output<typeof loadRequest>

/** One entry of `tables`: what to select, in the source's words, and how to load it. */
export type TableRequest<Connector extends AnySource = AnySource> = z.input<typeof loadRequest> &
  (Connector['select'] extends undefined
    ? { readonly table: string }
    : z.input<NonNullable<Connector['selection']>> extends object
      ? z.input<NonNullable<Connector['selection']>>
      : { readonly table: string })

/** Selection of a source that has no selection of its own: a table by its name. */
const byName = z.strictObject({ table: z.string().min(1).describe('Name of the table in the source') })

export interface ParsedRequest {
  readonly selection: unknown
  readonly load: LoadRequest
}

/** Parts a request into selection and load options and validates both. Unknown fields are `config` errors. */
export const parseRequest = (connector: AnySource, request: unknown): ParsedRequest => {
  const loadFields: Record<string, unknown> = {}
  const selectionFields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(request as object))
    (name in loadRequest.shape ? loadFields : selectionFields)[name] = value
  const load = parse(loadRequest, loadFields, 'the load')
  if (load.schema === 'freeze' && !load.columns)
    throw new ConnectorError('config', 'Schema policy freeze needs the columns.', {
      hint: 'Give each column with --column NAME=TYPE (columns: {name: type}).',
    })
  if (load.maxRejects && load.onBadRow === 'fail')
    throw new ConnectorError('config', 'A reject budget needs rejecting to be on.', {
      hint: 'Add --on-bad-row reject.',
    })
  return {
    selection: parse(connector.select ? connector.selection : byName, selectionFields, 'the selection'),
    load,
  }
}
