import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { csvEmptyIsNull, csvExportOptions, csvOptionIssues, type TableEngine } from '@penstock/core'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo, extract } from '@penstock/runtime'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { decrypt, generateKey, type PrivateKey, readMessage } from 'openpgp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectRecords } from '../src/csv-records.ts'
import { type Lake, openLake } from '../src/lake.ts'
import { selectOf, sqlTypes, type TypedRow, typedRows } from '../src/typed-rows.ts'

/*
 * What is exported is read back by others: by the S3 source into a table that equals the first one, and by parsers
 * that have nothing to do with Penstock. `PENSTOCK_ROUNDS=200` tries more values.
 */

const rounds = Number(process.env.PENSTOCK_ROUNDS ?? 6)

let lake: Lake
let engine: TableEngine
let privateKey: PrivateKey
let publicKey: string
beforeAll(async () => {
  const keys = await generateKey({ userIDs: [{ name: 'partner' }], type: 'ecc', format: 'object' })
  privateKey = keys.privateKey
  publicKey = keys.publicKey.armor()
  lake = await openLake('exports')
  engine = await duckdb(lake.database)
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const destination = () => {
  const { endpoint, root } = lake.aws
  return s3Destination(
    {
      region: 'us-east-1',
      bucket: lake.bucket,
      endpoint,
      forcePathStyle: true,
      auth: { method: 'access-key', ...root },
    },
    { name: 'lake' },
  )
}

type Options = NonNullable<
  Parameters<typeof exportTo<ReturnType<typeof destination>['connector']>>[0]['options']
>

const decrypted = async (bytes: Buffer): Promise<Buffer> => {
  const message = await readMessage({ binaryMessage: bytes })
  const { data } = await decrypt({ message, decryptionKeys: privateKey, format: 'binary' })
  return Buffer.from(data as Uint8Array)
}

/** Encrypted for a partner, or not. */
const encryption = fc.boolean()

/** Exports rows and gives the bytes of the one file, decrypted, and a key at which they are. */
const exported = async (
  rows: readonly TypedRow[],
  encrypted: boolean,
  options: Options,
): Promise<{ key: string; bytes: Buffer }> => {
  const record = await exportTo({
    destination: destination(),
    streams: [{ sql: selectOf(rows), name: 'typed' }],
    options: {
      ...options,
      keyTemplate: 'trip/{run_id}.{extension}',
      ...(encrypted && { publicKey }),
    },
    engine,
  })
  expect(record.error).toBeUndefined()
  const [file, ...others] = record.export?.streams[0]?.written ?? []
  expect(others).toEqual([])
  if (!file) throw new Error('no file')
  expect(file.rows).toBe(rows.length)
  const bytes = await lake.aws.s3.getObject(lake.bucket, file.name)
  expect(bytes.length).toBe(file.size)
  if (!encrypted) return { key: file.name, bytes }
  expect(file.name).toMatch(/\.gpg$/)
  const key = file.name.replace(/\.gpg$/, '')
  const plain = await decrypted(bytes)
  await lake.put(key, plain)
  return { key, bytes: plain }
}

/** Reads the object with the source, and compares it with what was exported, in SQL. */
const readBack = async (
  rows: readonly TypedRow[],
  key: string,
  request: object,
  { except = [], from = 'back' }: { except?: readonly string[]; from?: string } = {},
): Promise<void> => {
  const loaded = await extract({
    source: lake.source(),
    tables: [{ object: key, table: 'back', ...request } as never],
    engine,
  })
  expect(loaded.error).toBeUndefined()
  const columns = Object.entries(sqlTypes)
    .filter(([name]) => !except.includes(name))
    .map(([name, type]) => (name === 'l' || name === 's' ? nested(name, type) : `"${name}"::${type}`))
    .join(', ')
  const difference = `WITH a AS (SELECT id, ${columns} FROM ${from}), b AS (SELECT id, ${columns} FROM (${selectOf(rows)}))
    SELECT * FROM ((FROM a EXCEPT ALL FROM b) UNION ALL (FROM b EXCEPT ALL FROM a))`
  const result = await engine.query(difference)
  const left: unknown[] = []
  for await (const page of result.rows()) left.push(...page)
  expect(left).toEqual([])
}

/** Nested values come back as JSON text or as themselves, by the format: both sides as the same type. */
const nested = (name: 'l' | 's', type: string): string => `to_json("${name}")::JSON::VARCHAR::JSON::${type}`

const decompressed = (bytes: Buffer, compression: string): Buffer =>
  compression === 'gzip' ? gunzipSync(bytes) : compression === 'zstd' ? zstdDecompressSync(bytes) : bytes

const compression = fc.constantFrom('none' as const, 'gzip' as const, 'zstd' as const)

const csvOptions = fc
  .record({
    compression,
    delimiter: fc.constantFrom(',', ';', 'tab', '|', ':', '§', '🦆'),
    escape: fc.constantFrom('"' as const, '\\' as const, "'" as const),
    quoteAll: fc.boolean(),
    header: fc.boolean(),
    nullValue: fc.constantFrom('', 'NULL', '\\N', '""'),
    emptyValue: fc.constantFrom(undefined, '', '""', 'EMPTY'),
    dateFormat: fc.constantFrom(undefined, '%d.%m.%Y'),
    timestampFormat: fc.constantFrom(undefined, '%Y/%m/%d %H-%M-%S.%f'),
    encoding: fc.constantFrom('utf-8' as const, 'utf-16' as const),
    lineSeparator: fc.constantFrom('lf' as const, 'crlf' as const),
  })
  // Who asks for one value for both gets it, and what writes both alike unasked is refused: tests of the engine.
  .filter((given) => {
    const { compression: _, delimiter, ...others } = given
    const format = csvExportOptions.parse({ ...others, delimiter: characterOf(delimiter) })
    return csvOptionIssues(format).length === 0 && !csvEmptyIsNull(format)
  })

type CsvOptions = typeof csvOptions extends fc.Arbitrary<infer Value> ? Value : never

const characterOf = (delimiter: string): string => (delimiter === 'tab' ? '\t' : delimiter)

const columnNames = ['id', ...Object.keys(sqlTypes)]

test('CSV, every option, read by another parser', async () => {
  await fc.assert(
    fc.asyncProperty(typedRows, encryption, csvOptions, async (rows, encrypted, options) => {
      const { bytes } = await exported(rows, encrypted, { fileType: 'csv', ...options })
      const plain = decompressed(bytes, options.compression)
      const text = new TextDecoder(options.encoding === 'utf-16' ? 'utf-16le' : 'utf-8').decode(plain)
      const nullText = options.nullValue
      const parsed = parse(text, {
        delimiter: characterOf(options.delimiter),
        escape: options.escape,
        record_delimiter: options.lineSeparator === 'lf' ? '\n' : '\r\n',
        cast: (value, { quoting }) => {
          if (nullText === '""') return quoting && value === '' ? null : value
          return !quoting && value === nullText ? null : value
        },
      }) as unknown as (string | null)[][]
      if (options.header) expect(parsed.shift()).toEqual(columnNames)
      expectRecords(parsed, rows, options)
    }),
    { numRuns: rounds * 2, endOnFailure: true },
  )
}, 120_000)

const bareOptions = fc.record({
  delimiter: fc.constantFrom('|', '§', 'tab'),
  header: fc.boolean(),
  nullValue: fc.constantFrom('', 'NULL', '\\N', '""'),
  emptyValue: fc.constantFrom('EMPTY', '""', '-'),
  dateFormat: fc.constantFrom(undefined, '%d.%m.%Y'),
  timestampFormat: fc.constantFrom(undefined, '%Y/%m/%d %H-%M-%S.%f'),
})

test('CSV without a quote: what can be written comes back, the rest is refused with its row', async () => {
  await fc.assert(
    fc.asyncProperty(typedRows, bareOptions, async (rows, options) => {
      const { nullValue, emptyValue, header } = options
      fc.pre(nullValue !== emptyValue)
      const delimiter = characterOf(options.delimiter)
      // JSON writes a line break and a tab with a backslash.
      const isWritable = ({ t, u, s }: TypedRow): boolean =>
        [t, u].every((value) => value === null || !(value === nullValue && value !== '')) &&
        ![t, u].some((value) => value !== null && (value.includes(delimiter) || /[\r\n]/.test(value))) &&
        !JSON.stringify(s).includes(delimiter)
      const fileOptions = { fileType: 'csv', quote: 'none', ...options } as const
      const refused = rows.findIndex((row) => !isWritable(row))
      if (refused >= 0) {
        const record = await exportTo({
          destination: destination(),
          streams: [{ sql: selectOf(rows), name: 'typed' }],
          options: { ...fileOptions, keyTemplate: 'trip/{uuid}.{extension}' },
          engine,
        })
        expect(record.error).toMatchObject({ code: 'Unwritable', place: { line: refused + 1 } })
        return
      }
      const { bytes } = await exported(rows, false, fileOptions)
      const lines = bytes.toString('utf8').slice(0, -1).split('\n')
      if (header) expect(lines.shift()?.split(delimiter)).toEqual(columnNames)
      const records = lines.map((line) =>
        line.split(delimiter).map((field) => (field === nullValue ? null : field)),
      )
      expectRecords(records, rows, options)
    }),
    { numRuns: rounds * 2, endOnFailure: true },
  )
}, 120_000)

test('CSV of one column: a null comes back as a null, an empty text as an empty text', async () => {
  const values = ["'a'", 'NULL', "''", "'b'", 'NULL']
  for (const options of [{}, { lineSeparator: 'crlf' }, { nullValue: 'NULL' }, { quoteAll: true }] as const) {
    const record = await exportTo({
      destination: destination(),
      streams: [
        { sql: `SELECT * FROM (VALUES ${values.map((value) => `(${value})`).join(', ')}) v(t)`, name: 'one' },
      ],
      options: { ...options, keyTemplate: 'one/{run_id}.csv' },
      engine,
    })
    expect(record.error).toBeUndefined()
    const object = record.export?.streams[0]?.written[0]?.name ?? ''
    const nullStrings = 'nullValue' in options ? { nullStrings: [options.nullValue] } : {}
    const loaded = await extract({
      source: lake.source(),
      tables: [{ object, table: 'one_back', header: true, ...nullStrings }],
      engine,
    })
    expect(loaded.error).toBeUndefined()
    const back: unknown[] = []
    for await (const page of (await engine.query('SELECT t FROM one_back')).rows())
      back.push(...page.map(([value]) => value))
    expect(back).toEqual(['a', null, '', 'b', null])
  }
})

const types = {
  id: 'bigint',
  n: 'bigint',
  t: 'text',
  u: 'text',
  d: 'decimal(30,6)',
  day: 'date',
  z: 'timestamp with time zone',
  w: 'timestamp',
  yes: 'boolean',
  f: 'double',
  l: 'json',
  s: 'json',
}

/** The same, of a file without a header, and a query that gives its columns their names. */
const byPlace = Object.fromEntries(Object.values(types).map((type, index) => [`column${index + 1}`, type]))
const byName = `(SELECT ${columnNames.map((name, index) => `column${index + 1} AS "${name}"`).join(', ')} FROM back)`

/** How the source is told of the options of an export. */
const sourceOptions = (options: CsvOptions) => ({
  header: options.header,
  delimiter: characterOf(options.delimiter),
  ...(options.dateFormat === undefined ? {} : { dateFormat: options.dateFormat }),
  ...(options.timestampFormat === undefined ? {} : { timestampFormat: options.timestampFormat }),
  escape: options.escape,
  encoding: options.encoding,
  nullStrings: [options.nullValue],
})

test('CSV, every option, read by the source', async () => {
  await fc.assert(
    fc.asyncProperty(typedRows, encryption, csvOptions, async (rows, encrypted, options) => {
      // DuckDB's reader knows no such null texts, and no text for an empty one.
      fc.pre(options.nullValue !== '""' && !options.nullValue.includes(options.escape))
      fc.pre(options.emptyValue !== 'EMPTY')
      const { key } = await exported(rows, encrypted, { fileType: 'csv', ...options })
      const columns = options.header ? types : byPlace
      await readBack(
        rows,
        key,
        { columns, ...sourceOptions(options) },
        options.header ? {} : { from: byName },
      )
    }),
    { numRuns: rounds * 2, endOnFailure: true },
  )
}, 120_000)

/** A decimal number without the zeros at its end. */
const digits = (text: string): string => text.replace(/\.?0*$/, '')

test('NDJSON, read by a JSON parser and by the source', async () => {
  await fc.assert(
    fc.asyncProperty(typedRows, encryption, compression, async (rows, encrypted, compression) => {
      const { key, bytes } = await exported(rows, encrypted, { fileType: 'json', compression })
      const lines = decompressed(bytes, compression).toString('utf8').trimEnd().split('\n')
      expect(lines).toHaveLength(rows.length)
      for (const [index, row] of rows.entries()) {
        const line = lines[index] ?? ''
        const { id, t, u, day, z, w, yes, f, l, s } = JSON.parse(line)
        expect({ id, t, u, day, z, w, yes, f, l, s }).toEqual({
          id: index,
          t: row.t,
          u: row.u,
          day: row.day,
          z: row.z,
          w: row.w,
          yes: row.yes,
          f: row.f,
          l: row.l,
          s: row.s,
        })
        if (row.n !== null) expect(line).toContain(`"n":${row.n},`)
        // JSON.parse would round it.
        if (row.d !== null) expect(digits(/"d":(-?[\d.]+),/.exec(line)?.[1] ?? '')).toBe(digits(row.d))
      }
      await readBack(rows, key, { columns: { ...types, d: 'double' } }, { except: ['d'] })
    }),
    { numRuns: rounds, endOnFailure: true },
  )
}, 120_000)

/** hyparquet takes a byte order mark at the beginning of a text away. */
const unmarked = (text: string): string => text.replace(/^\ufeff/, '')

test('Parquet, every compression, read by hyparquet and by the source', async () => {
  const codecs = fc.constantFrom('none' as const, 'snappy' as const, 'zstd' as const, 'gzip' as const)
  await fc.assert(
    fc.asyncProperty(typedRows, encryption, codecs, async (rows, encrypted, compression) => {
      const { key, bytes } = await exported(rows, encrypted, { fileType: 'parquet', compression })
      const { buffer, byteOffset, length } = bytes
      const file = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer
      const objects = await parquetReadObjects({ file, compressors })
      expect(objects).toHaveLength(rows.length)
      for (const [index, row] of rows.entries()) {
        const { n, t, u, yes, f, l, s } = objects[index] ?? {}
        expect({ n: n === null ? null : String(n), t, u, yes, f }).toEqual({
          n: row.n,
          t: row.t && unmarked(row.t),
          u: unmarked(row.u),
          yes: row.yes,
          f: row.f,
        })
        expect(l?.map((entry: bigint | null) => (entry === null ? null : Number(entry))) ?? null).toEqual(
          row.l,
        )
        expect(s ? { a: s.a, b: Number(s.b) } : null).toEqual(
          row.s && { ...row.s, a: row.s.a && unmarked(row.s.a) },
        )
      }
      await readBack(rows, key, {})
    }),
    { numRuns: rounds, endOnFailure: true },
  )
}, 120_000)
