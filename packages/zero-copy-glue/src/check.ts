import { type AwsAuthentication, checkCredentials, checkStep, skippedStep } from '@penstock/aws'
import type { CatalogTable, CatalogTableSummary, CheckStep, ZeroCopyTable } from '@penstock/core'
import type { ZeroCopyContext } from './config.ts'
import { type Opened, openConnection, tableOf } from './open.ts'
import { isShared, isSharedNamespace, sharesOf } from './shares.ts'

const titles = {
  namespaces: 'List namespaces',
  tables: 'List tables',
  table: 'Load a table',
  read: 'Read a file of it',
}

/**
 * Credentials, role, catalog, tables, and the first bytes of a file of a table, by real calls. A failed step names the
 * permission that is missing; those that need it are skipped.
 */
export async function* checkConnection(context: ZeroCopyContext): AsyncGenerator<CheckStep> {
  const opened = openConnection(context, { attempts: 2 })
  let failed: string | undefined
  const tell = (step: CheckStep): CheckStep => {
    if (step.status === 'failed') failed ??= step.title
    return step
  }
  const skip = (id: keyof typeof titles) =>
    skippedStep(
      id,
      titles[id],
      failed === undefined ? 'there is no table' : `after the failure of: ${failed}`,
    )

  for await (const step of checkCredentials(credentialsOf(opened), context.auth, opened.environment))
    yield tell(step)
  if (failed !== undefined) {
    for (const id of ['namespaces', 'tables', 'table', 'read'] as const) yield skip(id)
    return
  }
  let namespace: readonly string[] | undefined
  yield tell(
    await checkStep('namespaces', titles.namespaces, async () => {
      namespace = await firstNamespace(context, opened)
      return { detail: namespace ? `such as ${namespace.join('.')}` : 'there is none' }
    }),
  )
  // Who may not list may still read the tables that were chosen.
  const shared = sharesOf(context.config)?.[0]
  const place = namespace ?? shared?.namespace
  let table: CatalogTable | undefined =
    shared?.tables?.[0] === undefined ? undefined : { namespace: shared.namespace, name: shared.tables[0] }
  if (place === undefined) yield skip('tables')
  else
    yield tell(
      await checkStep('tables', titles.tables, async () => {
        const found = await firstTable(context, opened, place)
        table ??= found
        return {
          detail: found
            ? `such as ${[...place, found.name].join('.')}`
            : `${place.join('.')} has none to read`,
        }
      }),
    )
  if (table === undefined) {
    yield skip('table')
    yield skip('read')
    return
  }
  const chosen = table
  let open: ZeroCopyTable | undefined
  yield tell(
    await checkStep('table', titles.table, async () => {
      open = await tableOf(context, chosen, await opened.catalog.load(chosen), opened)
      return {
        detail: `${[...chosen.namespace, chosen.name].join('.')}, ${open.schema.columns.length} column${open.schema.columns.length === 1 ? '' : 's'}`,
      }
    }),
  )
  yield open === undefined
    ? skip('read')
    : await checkStep('read', titles.read, () => readFirst(context, open as ZeroCopyTable))
}

/** What the check of credentials asks; who they are is only told by STS, which not every endpoint has. */
const credentialsOf = ({
  auth,
  environment,
}: {
  auth: AwsAuthentication
  environment: Opened['environment']
}) => ({
  credentials: async () => auth.provider(environment)?.(),
  identity: async () => undefined,
})

const firstNamespace = async (
  context: ZeroCopyContext,
  { catalog }: Opened,
): Promise<readonly string[] | undefined> => {
  for await (const { namespace } of catalog.namespaces())
    if (isSharedNamespace(context.config, namespace)) return namespace
  return undefined
}

const firstTable = async (
  context: ZeroCopyContext,
  { catalog }: Opened,
  namespace: readonly string[],
): Promise<CatalogTableSummary | undefined> => {
  for await (const table of catalog.tables(namespace))
    if (table.unsupported === undefined && isShared(context.config, table)) return table
  return undefined
}

const readFirst = async ({ signal }: ZeroCopyContext, table: ZeroCopyTable) => {
  const scan = await table.scan({ columns: [], limit: 1, signal })
  const first = scan.kind === 'files' ? scan.files[0]?.file : undefined
  if (!first) return { status: 'skipped' as const, detail: 'the table has no files' }
  for await (const _ of first.read({ start: 0, end: Math.min(4, first.size) }, { signal })) break
  return { detail: first.url }
}
