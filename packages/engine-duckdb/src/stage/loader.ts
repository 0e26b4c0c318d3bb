import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, type StagedFile } from '@penstock/core'
import { duckdbType } from '../logical-types.ts'
import { quoteIdentifier, rowsOf } from '../sql.ts'
import {
  type BadRow,
  badRowError,
  dropErrorTables,
  dropUnparsed,
  findBadRows,
  keepUnparsed,
  noUnparsed,
  rejectColumns,
  rejectValues,
  type Unparsed,
} from './bad-rows.ts'
import { blame } from './blame.ts'
import type { StageColumn } from './columns.ts'
import { isCopied, withCopies } from './copies.ts'
import { type FileGroup, groupFiles, statementsOf, withPaths, withPipe } from './inputs.ts'
import { badColumn, fileColumn, insertSql } from './insert.ts'
import { isPackable, minFiles, type Packed, withPacked } from './packed.ts'
import { isInParts, parquetParts } from './parquet-parts.ts'
import type { TimeFormats } from './proofs.ts'
import type { InputFile, ReadContext, Source } from './reading.ts'
import { alignColumns, defineColumns, typesFor } from './schema.ts'
import type { StageContext, StageOptions } from './types.ts'
import { wayOut } from './way-out.ts'
import { widenColumns } from './widening.ts'

/** What a load has done so far. One object per load, changed by its loader alone. */
export interface LoaderState {
  readonly table: string
  readonly isTemporary: boolean
  readonly rejectsTable: string
  /** Undefined until the first file with records defines them. */
  columns: StageColumn[] | undefined
  exists: boolean
  nextOrdinal: number
  nextTag: number
  inserted: number
  rejected: number
  readonly rejectedByFile: Map<number, number>
  /** First file that a limit cut. */
  cutFrom: number | undefined
}

/** Everything that the steps of loading share. */
export interface LoaderContext {
  readonly connection: DuckDBConnection
  readonly options: StageOptions
  /** Of the call of `addFiles` that is under way. */
  readonly read: ReadContext
  readonly state: LoaderState
  readonly tag: () => string
}

/** Condition that keeps to the rows of these files, and by its range to their row groups: the table grows with a load. */
const ofFiles = ({ files }: FileGroup): string => {
  const ordinals = files.map(({ ordinal }) => ordinal)
  return `${quoteIdentifier(fileColumn)} BETWEEN ${Math.min(...ordinals)} AND ${Math.max(...ordinals)}`
}

const halvesOf = ({ layout, files }: FileGroup): readonly FileGroup[] => {
  const middle = files.length >> 1
  return [files.slice(0, middle), files.slice(middle)].map((half) => ({ layout, files: half }))
}

/** What the statements over a group inserted, and what they could not parse. */
interface Outcome {
  readonly rows: number
  readonly unparsed: Unparsed
}

/** Rejected rows that are held and written at a time: their texts have up to 32 KiB each. */
const rejectPage = 500

export const formatsOf = (file: StagedFile): TimeFormats =>
  file.format.type === 'csv' ? { date: file.format.dateFormat, timestamp: file.format.timestampFormat } : {}

export const createFileLoader = (
  connection: DuckDBConnection,
  options: StageOptions,
  { stagingFolder: folder, copyBytes, ordinal }: StageContext,
  state: LoaderState,
) => {
  const hintOptions = { ...options, intoExisting: state.isTemporary }
  const tag = () => `${ordinal}_${state.nextTag++}`
  let read: ReadContext = { folder, copyBytes, signal: new AbortController().signal }
  const context: LoaderContext = {
    connection,
    options,
    state,
    tag,
    get read() {
      return read
    },
  }

  const createTable = async () => {
    if (state.exists) return
    const columns = (state.columns ?? []).map(
      ({ name, type }) => `${quoteIdentifier(name)} ${duckdbType(type ?? { type: 'string' })}`,
    )
    const hidden = [`${quoteIdentifier(fileColumn)} UINTEGER`, `${quoteIdentifier(badColumn)} INTEGER`]
    const kind = state.isTemporary ? 'TEMP TABLE' : 'TABLE'
    await connection.run(`CREATE OR REPLACE ${kind} ${state.table} (${[...columns, ...hidden].join(', ')})`)
    state.exists = true
  }

  const dropTable = async () => {
    await connection.run(`DROP TABLE IF EXISTS ${state.table}`)
    state.exists = false
  }

  const room = (rows: number) =>
    options.limitRows === undefined
      ? undefined
      : Math.max(0, options.limitRows - state.inserted - state.rejected - rows)

  /** Inserts the rows of a group; what read_csv could not parse comes back by file. */
  const insert = (group: FileGroup): Promise<Outcome> => insertAll(group, { rows: 0, unparsed: noUnparsed })

  /** Small files are read as one as far as they can be; the others by themselves, without a change of their order. */
  const insertAll = async ({ layout, files }: FileGroup, before: Outcome): Promise<Outcome> => {
    let outcome = before
    for (let rest = files; rest.length > 0; ) {
      const packed = isPackable({ layout, files: rest })
        ? await insertPacked({ layout, files: rest }, outcome.rows)
        : undefined
      const part = { layout, files: rest.slice(0, packed?.files) }
      rest = rest.slice(part.files.length)
      if (packed?.result !== undefined) outcome = { ...outcome, rows: outcome.rows + packed.result }
      else if (packed && part.files.length >= 2 * minFiles)
        for (const half of halvesOf(part)) outcome = await insertAll(half, outcome)
      else
        for (const statement of await statementsOf(connection, part, read))
          outcome = await insertPart(statement, outcome)
    }
    return outcome
  }

  const insertFrom = async (source: Source, files: readonly InputFile[], before: number): Promise<number> => {
    const formats = formatsOf(files[0]?.file as StagedFile)
    const statement = insertSql(state.table, state.columns ?? [], source, files, formats, room(before))
    const [row] = await rowsOf(connection, statement)
    return Number(row?.[0] ?? 0)
  }

  const insertPacked = (group: FileGroup, before: number): Promise<Packed<number>> =>
    withPacked(
      connection,
      group,
      typesFor(group.layout, state.columns ?? []),
      { read, tag: tag() },
      (source, files) => insertFrom(source, files, before),
    ).catch(async (error: unknown) => {
      throw await blame(error, group, read)
    })

  const insertPart = async (group: FileGroup, before: Outcome): Promise<Outcome> => {
    if (!isCopied(group))
      return withPaths(group, read, (paths) => insertPaths(group, paths, { before, isPlain: false }))
    const usePlain = (paths: readonly string[]) => insertPaths(group, paths, { before, isPlain: true })
    const inserted = await withCopies(group, read, usePlain)
    if (inserted) return inserted
    if (group.files.length === 1) return withPipe(group, read, usePlain)
    let outcome = before
    for (const half of halvesOf(group)) outcome = await insertPart(half, outcome)
    return outcome
  }

  const insertPaths = async (
    group: FileGroup,
    paths: readonly string[],
    { before, isPlain }: { before: Outcome; isPlain: boolean },
  ): Promise<Outcome> => {
    const { layout, files } = group
    const currentTag = tag()
    try {
      const types = typesFor(layout, state.columns ?? [])
      const source = layout.source(paths, types, { tag: currentTag, isPlain })
      const rows = await insertFrom(source, files, before.rows).catch(async (error: unknown) => {
        throw await blame(error, group, read)
      })
      const unparsed =
        layout.type === 'csv'
          ? await keepUnparsed(connection, before.unparsed, group, paths, currentTag)
          : noUnparsed
      return { rows: before.rows + rows, unparsed }
    } finally {
      if (layout.type === 'csv') await dropErrorTables(connection, currentTag).catch(() => {})
    }
  }

  /** Reasons for which rows of these files are bad. */
  const badColumnsOf = async (group: FileGroup): Promise<number[]> => {
    const bad = quoteIdentifier(badColumn)
    const rows = await rowsOf(
      connection,
      `SELECT DISTINCT ${bad} FROM ${state.table} WHERE ${bad} IS NOT NULL AND ${ofFiles(group)}`,
    )
    return rows.map(([value]) => Number(value)).toSorted((a, b) => a - b)
  }

  const deleteRows = (group: FileGroup) =>
    connection.run(
      `DELETE FROM ${state.table} WHERE ${ofFiles(group)} AND ${quoteIdentifier(fileColumn)} IN (${group.files.map(({ ordinal }) => ordinal).join(', ')})`,
    )

  const loadGroup = async (group: FileGroup, defines: boolean): Promise<void> => {
    let current = await alignColumns(context, group)
    await createTable()
    let outcome = await insert(current)
    // Each round widens at least one column; after a few, all columns are looked at together.
    for (let round = 0; ; round++) {
      const bad = await badColumnsOf(current)
      if (bad.length === 0) break
      const widened = await widenColumns(context, current, bad, { defines, all: round >= 3 })
      if (!widened) break
      current = widened
      if (defines) await dropTable()
      else await deleteRows(current)
      await createTable()
      await dropUnparsed(connection, outcome.unparsed)
      outcome = await insert(current)
    }
    await settle(current, outcome)
  }

  /** Counts what was inserted, and deals with what does not fit. */
  const settle = async (group: FileGroup, outcome: Outcome): Promise<void> => {
    const bad = await badColumnsOf(group)
    const before = state.inserted
    if (bad.length > 0 || outcome.unparsed.counts.size > 0) {
      const taken = await takeBadRows(group, outcome.unparsed)
      state.inserted += outcome.rows - taken
    } else state.inserted += outcome.rows
    if (
      options.limitRows !== undefined &&
      state.inserted + state.rejected >= options.limitRows &&
      state.inserted > before
    )
      state.cutFrom = await firstCutFile(group)
    checkBudget(false)
  }

  /** Removes bad rows from the staging table; returns how many were there. Under `fail` the first one is the error. */
  const takeBadRows = async (group: FileGroup, unparsed: Unparsed): Promise<number> => {
    const [file, bad] = [fileColumn, badColumn].map(quoteIdentifier)
    const counts = new Map(
      (
        await rowsOf(
          connection,
          `SELECT ${file}, count(*) FROM ${state.table} WHERE ${bad} IS NOT NULL AND ${ofFiles(group)} GROUP BY 1`,
        )
      ).map(([ordinal, count]) => [Number(ordinal), Number(count)]),
    )
    const find = (input: InputFile) =>
      findBadRows(connection, input, group, unparsed, {
        read,
        columns: state.columns ?? [],
        formats: formatsOf(input.file),
        tag: tag(),
      })
    for (const input of group.files) {
      const total = (counts.get(input.ordinal) ?? 0) + (unparsed.counts.get(input.ordinal) ?? 0)
      if (total === 0) continue
      if (options.onBadRow === 'fail')
        for await (const first of find(input))
          throw badRowError(first, await wayOut(connection, first, state.columns ?? [], hintOptions))
      state.rejected += total
      state.rejectedByFile.set(input.ordinal, (state.rejectedByFile.get(input.ordinal) ?? 0) + total)
      checkBudget(false)
      await writeRejects(find(input), total)
    }
    await dropUnparsed(connection, unparsed)
    await connection.run(`DELETE FROM ${state.table} WHERE ${bad} IS NOT NULL`)
    return [...counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Under a limit there may be more in the file than were read. */
  const writeRejects = async (rows: AsyncIterable<BadRow>, total: number): Promise<void> => {
    await connection.run(`CREATE TEMP TABLE IF NOT EXISTS ${state.rejectsTable} (${rejectColumns})`)
    let page: BadRow[] = []
    let written = 0
    const write = async () => {
      if (page.length > 0)
        await connection.run(`INSERT INTO temp.${state.rejectsTable} VALUES ${rejectValues(page)}`)
      page = []
    }
    for await (const row of rows) {
      if (page.push(row) >= rejectPage) await write()
      if (++written === total) break
    }
    await write()
  }

  /** A limit cuts the file of the last row; the files after it were not read. */
  const firstCutFile = async (group: FileGroup): Promise<number> => {
    const [row] = await rowsOf(
      connection,
      `SELECT max(${quoteIdentifier(fileColumn)}) FROM ${state.table} WHERE ${quoteIdentifier(fileColumn)} >= ${group.files[0]?.ordinal ?? 0}`,
    )
    return Number(row?.[0] ?? group.files[0]?.ordinal ?? 0)
  }

  /** Throws a `data` error when more rows were rejected than allowed. A share is judged against all rows, at the end. */
  const checkBudget = (isEnd: boolean): void => {
    const budget = options.maxRejects
    if (!budget) return
    const read = state.inserted + state.rejected
    const isOver =
      'count' in budget ? state.rejected > budget.count : isEnd && state.rejected > budget.share * read
    if (!isOver) return
    const allowed = 'count' in budget ? `${budget.count}` : `${budget.share * 100} % of ${read}`
    throw new ConnectorError('data', `${state.rejected} rows were rejected; ${allowed} may be.`, {
      code: 'TooManyRejects',
      place: { table: options.table },
      hint: 'Look at the first bad row with --on-bad-row fail, or raise --max-rejects.',
    })
  }

  const addFiles = async (files: readonly StagedFile[], signal: AbortSignal): Promise<void> => {
    read = { folder, copyBytes, signal }
    const inputs = files.map((file): InputFile => ({ ordinal: state.nextOrdinal++, file }))
    let whole: InputFile[] = []
    for (const input of inputs) {
      if (!isInParts(input.file)) {
        whole.push(input)
        continue
      }
      await addInputs(whole)
      whole = []
      for await (const part of parquetParts(input, read)) {
        await addInputs([part])
        if (room(0) === 0) break
      }
    }
    await addInputs(whole)
  }

  const addInputs = async (inputs: readonly InputFile[]): Promise<void> => {
    const { signal } = read
    let rest = inputs
    while (!state.columns && rest.length > 0) {
      const [first, ...others] = rest
      rest = others
      const [group] = await groupFiles(connection, first ? [first] : [], [], signal)
      if (!group) continue
      const defined = await defineColumns(context, group)
      await loadGroup(defined, true)
    }
    const names = (state.columns ?? []).filter(({ kind }) => kind === 'data').map(({ name }) => name)
    // Rows are numbered by statement, so with `_row` each file has one of its own.
    const numbered = (state.columns ?? []).some(({ name, kind }) => kind === 'lineage' && name === '_row')
    for (const group of await groupFiles(connection, rest, names, signal))
      for (const files of numbered ? group.files.map((file) => [file]) : [group.files])
        await loadGroup({ ...group, files }, false)
  }

  return Object.freeze({ addFiles, createTable, checkBudget })
}
