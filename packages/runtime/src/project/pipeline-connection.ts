import { nearest } from '@penstock/core'
import type { FieldPath } from './document.ts'
import type { Project } from './project.ts'

/** The name of a connection that the project has. None, or an unknown one, is a `config` error with its place. */
export const connectionPlace = (
  project: Project,
  name: unknown,
  path: FieldPath,
  missing?: { readonly path: FieldPath; readonly message: string },
): string => {
  if (typeof name === 'string' && Object.hasOwn(project.connections, name)) return name
  const names = Object.keys(project.connections)
  const known = `The project has: ${names.join(', ') || 'none yet'}.`
  if (name === undefined && missing)
    throw project.document.problem(missing.path, missing.message, {
      hint: `Set connection for the pipeline or for the table. ${known}`,
    })
  const guess = nearest(String(name), names)
  throw project.document.problem(path, `The project has no connection "${String(name)}".`, {
    code: 'NoSuchConnection',
    hint: guess ? `Did you mean ${guess}? ${known}` : known,
  })
}
