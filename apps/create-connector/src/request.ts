import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { CreateError } from './create.ts'
import { folderOf, isKind, type Kind, kinds, type Names, namesOf } from './names.ts'

export interface Request {
  readonly kind: Kind
  readonly names: Names
  readonly folder: string
}

/** How one asks for what is missing; absent where nobody can answer. */
export interface Questions {
  name(problem: (answer: string) => string | undefined): Promise<string>
  kind(): Promise<Kind>
}

export const usage = `Usage: npm create @penstock/connector NAME -- --kind KIND [--folder FOLDER]

  NAME      name of the new package: penstock-source-leads, @crm/leads
  --kind    ${kinds.join(', ')}
  --folder  where it is written (default: NAME, without its scope)
  --version
  --help

At a terminal it asks for what is missing.`

/** Reads the command line, and asks for the rest. Throws a CreateError for what can't be understood. */
export const requestOf = async (
  argv: readonly string[],
  questions: Questions | undefined,
): Promise<Request | 'help' | 'version'> => {
  const { values, positionals } = parse(argv)
  if (values.help) return 'help'
  if (values.version) return 'version'
  const [givenName, ...rest] = positionals
  if (rest.length > 0) throw new CreateError(`one name is enough, not also "${rest[0]}"`)
  const kind = await kindOf(values.kind, questions)
  const name = givenName ?? (await questions?.name((answer) => problemOf(answer, kind)))
  if (name === undefined) throw new CreateError('the name of the new package is missing')
  const names = namesOf(name, kind)
  if ('problem' in names) throw new CreateError(`"${name}" can't be the name: ${names.problem}`)
  return { kind, names, folder: resolve(values.folder ?? folderOf(name)) }
}

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        kind: { type: 'string' },
        folder: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    })
  } catch (error) {
    const [message = ''] = (error as Error).message.split('. ')
    throw new CreateError(message.charAt(0).toLowerCase() + message.slice(1))
  }
}

const kindOf = async (given: string | undefined, questions: Questions | undefined): Promise<Kind> => {
  if (given === undefined) {
    if (questions) return questions.kind()
    throw new CreateError(`the kind is missing: --kind ${kinds.join('|')}`)
  }
  if (isKind(given)) return given
  throw new CreateError(`"${given}" is no kind of connector: ${kinds.join(', ')}`)
}

const problemOf = (name: string, kind: Kind): string | undefined => {
  const names = namesOf(name, kind)
  return 'problem' in names ? names.problem : undefined
}
