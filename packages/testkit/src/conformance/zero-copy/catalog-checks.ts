import { type CatalogTable, ConnectorError, type ZeroCopyTable } from '@penstock/core'
import { requireHelpful } from '../connection-checks.ts'
import { canonical, fail, show } from '../expectations.ts'
import type { Check, CheckContext } from '../suite.ts'
import { type Catalog, chosenTables, nameOf, type Subject, withCatalog } from './reading.ts'

const missing = 'no_such_table_of_penstock'
/** The largest id that a snapshot can have. */
const missingSnapshot = 9_223_372_036_854_775_807n

/** Namespaces, tables, schemas and versions. */
export const catalogChecks = (subject: Subject): Check[] => {
  const inCatalog = <Result>({ signal }: CheckContext, use: (catalog: Catalog) => Promise<Result>) =>
    withCatalog(subject, { signal }, use)
  const eachTable = (
    context: CheckContext,
    use: (table: ZeroCopyTable, catalog: Catalog, chosen: CatalogTable) => Promise<void>,
  ) =>
    inCatalog(context, async (catalog) => {
      for (const chosen of await chosenTables(subject, catalog))
        await use(await catalog.open(chosen), catalog, chosen)
    })

  return [
    {
      id: 'catalog/namespaces',
      title: 'Namespaces are the same at each call, without doubles',
      run: async (context) => {
        const look = () => inCatalog(context, (catalog) => catalog.namespaces())
        requireStableList('namespace', await look(), await look(), ({ namespace }) => namespace.join('.'))
      },
    },
    {
      id: 'catalog/tables',
      title: 'Tables of a namespace are the same at each call, without doubles, and of this namespace',
      run: (context) =>
        inCatalog(context, async (catalog) => {
          for (const { namespace } of await catalog.namespaces()) {
            const first = await catalog.tables(namespace)
            requireStableList('table', first, await catalog.tables(namespace), nameOf)
            const stranger = first.find((table) => canonical(table.namespace) !== canonical(namespace))
            if (stranger) fail(`${namespace.join('.')} lists the table ${nameOf(stranger)}.`)
          }
        }),
    },
    {
      id: 'catalog/schema',
      title: 'A table that is opened twice has the same schema and version, and no two columns of one name',
      run: (context) =>
        eachTable(context, async (table, catalog, chosen) => {
          const again = await catalog.open(chosen)
          const look = ({ schema, versionId }: ZeroCopyTable) => canonical([schema, versionId ?? null])
          if (look(table) !== look(again))
            fail(`${nameOf(chosen)}: first ${look(table)}, then ${look(again)}.`)
          const names = table.schema.columns.map(({ name }) => name)
          if (names.length === 0) fail(`${nameOf(chosen)} has no columns.`)
          if (new Set(names).size < names.length) fail(`${nameOf(chosen)} has two columns of one name.`)
        }),
    },
    {
      id: 'catalog/not-found',
      title: 'A table that is not there is told as not found, with a hint',
      run: (context) =>
        inCatalog(context, async (catalog) => {
          const [first] = await chosenTables(subject, catalog)
          for (const namespace of [first?.namespace ?? [], [missing]])
            await requireError(catalog.open({ namespace, name: missing }), 'not-found', 'A missing table')
        }),
    },
    {
      id: 'catalog/forbidden',
      title: 'What the identity may not see is an error, never an empty list',
      run: async ({ signal, skip }) => {
        const config =
          subject.options.forbidden ??
          skip('No configuration of an identity without rights was given (forbidden).')
        const list = withCatalog(subject, { signal, config }, (catalog) => catalog.namespaces())
        await requireError(list, 'permission', 'A listing without the right to list')
      },
    },
    {
      id: 'catalog/details',
      title: 'Details of a table name its own columns and snapshots',
      run: async (context) => {
        let described = 0
        await eachTable(context, async (table, _, chosen) => {
          const details = await table.details?.({ signal: context.signal })
          if (!details) return
          described++
          const columns = new Set(table.schema.columns.map(({ name }) => name))
          for (const { column } of details.partitions)
            if (!columns.has(column)) fail(`${nameOf(chosen)} is partitioned by ${column}, which it lacks.`)
          const ids = new Set(details.snapshots.map(({ id }) => id))
          if (ids.size < details.snapshots.length) fail(`${nameOf(chosen)} has two snapshots of one id.`)
          for (const { name, snapshotId } of details.refs)
            if (!ids.has(snapshotId))
              fail(`${nameOf(chosen)}: ${name} is snapshot ${snapshotId}, which it lacks.`)
        })
        if (described === 0) context.skip('Its tables have no details.')
      },
    },
    {
      id: 'catalog/versions',
      title:
        'Each snapshot can be read, always with the same rows; one that is not there is told as not found',
      run: async (context) => {
        if (!subject.connector.capabilities.timeTravel) context.skip('It declares no time travel.')
        let seen = 0
        await eachTable(context, async (table, catalog, chosen) => {
          const snapshots = (await table.details?.({ signal: context.signal }))?.snapshots ?? []
          seen += snapshots.length
          for (const { id, rows } of snapshots) {
            const count = async () =>
              (await catalog.rows(await catalog.open(chosen, { snapshotId: id }), { columns: [] })).length
            const [first, second] = [await count(), await count()]
            // What a format counts may have rows that are deleted by now.
            const most = rows === undefined ? first : Number(rows)
            if (first !== second || first > most)
              fail(`Snapshot ${id} of ${nameOf(chosen)} has ${first}, then ${second} rows, of ${most}.`)
          }
          if (snapshots.length > 0)
            await requireError(
              catalog.open(chosen, { snapshotId: missingSnapshot }),
              'not-found',
              'A missing snapshot',
            )
        })
        if (seen === 0) context.skip('No table tells its snapshots.')
      },
    },
  ]
}

const requireStableList = <Entry>(
  what: string,
  first: readonly Entry[],
  second: readonly Entry[],
  nameOfEntry: (entry: Entry) => string,
): void => {
  if (canonical(first) !== canonical(second)) fail(`First: ${show(first)}, then: ${show(second)}.`)
  const seen = new Set<string>()
  for (const name of first.map(nameOfEntry)) {
    if (seen.has(name)) fail(`The ${what} ${name} is listed twice.`)
    seen.add(name)
  }
}

const requireError = async (
  result: Promise<unknown>,
  kind: ConnectorError['kind'],
  what: string,
): Promise<void> => {
  const error = await result.then(
    (value) => fail(`${what} gives ${show(value)}.`),
    (reason: unknown) => reason,
  )
  if (!ConnectorError.isInstance(error)) throw error
  requireHelpful(error, what)
  if (error.kind !== kind) fail(`${what} is told as ${error.kind}, not as ${kind}: ${error.message}`)
}
