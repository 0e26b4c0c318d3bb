import type { S3Access, S3Entry } from '@penstock/aws'
import { ConnectorError, type FileTable, fileStem } from '@penstock/core'
import { accessOf } from './access.ts'
import type { S3Context } from './config.ts'
import { s3Table } from './file-table.ts'
import { type Formats, formatsOf } from './format.ts'
import { missingObject, nothingFound } from './hints.ts'
import { folderOf, lastSegment, quoted } from './keys.ts'
import { requireReadable, searchPages } from './listing.ts'
import { lookUp } from './look-up.ts'
import { type Objects, planSearch, type Search } from './search.ts'
import type { Selection } from './selection.ts'
import { groupEntries, type TableGroup } from './table-groups.ts'
import { compileTemplate, type NameTemplate, requirePlaceholders } from './template.ts'

interface Work {
  readonly context: S3Context
  readonly access: S3Access
  readonly selection: Selection
  readonly formats: Formats
  readonly template: NameTemplate | undefined
  /** Entries that are kept in memory when one listing serves many tables. */
  readonly keepEntries: number | undefined
}

/**
 * Tables of one selection: a table for each object, one for a folder or a glob, or one for each name that the template
 * gives. Throws `not-found` when nothing matches, unless that is allowed, and `config` for a selection that can't be.
 */
export const selectTables = async (
  context: S3Context,
  selection: Selection,
  { keepEntries }: { readonly keepEntries?: number } = {},
): Promise<readonly FileTable[]> => {
  const search = planSearch(selection, context.config)
  const template = selection.table === undefined ? undefined : compileTemplate(selection.table)
  if (template) requirePlaceholders(template, [...search.filter.groups, 'file', 'folder'])
  const access = accessOf(context)
  const work = { context, access, selection, formats: formatsOf(selection), template, keepEntries }
  if (search.kind === 'objects') return objectTables(work, search)
  if (template && template.placeholders.length > 0) return namedTables(work, search, template)
  return [await singleTable(work, search)]
}

const tableOf = (
  { access, formats, selection }: Work,
  table: Pick<Parameters<typeof s3Table>[0], 'name' | 'pages'>,
  folder?: string,
): FileTable =>
  s3Table({
    ...table,
    access,
    formats,
    partitionsBelow: selection.partitions ? folder : undefined,
    maxObjects: selection.maxObjects,
    narrowedBy: (['maxObjects', 'modifiedAfter', 'modifiedBefore'] as const).filter(
      (name) => selection[name] !== undefined,
    ),
  })

/** Values of a template's placeholders for one key. */
const valuesOf = (key: string, { filter }: Search | Objects) => ({
  file: fileStem(key),
  folder: lastSegment(folderOf(key)),
  ...filter.captures(key),
})

const objectTables = async (work: Work, { keys, filter }: Objects): Promise<FileTable[]> => {
  const { context, access, selection, template } = work
  const confinement = context.config.prefix ?? ''
  const heads = await Promise.all(
    keys.map(
      async (key) =>
        (await lookUp(access, key, context.signal)) ??
        Promise.reject(await missingObject(access, key, confinement, context.signal)),
    ),
  )
  const entries = heads.filter(filter.accepts).sort(byKey)
  await requireReadable(access, entries, context.signal)
  if (entries.length === 0) {
    if (selection.allowEmpty) return []
    throw new ConnectorError('not-found', 'None of the objects passes the other options of the selection.', {
      code: 'NothingMatches',
      hint: 'Look at exclude, pattern, modifiedAfter and modifiedBefore, or allow it with --allow-empty.',
    })
  }
  const search: Objects = { kind: 'objects', keys, filter }
  const nameOf = (key: string) => template?.render(valuesOf(key, search), key) ?? fileStem(key)
  const groups = new Map<string, { name: string; entries: S3Entry[] }>()
  for (const entry of entries) {
    const name = nameOf(entry.key)
    const group = groups.get(name.toLowerCase())
    if (!group) groups.set(name.toLowerCase(), { name, entries: [entry] })
    else if (template) group.entries.push(entry)
    else throw sameName(name, group.entries[0]?.key ?? '', entry.key)
  }
  return [...groups.values()].map((group) =>
    tableOf(work, { name: group.name, pages: () => once(group.entries) }),
  )
}

async function* once(entries: readonly S3Entry[]): AsyncGenerator<readonly S3Entry[]> {
  yield entries
}

/** UTF-8 byte order, as S3 lists. */
const byKey = (a: S3Entry, b: S3Entry): number => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))

const sameName = (name: string, first: string, second: string): ConnectorError =>
  new ConnectorError(
    'config',
    `${quoted(first)} and ${quoted(second)} would both become the table "${name}".`,
    {
      code: 'SameTableName',
      hint: 'Put both into one table with --table NAME, or tell them apart, for example --table {folder}_{file}.',
      place: { object: second },
    },
  )

const singleTable = async (work: Work, search: Search): Promise<FileTable> => {
  const { context, access, selection, template } = work
  const { signal } = context
  const name = template ? template.render({}, search.prefix) : search.defaultName
  if (name === undefined)
    throw new ConnectorError('config', `The ${search.subject} needs a name for its table.`, {
      code: 'NoTableName',
      hint: 'Give it with --table NAME.',
    })
  // The listing that shows that something matches goes on as the table's first listing: one listing, not two.
  const listing = searchPages(access, search, signal)
  const first = await listing.next()
  if (first.done && !selection.allowEmpty)
    throw await nothingFound(access, search, selection, context.config.prefix ?? '', signal)
  let begun: { first: typeof first; listing: typeof listing } | undefined = { first, listing }
  context.defer(async () => void (await begun?.listing.return(undefined)))
  const pages = (listSignal: AbortSignal) => {
    const taken = begun
    begun = undefined
    return taken ? resumed(taken.first, taken.listing) : searchPages(access, search, listSignal)
  }
  return tableOf(work, { name, pages }, search.folder)
}

async function* resumed(
  first: IteratorResult<S3Entry[]>,
  rest: AsyncGenerator<S3Entry[]>,
): AsyncGenerator<S3Entry[]> {
  try {
    if (!first.done) {
      yield first.value
      yield* rest
    }
  } finally {
    await rest.return(undefined)
  }
}

const namedTables = async (work: Work, search: Search, template: NameTemplate): Promise<FileTable[]> => {
  const { context, access, selection, formats } = work
  const { signal, config } = context
  const groups = await groupEntries(searchPages(access, search, signal), {
    nameOf: (key) => template.render(valuesOf(key, search), key),
    createCheck: formats.createCheck,
    maxObjects: selection.maxObjects,
    keep: work.keepEntries,
  })
  if (groups.length === 0 && !selection.allowEmpty)
    throw await nothingFound(access, search, selection, config.prefix ?? '', signal)
  const pagesOf = (group: TableGroup) => (listSignal: AbortSignal) =>
    group.entries
      ? pagesOfList(group.entries)
      : relisted(group, searchPages(access, { ...search, prefix: group.prefix }, listSignal), (key) =>
          template.render(valuesOf(key, search), key),
        )
  return groups.map((group) => tableOf(work, { name: group.name, pages: pagesOf(group) }, search.folder))
}

const pageSize = 1000

async function* pagesOfList(entries: readonly S3Entry[]): AsyncGenerator<readonly S3Entry[]> {
  for (let start = 0; start < entries.length; start += pageSize) yield entries.slice(start, start + pageSize)
}

async function* relisted(
  group: TableGroup,
  pages: AsyncIterable<readonly S3Entry[]>,
  nameOf: (key: string) => string,
): AsyncGenerator<readonly S3Entry[]> {
  for await (const page of pages) {
    const own = page.filter((entry) => nameOf(entry.key) === group.name)
    if (own.length > 0) yield own
  }
}
