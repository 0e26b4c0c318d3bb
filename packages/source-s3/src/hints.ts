import type { S3Access } from '@penstock/aws'
import { ConnectorError, nearest } from '@penstock/core'
import { folderOf, isMarker, lastSegment, quoted } from './keys.ts'
import type { Search } from './search.ts'
import type { Selection } from './selection.ts'

/** Levels that are looked at, upwards, for something with a similar name. */
const levels = 4
const named = 3

/** A missing object, with what its author may have meant. */
export const missingObject = async (
  access: S3Access,
  key: string,
  confinement: string,
  signal: AbortSignal,
): Promise<ConnectorError> =>
  new ConnectorError('not-found', `There is no object ${quoted(key)} in bucket ${access.bucket}.`, {
    code: 'NoSuchKey',
    hint: await objectHint(access, key, confinement, signal),
    place: { object: key },
  })

const objectHint = async (
  access: S3Access,
  key: string,
  confinement: string,
  signal: AbortSignal,
): Promise<string> => {
  const similar = await similarNames(access, key, confinement, signal)
  const folder = similar.find((name) => name === `${key}/`)
  if (folder !== undefined) return `There is a folder of that name: use --folder ${folder}.`
  if (similar.length > 0) return `Did you mean ${similar.map(quoted).join(' or ')}?`
  return leadingSlash(key) ?? 'See what there is: penstock tables CONNECTION.'
}

/** A search that found nothing. */
export const nothingFound = async (
  access: S3Access,
  search: Search,
  selection: Selection,
  confinement: string,
  signal: AbortSignal,
): Promise<ConnectorError> =>
  new ConnectorError('not-found', `Nothing matches ${search.subject}${narrowed(selection)}.`, {
    code: 'NothingMatches',
    hint: `${await searchHint(access, search, confinement, signal)} If nothing is fine: --allow-empty.`,
  })

const narrowed = (selection: Selection): string => {
  const narrowing = (['exclude', 'pattern', 'modifiedAfter', 'modifiedBefore'] as const).filter(
    (name) => selection[name] !== undefined,
  )
  return narrowing.length === 0 ? '' : ` with ${narrowing.join(', ')}`
}

const searchHint = async (
  access: S3Access,
  search: Search,
  confinement: string,
  signal: AbortSignal,
): Promise<string> => {
  const { prefix } = search
  const similar = prefix === '' ? [] : await similarNames(access, prefix, confinement, signal)
  const object = similar.find((name) => `${name}/` === prefix)
  if (object !== undefined) return `There is an object of that name: use --object ${quoted(object)}.`
  const others = similar.filter((name) => name !== prefix)
  if (similar.length > others.length) {
    const parentheses = search.kind === 'glob' && search.filter.groups.length > 0
    const captures = parentheses ? ' Parentheses capture: write \\( and \\) for the characters.' : ''
    return `There are objects below ${quoted(prefix)}, but none of them matches.${captures}`
  }
  if (others.length > 0) return `Did you mean ${others.map(quoted).join(' or ')}?`
  return leadingSlash(prefix) ?? 'See what there is: penstock tables CONNECTION.'
}

const leadingSlash = (key: string): string | undefined =>
  key.startsWith('/') ? `Keys begin without a slash: try ${quoted(key.replace(/^\/+/, ''))}.` : undefined

/**
 * Keys and folders with a name like the wanted one, at its level or, where that is empty, further up. Costs a request
 * for each level; a failure of it gives no names, as the caller has something to report already.
 */
const similarNames = async (
  access: S3Access,
  wanted: string,
  confinement: string,
  signal: AbortSignal,
): Promise<string[]> => {
  try {
    let target = wanted
    for (let level = 0; level < levels; level++) {
      const parent = folderOf(target.replace(/\/+$/, ''))
      if (!parent.startsWith(confinement)) return []
      const names = await namesAt(access, parent, signal)
      if (names.length > 0) return closest(target, names)
      if (parent === '') return []
      target = parent
    }
    return []
  } catch (error) {
    // That the bucket itself is missing is the better report.
    if (signal.aborted || (ConnectorError.isInstance(error) && error.kind === 'not-found')) throw error
    return []
  }
}

const namesAt = async (access: S3Access, parent: string, signal: AbortSignal): Promise<string[]> => {
  for await (const { entries, prefixes } of access.list({ prefix: parent, delimiter: '/', signal }))
    return [...prefixes, ...entries.filter((entry) => !isMarker(entry)).map((entry) => entry.key)]
  return []
}

/** The same name as folder or object first, then other spellings, then longer and shorter names. */
const closest = (wanted: string, names: readonly string[]): string[] => {
  const bare = (name: string) => lastSegment(name).toLowerCase()
  const goal = bare(wanted)
  const found = new Set(names.filter((name) => bare(name) === goal))
  const candidates = names.filter((name) => !found.has(name))
  const near = nearest(goal, candidates.map(bare))
  for (const name of candidates) if (near !== undefined && bare(name) === near) found.add(name)
  for (const name of candidates)
    if (goal !== '' && (bare(name).startsWith(goal) || goal.startsWith(bare(name)))) found.add(name)
  return [...found].slice(0, named)
}
