import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnyConnector, type AuthMethod, ConnectorError, schemaFields } from '@penstock/core'
import { isMap, isScalar, YAMLMap } from 'yaml'
import type { ScheduleInput } from '../schedule/schedule.ts'
import { writeFileAtomically } from './atomic.ts'
import { checkConnection, plainSecretMessage, plainSecrets, secretHint } from './connection.ts'
import { projectFileName } from './find.ts'
import { isProjectName } from './names.ts'
import {
  connectionNamed,
  type Project,
  type ProjectPipeline,
  parseProject,
  pipelineNamed,
} from './project.ts'

type Fields = Readonly<Record<string, unknown>>

/** Where editors find the JSON Schema of the project file: it comes with the command line's package. */
export const projectSchemaUrl = 'https://unpkg.com/penstock/schema/penstock.schema.json'

const template = `# yaml-language-server: $schema=${projectSchemaUrl}

# Where data comes from, and where it goes. Add one with: penstock connect NAME
connections: {}

# What to extract, and into which database. Take the # away for a pipeline of the
# connection lake; try it with: penstock run daily
#
# pipelines:
#   daily:
#     connection: lake
#     into: warehouse.duckdb
#     tables:
#       - folder: orders/
#         mode: delta
`

/**
 * Makes a project in a folder: `penstock.yaml`, and `.penstock/` for the run history, which git ignores.
 * An existing project file is a `conflict`, and stays as it is.
 */
export const initProject = async (folder: string): Promise<{ file: string }> => {
  const file = join(folder, projectFileName)
  await mkdir(folder, { recursive: true })
  try {
    await writeFile(file, template, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new ConnectorError('conflict', `${file} is there already.`, {
      code: 'ProjectExists',
      hint: 'Add a connection to it with: penstock connect',
    })
  }
  await prepareStateFolder(folder)
  return { file }
}

/** Makes `.penstock/` with a .gitignore of its own, where it is missing. Returns its path. */
export const prepareStateFolder = async (folder: string): Promise<string> => {
  const path = join(folder, '.penstock')
  await mkdir(path, { recursive: true })
  const ignore = join(path, '.gitignore')
  const exists = await stat(ignore).then(
    () => true,
    () => false,
  )
  if (!exists) await writeFile(ignore, '*\n')
  return path
}

export interface ConnectionEdit {
  readonly name: string
  readonly connector: AnyConnector
  /** Value of `connector:`: the connector's name, a package or a path. */
  readonly reference: string
  readonly description?: string
  readonly fields: Fields
  readonly auth?: Fields
}

/**
 * Adds or replaces a connection in the project file; comments and the order of everything else stay.
 * Refuses secrets in plain text before anything is written. Returns the project as it is now.
 */
export const saveConnection = async (project: Project, edit: ConnectionEdit): Promise<Project> => {
  if (!isProjectName(edit.name))
    throw new ConnectorError('config', `"${edit.name}" can't be the name of a connection.`, {
      hint: 'Use 1-64 letters, digits, . _ or -, beginning with a letter or digit.',
    })
  refusePlainSecrets(edit)
  const entry = {
    connector: edit.reference,
    ...(edit.description === undefined ? {} : { description: edit.description }),
    ...edit.fields,
    ...(edit.auth === undefined ? {} : { auth: edit.auth }),
  }
  return change(
    project,
    (document) => {
      let section = document.get('connections')
      if (!isMap(section)) {
        section = new YAMLMap()
        document.set('connections', section)
      }
      const connections = section as YAMLMap
      connections.flow = false
      const existing = connections.get(edit.name)
      if (isMap(existing)) mergeMap(document, existing, entry)
      else connections.set(edit.name, document.createNode(entry))
    },
    (changed) => checkConnection(changed, edit.name, edit.connector),
  )
}

type YamlDocument = Project['document']['document']

/** Makes a map hold exactly these fields; fields that stay keep their place, style and comments. */
const mergeMap = (document: YamlDocument, map: YAMLMap, fields: Fields): void => {
  const wanted = new Set(Object.keys(fields))
  for (const item of [...map.items]) {
    const key = isScalar(item.key) ? item.key.value : undefined
    if (typeof key !== 'string' || !wanted.has(key)) map.delete(item.key)
  }
  for (const [name, value] of Object.entries(fields)) {
    const existing = map.get(name, true)
    if (isMap(existing) && typeof value === 'object' && value !== null && !Array.isArray(value))
      mergeMap(document, existing, value as Fields)
    else if (isScalar(existing) && (typeof value !== 'object' || value === null)) {
      if (existing.value !== value) existing.value = value
    } else map.set(name, document.createNode(value))
  }
}

const refusePlainSecrets = (edit: ConnectionEdit): void => {
  const methods: readonly AuthMethod[] = edit.connector.auth ?? []
  const method = methods.find((candidate) => candidate.id === edit.auth?.method)
  const found = [
    ...plainSecrets(schemaFields(edit.connector.config), edit.fields),
    ...(method ? plainSecrets(schemaFields(method.fields), edit.auth ?? {}, ['auth']) : []),
  ][0]
  if (!found) return
  throw new ConnectorError('config', plainSecretMessage(found.path, `connection "${edit.name}"`), {
    code: 'PlainSecret',
    hint: secretHint(edit.name, found.path),
  })
}

/** Sets the schedule of a pipeline, or removes it; comments and the order of everything else stay. */
export const saveSchedule = async (
  project: Project,
  name: string,
  schedule: ScheduleInput | undefined,
): Promise<Project> => {
  pipelineNamed(project, name)
  return change(project, (document) => {
    const pipeline = document.getIn(['pipelines', name])
    if (!isMap(pipeline)) throw new ConnectorError('internal', `Pipeline ${name} is no map.`)
    const existing = pipeline.get('schedule')
    if (schedule === undefined) pipeline.delete('schedule')
    else if (isMap(existing)) mergeMap(document, existing, schedule)
    else pipeline.set('schedule', document.createNode(schedule))
  })
}

/** Removes a connection. One that a pipeline uses is a `conflict` that names the pipelines. */
export const removeConnection = async (project: Project, name: string): Promise<Project> => {
  connectionNamed(project, name)
  const users = Object.values(project.pipelines).filter((pipeline) => connectionsOf(pipeline).includes(name))
  if (users.length > 0)
    throw new ConnectorError('conflict', `Connection "${name}" is used by ${pipelineList(users)}.`, {
      hint: 'Change or remove these pipelines in penstock.yaml first.',
    })
  return change(project, (document) => document.deleteIn(['connections', name]))
}

/** Names of the connections that a pipeline mentions. */
const connectionsOf = ({ connection, tables = [], steps = [] }: ProjectPipeline): readonly unknown[] => [
  connection,
  ...tables.map((table) => table.connection),
  ...steps.flatMap((step) => [
    step.extract?.connection,
    ...(step.extract?.tables ?? []).map((table) => table.connection),
    step.export?.connection,
    step.action?.connection,
  ]),
]

const pipelineList = (pipelines: readonly { name: string }[]): string =>
  `${pipelines.length === 1 ? 'pipeline' : 'pipelines'} ${pipelines.map((pipeline) => pipeline.name).join(', ')}`

/**
 * Changes the project file on a fresh copy of what was read. The result has to be a valid project before it is
 * written; a file that changed in the meantime is a `conflict`.
 */
const change = async (
  project: Project,
  edit: (document: YamlDocument) => void,
  check: (changed: Project) => void = () => {},
): Promise<Project> => {
  const document = project.document.document.clone()
  edit(document)
  const text = document.toString({ lineWidth: 0 })
  const changed = parseProject(text, project.file)
  check(changed)
  if ((await readFile(project.file, 'utf8')) !== project.document.text)
    throw new ConnectorError('conflict', `${project.file} changed while it was being edited.`, {
      hint: 'Repeat the command.',
    })
  await writeFileAtomically(project.file, text)
  return changed
}
