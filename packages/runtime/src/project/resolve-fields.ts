import type { FieldPath } from './document.ts'
import type { Project } from './project.ts'
import { mapReferences, type ResolveOptions, resolveText, resolveValue } from './references.ts'
import { rethrown } from './validate.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * The fields with their references replaced: a text that is one value of the run as a whole takes its type, unless
 * `encode` says how values stand in texts. What is wrong is a `config` error with the place of the text. */
export const resolveFields = async <Input extends Fields | readonly string[]>(
  project: Project,
  base: FieldPath,
  fields: Input,
  options: Omit<ResolveOptions, 'folder'>,
): Promise<Input> =>
  (await mapReferences(fields, base, async (text, path) => {
    const resolve = options.encode ? resolveText : resolveValue
    try {
      return await resolve(text, path.join('.'), { ...options, folder: project.folder })
    } catch (error) {
      throw rethrown(project.document, path, error)
    }
  })) as Input

/** Resolves what is known before a run, variables and files, to find what is missing. The values are dropped. */
export const checkReferences = async (
  project: Project,
  base: FieldPath,
  fields: Fields | readonly string[],
  env: ResolveOptions['env'],
): Promise<void> => {
  await resolveFields(project, base, fields, { env, values: () => '' })
}
