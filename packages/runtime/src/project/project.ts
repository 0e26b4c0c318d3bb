import { dirname } from 'node:path'
import { ConnectorError, nearest } from '@penstock/core'
import type { Alert } from '../alerts/alert-schema.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { type ProjectDocument, parseProjectText, readDocument } from './document.ts'
import { requireProjectFile } from './find.ts'
import { projectFile } from './schema.ts'
import { fieldNamesAt } from './schema-path.ts'
import type { StepEntry } from './step-schema.ts'
import { throwIssues } from './validate.ts'

/** A connection as it stands in the project file: references unresolved, the connector's fields unchecked. */
export interface ProjectConnection {
  readonly name: string
  readonly connector: string
  readonly description?: string
  readonly auth?: Readonly<Record<string, unknown>>
  /** The connector's own fields. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** A pipeline as it stands in the project file. */
export interface ProjectPipeline {
  readonly name: string
  readonly description?: string
  readonly connection?: string
  readonly into?: string
  /** A pipeline has either tables or steps. */
  readonly tables?: readonly Readonly<Record<string, unknown>>[]
  readonly steps?: readonly StepEntry[]
  readonly options: Readonly<Record<string, unknown>>
  readonly schedule?: Schedule
  readonly alerts: readonly Alert[]
}

export interface Project {
  readonly file: string
  readonly folder: string
  readonly document: ProjectDocument
  readonly connections: Readonly<Record<string, ProjectConnection>>
  readonly pipelines: Readonly<Record<string, ProjectPipeline>>
  /** Alerts of all pipelines. */
  readonly alerts: readonly Alert[]
}

/**
 * Reads the project of a folder: `penstock.yaml` there or in a folder above, or the file or folder `given`.
 * Throws `not-found` without one and `config` errors with line and column for what is wrong in it.
 */
export const openProject = async (options: { cwd: string; given?: string | undefined }): Promise<Project> =>
  projectOf(await readDocument(await requireProjectFile(options.cwd, options.given)))

/** The project of a text, for tests and tools. */
export const parseProject = (text: string, file: string): Project => projectOf(parseProjectText(text, file))

const projectOf = (document: ProjectDocument): Project => {
  const input: unknown = document.document.toJS() ?? {}
  const result = projectFile.safeParse(input)
  if (!result.success)
    throwIssues(document, [], result.error.issues, (path) => ({
      subject: path.length === 0 ? 'the project' : path.join('.'),
      known: fieldNamesAt(projectFile, path),
    }))
  const data = result.data as NonNullable<typeof result.data>
  const connections = Object.entries(data.connections).map(([name, entry]) => {
    const { connector, description, auth, ...fields } = entry
    return [
      name,
      Object.freeze({
        name,
        connector,
        fields,
        ...(description === undefined ? {} : { description }),
        ...(auth === undefined ? {} : { auth }),
      }),
    ] as const
  })
  const pipelines = Object.entries(data.pipelines).map(([name, entry]) => {
    const { options = {}, alerts = [], ...fields } = entry
    return [name, Object.freeze({ name, ...withoutUndefined(fields), options, alerts })] as const
  })
  return Object.freeze({
    file: document.file,
    folder: dirname(document.file),
    document,
    connections: Object.fromEntries(connections),
    pipelines: Object.fromEntries(pipelines),
    alerts: data.alerts,
  })
}

type Defined<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> }

const withoutUndefined = <Fields extends object>(fields: Fields): Defined<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>

/** The connection of that name; an unknown name is `not-found`, with the one that was probably meant. */
export const connectionNamed = (project: Project, name: string): ProjectConnection =>
  named(project.connections, name, 'connection', 'penstock connect')

/** The pipeline of that name; an unknown name is `not-found`, with the one that was probably meant. */
export const pipelineNamed = (project: Project, name: string): ProjectPipeline =>
  named(project.pipelines, name, 'pipeline', 'a section `pipelines` in penstock.yaml')

const named = <Entry>(
  entries: Readonly<Record<string, Entry>>,
  name: string,
  subject: string,
  origin: string,
): Entry => {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
  if (entry) return entry
  const names = Object.keys(entries)
  const guess = nearest(name, names)
  const known =
    names.length > 0 ? `The project has: ${names.join(', ')}.` : `It has none yet; add one with ${origin}.`
  throw new ConnectorError('not-found', `The project has no ${subject} "${name}".`, {
    code: subject === 'connection' ? 'NoSuchConnection' : 'NoSuchPipeline',
    hint: guess ? `Did you mean ${guess}?` : known,
  })
}
