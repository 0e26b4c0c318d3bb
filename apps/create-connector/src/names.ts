import { builtinModules } from 'node:module'

export const kinds = ['source', 'destination', 'zero-copy', 'actions'] as const
export type Kind = (typeof kinds)[number]

export const isKind = (text: string): text is Kind => (kinds as readonly string[]).includes(text)

/** What a new connector is called, wherever it is named. */
export interface Names {
  /** As given: `@crm/penstock-source-leads`. */
  readonly package: string
  /** Stable id of the connector, beginning with its kind: `source-leads`. */
  readonly connector: string
  /** What it is about; the first word of the commands of actions: `leads`. */
  readonly subject: string
  /** For people: `Leads`. */
  readonly title: string
  /** For environment variables: `LEADS`. */
  readonly variable: string
}

const longestName = 214

/** Names of a connector after the name of its package, or what is wrong with that name. */
export const namesOf = (name: string, kind: Kind): Names | { readonly problem: string } => {
  const problem = problemOf(name)
  if (problem) return { problem }
  const bare = folderOf(name)
    .replaceAll(/[._~]+/g, '-')
    .replace(/^penstock-/, '')
  const subject = `-${bare}`.split(`-${kind}-`).at(-1)?.replace(/^-/, '') ?? ''
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(subject))
    return {
      problem: `"${subject}" can't be a word of the command line: it has to be letters, digits and single dashes, and to begin with a letter`,
    }
  return {
    package: name,
    connector: `${kind}-${subject}`,
    subject,
    title: (subject[0] ?? '').toUpperCase() + subject.slice(1).replaceAll('-', ' '),
    variable: subject.replaceAll('-', '_').toUpperCase(),
  }
}

/** The package's name without its scope, which is also the name of its folder. */
export const folderOf = (name: string): string => name.replace(/^@[^/]*\//, '')

/** What npm refuses, or nobody could install. */
const problemOf = (name: string): string | undefined => {
  if (name === '') return 'a name is missing'
  if (name.length > longestName) return `a package's name has ${longestName} characters at most`
  if (name !== name.toLowerCase()) return `a package's name is in lower case: ${name.toLowerCase()}`
  if (!/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name))
    return 'a package\'s name is letters, digits, dots, dashes and underscores, with a "@scope/" in front of it or not'
  if (builtinModules.includes(name) || name === 'node_modules') return `"${name}" is a word of Node`
  return undefined
}
