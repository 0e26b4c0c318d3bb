import type { LogicalType, Predicate, PredicateKind, ScanRequest, ZeroCopyTable } from '@penstock/core'
import { canonical, fail, notExpected, sameRows, show } from '../expectations.ts'
import type { Check, CheckContext } from '../suite.ts'
import { disjunctions } from './disjunctions.ts'
import type { Row } from './options.ts'
import {
  allColumns,
  type Catalog,
  chosenTables,
  nameOf,
  readFilesOf,
  type Subject,
  withCatalog,
  withFiles,
} from './reading.ts'
import { compareScalars, evaluate, scalarOf, trialPredicates } from './values.ts'

/** A table with all of its rows, read without any pushdown. */
interface Whole {
  readonly table: ZeroCopyTable
  readonly name: string
  readonly rows: readonly Row[]
  readonly catalog: Catalog
}

/** Rows of scans: whole, and with everything that may be pushed down. */
export const scanChecks = (subject: Subject): Check[] => {
  const { pushdown } = subject.connector.capabilities
  const eachTable = ({ signal }: CheckContext, use: (whole: Whole) => Promise<void>) =>
    withCatalog(subject, { signal }, async (catalog) => {
      for (const chosen of await chosenTables(subject, catalog)) {
        const table = await catalog.open(chosen)
        await use({ table, name: nameOf(chosen), rows: await catalog.rows(table), catalog })
      }
    })

  return [
    {
      id: 'scan/rows-fit',
      title: 'Every row fits the schema of its table',
      run: (context) => eachTable(context, async (whole) => requireFit(whole)),
    },
    {
      id: 'scan/twice',
      title: 'Two scans of one version give the same rows',
      run: (context) =>
        eachTable(context, async ({ table, name, rows, catalog }) =>
          sameRows(await catalog.rows(table), rows, {
            found: `${name}, scanned again,`,
            wanted: 'the first',
          }),
        ),
    },
    {
      id: 'scan/values',
      title: 'Values arrive to the letter: 64-bit integers, decimals, timestamps',
      run: async (context) => {
        const expected = subject.options.expected ?? context.skip('No expected rows were given (expected).')
        const missing: string[] = []
        await eachTable(context, async ({ name, rows }) => {
          const wanted = expected[name]
          if (wanted) sameRows(rows, wanted, { found: name, wanted: 'what was expected' })
          else missing.push(name)
        })
        if (missing.length > 0) context.skip(notExpected(missing))
      },
    },
    {
      id: 'scan/columns',
      title: 'Each column alone, and none at all, gives what it gives in the whole',
      run: async (context) => {
        if (!pushdown.columns) context.skip('It does not declare the pushdown of columns.')
        await eachTable(context, async ({ table, name, rows, catalog }) => {
          for (const [column] of allColumns(table)) {
            const alone = await catalog.rows(table, { columns: [[column]] })
            const wanted = rows.map((row) => ({ [column]: row[column] }))
            sameRows(alone, wanted, { found: `Column ${column} of ${name}, alone,`, wanted: 'the whole' })
          }
          const none = await catalog.rows(table, { columns: [] })
          if (none.length !== rows.length)
            fail(`${name} without columns has ${none.length} of ${rows.length} rows.`)
        })
      },
    },
    {
      id: 'scan/filters',
      title: 'With each kind of filter that it declares, no row is lost that fulfils the filter',
      run: async (context) => {
        if (pushdown.filters.length === 0) context.skip('It declares no pushdown of filters.')
        await eachTable(context, async (whole) => {
          for (const filter of predicatesOf(whole, pushdown.filters)) {
            const found = fulfilling(whole, filter, await whole.catalog.rows(whole.table, { filter }))
            sameRows(found, fulfilling(whole, filter, whole.rows), {
              found: `${whole.name} with the filter ${show(filter)}`,
              wanted: 'the whole',
            })
          }
        })
      },
    },
    {
      id: 'scan/limit',
      title: 'With a limit there are as many rows as it says, all of them of the table',
      run: async (context) => {
        if (!pushdown.limit) context.skip('It does not declare the pushdown of limits.')
        await eachTable(context, async ({ table, name, rows, catalog }) => {
          const known = new Set(rows.map(canonical))
          for (const limit of new Set([1, Math.ceil(rows.length / 2), rows.length + 1])) {
            const found = await catalog.rows(table, { limit })
            const wanted = Math.min(limit, rows.length)
            if (found.length < wanted)
              fail(`${name} with the limit ${limit} has ${found.length} of ${wanted} rows.`)
            const stranger = found.find((row) => !known.has(canonical(row)))
            if (stranger) fail(`${name} with the limit ${limit} has a row that it lacks: ${show(stranger)}.`)
          }
        })
      },
    },
    {
      id: 'scan/claims',
      title: 'What it declares to push down makes a scan smaller, and what a scan says of its rows holds',
      run: async (context) => {
        const saved = { columns: false, limit: false, filters: false }
        await eachTable(context, async (whole) => {
          const { table, rows } = whole
          const { signal } = context
          const cost = async (request: Partial<ScanRequest>) =>
            costOf(table, { columns: allColumns(table), ...request, signal })
          const all = await cost({})
          saved.columns ||= (await cost({ columns: allColumns(table).slice(0, 1) })).cells < all.cells
          saved.limit ||= (await cost({ limit: 1 })).rows < all.rows
          for (const filter of predicatesOf(whole, pushdown.filters))
            saved.filters ||= (await cost({ filter })).rows < all.rows
          await requireTrueScan(subject, whole, undefined, rows, signal)
          for (const filter of predicatesOf(whole, pushdown.filters))
            await requireTrueScan(subject, whole, filter, fulfilling(whole, filter, rows), signal)
        })
        const unused = Object.entries(saved)
          .filter(([name, used]) => !used && isDeclared(pushdown[name as keyof typeof saved]))
          .map(([name]) => name)
        if (unused.length > 0)
          fail(`It declares the pushdown of ${unused.join(' and ')}, and no scan gets smaller by it.`)
      },
    },
    {
      id: 'scan/read-only',
      title: 'Scans change nothing on the other side',
      run: async (context) => {
        const state =
          subject.options.state ?? context.skip('The state of the other side was not given (state).')
        const before = canonical(await state())
        await eachTable(context, async ({ table, catalog }) => void (await catalog.rows(table, { limit: 1 })))
        if (canonical(await state()) !== before) fail('It changed.')
      },
    },
  ]
}

const isDeclared = (declared: boolean | readonly PredicateKind[]): boolean =>
  typeof declared === 'boolean' ? declared : declared.length > 0

const predicatesOf = ({ table, rows }: Whole, kinds: readonly PredicateKind[]): Predicate[] => [
  ...trialPredicates(table.schema.columns, rows, kinds),
  ...disjunctions(table.schema.columns, rows, kinds),
]

const fulfilling = ({ table }: Whole, filter: Predicate, rows: readonly Row[]): Row[] =>
  rows.filter((row) => evaluate(filter, table.schema.columns, row) === true)

/** What a scan costs, in units of its own kind: rows (for files, files and what is known to be left out) and cells. */
const costOf = async (
  table: ZeroCopyTable,
  request: ScanRequest,
): Promise<{ rows: number; cells: number }> => {
  const scan = await table.scan(request)
  if (scan.kind === 'files')
    return {
      rows: scan.files.length,
      cells: scan.files.reduce((sum, { columns }) => sum + columns.length, 0),
    }
  const rows = (await Array.fromAsync(scan.rows())).flat()
  return { rows: rows.length, cells: rows.reduce((sum, row) => sum + Object.keys(row).length, 0) }
}

/** Files that claim to need no further filter, and aggregates that claim to be exact. */
const requireTrueScan = async (
  { options }: Subject,
  { table, name }: Whole,
  filter: Predicate | undefined,
  rows: readonly Row[],
  signal: AbortSignal,
): Promise<void> => {
  const scan = await table.scan({ columns: allColumns(table), signal, ...(filter && { filter }) })
  if (scan.kind !== 'files') return
  const clean = scan.files.filter(({ residual }) => !residual)
  if (filter && clean.length > 0) {
    const columns = table.schema.columns.map((column) => column.name)
    const found = await readFilesOf(options)(withFiles(scan, clean), { table, columns, signal })
    for (const row of found)
      if (evaluate(filter, table.schema.columns, row) !== true)
        fail(
          `A file of ${name} claims that all its rows fulfil ${show(filter)}; this one does not: ${show(row)}.`,
        )
  }
  const { exact } = scan
  if (!exact) return
  if (exact.rows !== BigInt(rows.length)) fail(`${name} claims ${exact.rows} rows; it has ${rows.length}.`)
  for (const { name: column, type } of table.schema.columns) {
    const bounds = exact.bounds[column]
    const values = rows.map((row) => scalarOf(type, row[column])).filter((value) => value !== undefined)
    if (!bounds || values.length === 0) continue
    const sorted = values.sort(compareScalars)
    if (
      compareScalars(bounds.min, sorted[0] as never) !== 0 ||
      compareScalars(bounds.max, sorted.at(-1) as never) !== 0
    )
      fail(`${name} claims that ${column} is from ${show(bounds.min)} to ${show(bounds.max)}; it is not.`)
  }
}

const fits = (type: LogicalType, value: unknown): boolean => {
  switch (type.type) {
    case 'int':
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
      return scalarOf(type, value) !== undefined
    default:
      return true
  }
}

const requireFit = ({ table, name, rows }: Whole): void => {
  for (const row of rows)
    for (const { name: column, type, nullable } of table.schema.columns) {
      const value = row[column]
      if (value === null ? !nullable : !fits(type, value))
        fail(`A row of ${name} does not fit its schema: ${column} is ${show(value)}.`)
    }
}
