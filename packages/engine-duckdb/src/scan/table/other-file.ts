import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, type RangedFile, type ScanColumn, type ScanFile } from '@penstock/core'
import { openCache } from '../fetch/cache.ts'
import { createFooters } from '../fetch/footers.ts'
import { writeAll } from '../fetch/local-file.ts'
import { planRequests } from '../fetch/ranges.ts'
import { createTransport } from '../fetch/transport.ts'
import type { ScanContext } from './context.ts'
import { writeDecoded } from './decoded-rows.ts'
import { type DeletedBits, type ParquetPlan, planParquet } from './parquet-file.ts'
import { writeCsvRows, writeJsonRows } from './text-rows.ts'

/** Bytes of the Parquet copy that DuckDB reads, for each byte of the file: a guess on the high side. */
const copyFactor = 2

/** Plans a file that is no Parquet: it is read whole, and DuckDB turns it into Parquet first. */
export const planOther = (context: ScanContext, scanFile: ScanFile): ParquetPlan => {
  const { file, format, rows } = scanFile
  if (!scanFile.decode && format.type === 'avro')
    throw new ConnectorError('data', `${file.url} is Avro, which can't be read.`, {
      code: 'UnsupportedFormat',
      place: { object: file.url },
      hint: 'Rewrite the table with Parquet as its file format.',
    })
  return Object.freeze({
    file,
    rowGroups: 0,
    rowGroupsKept: 1,
    rows: rows ?? 0,
    start: 0,
    skipped: {},
    defaults: [],
    witnesses: [],
    bytesNeeded: file.size,
    diskBytes: file.size * (1 + copyFactor),
    fetch: async (deleted: DeletedBits | undefined) => {
      const present = scanFile.columns.filter(({ source }) => source.from !== 'constant')
      const path = context.nextPath('.parquet')
      await context.use((connection) => convert(context, connection, scanFile, present, path))
      return finish(context, scanFile, path, deleted)
    },
  })
}

const convert = async (
  context: ScanContext,
  connection: DuckDBConnection,
  scanFile: ScanFile,
  present: readonly ScanColumn[],
  path: string,
): Promise<void> => {
  const { format, decode } = scanFile
  if (decode) {
    const indexes = present.map((column) => scanFile.columns.indexOf(column))
    return writeDecoded(connection, decode({ signal: context.signal }), present, indexes, path)
  }
  const source = await download(context, scanFile.file)
  if (format.type === 'csv')
    return writeCsvRows(
      connection,
      { url: scanFile.file.url, path: source, format },
      present,
      path,
      context.signal,
    )
  if (format.type === 'json' || format.type === 'ndjson')
    return writeJsonRows(
      connection,
      { url: scanFile.file.url, path: source, format },
      present,
      path,
      context.signal,
    )
  throw new ConnectorError('internal', `No way to read ${format.type}.`)
}

/** Adds constants and deletes, as for any other file. */
const finish = async (
  context: ScanContext,
  { file, columns }: ScanFile,
  path: string,
  deleted: DeletedBits | undefined,
): Promise<string> => {
  const local = await localFile(path, file.url)
  const transport = createTransport({ concurrency: undefined, signal: context.signal, onBytes: () => {} })
  const inner: ScanContext = { ...context, transport, cache: openCache(undefined), keep: () => {} }
  const named = columns.map((column): ScanColumn => {
    const { name, type, source } = column
    return { name, type, source: source.from === 'constant' ? source : { from: 'name', name } }
  })
  const options = { transport, cache: inner.cache, onHit: () => {}, wholeFiles: false }
  const footer = await createFooters(options).read(local)
  const request = {
    file: local,
    columns: named,
    filter: undefined,
    hasDeletes: deleted !== undefined,
    hasRoom: false,
  }
  const plan = await planParquet(inner, request, footer)
  return plan.fetch(deleted)
}

/** A local copy, under the name of the file that it was made from. */
const localFile = async (path: string, url: string): Promise<RangedFile> => ({
  url,
  size: (await stat(path)).size,
  read: ({ start, end }) => createReadStream(path, { start, end: end - 1 }),
})

const download = async (context: ScanContext, file: RangedFile): Promise<string> => {
  const path = context.nextPath('.source')
  const target = await open(path, 'wx')
  try {
    const requests = planRequests([{ start: 0, end: file.size }])
    await Promise.all(
      requests.map((range) =>
        context.transport.stream(file, range, (chunks) => writeAll(target, chunks, range.start)),
      ),
    )
  } finally {
    await target.close()
  }
  return path
}
