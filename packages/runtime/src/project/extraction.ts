import { type AnyConnector, type AnySource, requireKind, schemaFields } from '@penstock/core'
import type { z } from 'zod'
import { loadRequest } from '../extract/request.ts'
import type { FieldPath } from './document.ts'
import { connectionPlace } from './pipeline-connection.ts'
import type { Project } from './project.ts'
import { tableEntry } from './step-schema.ts'
import { throwIssues, withoutReferences } from './validate.ts'

type Fields = Readonly<Record<string, unknown>>

/** The tables of a pipeline that come from one connection: what one `extract` takes. */
export interface PipelineGroup {
  readonly connection: string
  /** Requests as `extract` takes them: the connector's selection and load options. */
  readonly tables: readonly Fields[]
}

/** An object of the project file that has `tables`: a pipeline, or an extract step. */
export interface Extraction {
  readonly path: FieldPath
  readonly tables: readonly Fields[]
  /** Connection of tables that name none, and where that is said. */
  readonly connection: { readonly name: string | undefined; readonly path: FieldPath }
  /** Load options of all tables. */
  readonly load: Fields
  /** `pipeline "daily"` */
  readonly subject: string
}

/** Connections of an extraction, each once, in the order of the file. */
export const checkExtraction = async (
  project: Project,
  extraction: Extraction,
  connectorOf: (connection: string) => Promise<AnyConnector>,
): Promise<readonly string[]> => {
  const connections = new Set<string>()
  for (const [index, table] of extraction.tables.entries()) {
    const path = [...extraction.path, 'tables', index]
    const connection = connectionOf(project, extraction, table, path)
    const { connection: _, ...fields } = table
    checkTable(project, path, fields, extraction.load, requireKind(await connectorOf(connection), 'source'))
    connections.add(connection)
  }
  return [...connections]
}

/** Tables grouped by connection in the order of the file. `resolve` replaces the references of one table. */
export const groupTables = async (
  project: Project,
  extraction: Extraction,
  resolve: (path: FieldPath, fields: Fields) => Promise<Fields>,
): Promise<readonly PipelineGroup[]> => {
  const groups = new Map<string, Fields[]>()
  for (const [index, table] of extraction.tables.entries()) {
    const path = [...extraction.path, 'tables', index]
    const connection = connectionOf(project, extraction, table, path)
    const { connection: _, ...fields } = table
    const request = await resolve(path, { ...extraction.load, ...fields })
    groups.set(connection, [...(groups.get(connection) ?? []), request])
  }
  return [...groups].map(([connection, tables]) => ({ connection, tables }))
}

const connectionOf = (project: Project, extraction: Extraction, table: Fields, path: FieldPath): string =>
  table.connection === undefined
    ? connectionPlace(project, extraction.connection.name, extraction.connection.path, {
        path,
        message: `This table of ${extraction.subject} has no connection.`,
      })
    : connectionPlace(project, table.connection, [...path, 'connection'])

/** Checks the fields of one table against the load options and the connector's selection. */
const checkTable = (
  project: Project,
  path: FieldPath,
  fields: Fields,
  defaults: Fields,
  connector: AnySource,
): void => {
  const own = Object.entries(fields)
  const isLoad = ([name]: [string, unknown]) => name in loadRequest.shape
  const load = { ...defaults, ...Object.fromEntries(own.filter(isLoad)) }
  const selection = Object.fromEntries(own.filter((entry) => !isLoad(entry)))
  const selectionSchema: z.ZodType | undefined = connector.select ? connector.selection : undefined
  const known = [
    ...Object.keys(tableEntry.shape),
    ...(selectionSchema ? schemaFields(selectionSchema).map((field) => field.name) : ['table']),
    ...Object.keys(loadRequest.shape),
  ]
  const describe = () => ({ subject: 'a table', known })
  for (const [schema, input] of [
    [loadRequest, load],
    [selectionSchema, selection],
  ] as const) {
    const result = schema?.safeParse(input)
    if (!result || result.success) continue
    const issues = withoutReferences(result.error.issues, input)
    if (issues.length > 0) throwIssues(project.document, path, issues, describe)
  }
}
