import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, onTestFinished, test } from 'vitest'
import { duckdb } from '../src/index.ts'
import { startChild } from './processes/child.ts'
import { failure, file, load, rows } from './support.ts'

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-open-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A database with a loaded table `t`, closed. */
const newDatabase = async (folder = newFolder()): Promise<string> => {
  const path = join(folder, 'w.duckdb')
  const engine = await duckdb(path)
  await load(engine, [file({ folder, engine }, 'a.csv', 'id\n1\n2\n')])
  await engine.close()
  return path
}

/** Runs SQL on a closed database as another program would. */
const alter = async (path: string, sql: string): Promise<void> => {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  await connection.run(sql)
  connection.closeSync()
  instance.closeSync()
}

describe('two processes on one file', () => {
  test('a writer keeps others out; the error names its process', async () => {
    const path = await newDatabase()
    const child = startChild('open-and-wait.ts', [path, 'write'])
    await child.line('open')
    for (const readOnly of [false, true]) {
      const error = await failure(duckdb(path, { readOnly }))
      expect(error).toMatchObject({ kind: 'conflict', code: 'DatabaseLocked' })
      expect(error.message).toContain(path)
      expect(error.message).toContain(String(child.pid))
      expect(error.hint).toBeTruthy()
    }
    expect(await child.finish()).toBe(0)
    const engine = await duckdb(path)
    expect(await engine.tables()).toEqual(['t'])
    await engine.close()
  })

  test('readers share, and keep a writer out', async () => {
    const path = await newDatabase()
    const child = startChild('open-and-wait.ts', [path, 'read'])
    expect(await child.line('open')).toBe('open ["t"]')
    const reader = await duckdb(path, { readOnly: true })
    expect(await rows(reader, 'SELECT sum(id) FROM t')).toEqual([[3]])
    await reader.close()
    expect(await failure(duckdb(path))).toMatchObject({ kind: 'conflict', code: 'DatabaseLocked' })
    await child.finish()
  })

  test('a second engine of the same process is refused, and the lock holds all the same', async () => {
    const path = await newDatabase()
    const engine = await duckdb(path)
    expect(await failure(duckdb(path))).toMatchObject({ kind: 'conflict' })
    expect(await failure(duckdb(path, { readOnly: true }))).toMatchObject({ kind: 'conflict' })
    expect(await startChild('open-and-wait.ts', [path, 'write']).line('')).toContain('refused')
    await engine.close()
    expect(await startChild('open-and-wait.ts', [path, 'write']).line('')).toContain('open')
  })

  test('close releases the file at once, also with a query and a transaction left open', async () => {
    const path = await newDatabase()
    const engine = await duckdb(path)
    await engine.query('FROM t')
    await engine.begin({ runId: 'r', signal: new AbortController().signal })
    await engine.close()
    await engine.close()
    expect(await startChild('open-and-wait.ts', [path, 'write']).line('')).toBe('open ["t"]')
  })
})

describe('reading only', () => {
  test('reads, compares, and writes nothing', async () => {
    const path = await newDatabase()
    const before = readFileSync(path)
    const engine = await duckdb(path, { readOnly: true })
    expect((await engine.describe('t'))?.columns.map(({ name }) => name)).toEqual(['id'])
    expect(await engine.runs()).toHaveLength(1)
    await engine.recordRun({
      runId: 'x',
      command: 'x',
      connector: 's3',
      status: 'failed',
      startedAt: new Date().toISOString(),
      tables: [],
    })
    expect(await engine.runs()).toHaveLength(1)
    const transaction = await engine.begin({ runId: 'r', signal: new AbortController().signal })
    const comparison = await transaction.compare('t', (async function* () {})())
    expect(comparison.deleted.objects).toBe(1)
    const options = { table: 't', mode: 'full', schemaPolicy: 'strict', onBadRow: 'fail' } as const
    expect(await failure(transaction.load(options))).toMatchObject({ code: 'ReadOnly' })
    await transaction.rollback()
    expect(await failure(engine.query('DROP TABLE t'))).toMatchObject({ kind: 'config' })
    await engine.close()
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test('of a database without bookkeeping, all objects are new', async () => {
    const path = join(newFolder(), 'plain.duckdb')
    await alter(path, 'CREATE TABLE t AS SELECT 1 AS id')
    const engine = await duckdb(path, { readOnly: true })
    expect(await engine.runs()).toEqual([])
    const transaction = await engine.begin({ runId: 'r', signal: new AbortController().signal })
    const entry = { container: 'b', key: 'k', version: 'v', size: 7, modified: 0 }
    const listing = (async function* () {
      yield [entry]
    })()
    const comparison = await transaction.compare('t', listing)
    expect(comparison.added).toEqual({ objects: 1, bytes: 7 })
    expect(await transaction.cursor('t')).toBeUndefined()
    await transaction.rollback()
    await engine.close()
  })

  test('a database that is not there is not made', async () => {
    const path = join(newFolder(), 'none.duckdb')
    expect(await failure(duckdb(path, { readOnly: true }))).toMatchObject({ kind: 'not-found' })
  })

  test('a file that this user may not write', async ({ skip }) => {
    const root = process.getuid?.() === 0
    if (process.platform === 'win32') skip('permissions work otherwise there')
    const path = await newDatabase()
    chmodSync(path, 0o444)
    chmodSync(join(path, '..'), 0o755)
    const nobody = root ? { uid: 65_534 } : {}
    const writer = await startChild('open-and-wait.ts', [path, 'write'], nobody).line('')
    expect(writer).toContain('refused')
    expect(JSON.parse(writer.replace('refused ', ''))).toMatchObject({ kind: 'permission' })
    expect(await startChild('open-and-wait.ts', [path, 'read'], nobody).line('')).toBe('open ["t"]')
  })
})

describe('what is not a database that this version can use', () => {
  const foreign: [string, string | Buffer][] = [
    ['text', 'hello world, this is not a database\n'.repeat(500)],
    ['a short file', 'hello'],
    ['an empty file', ''],
    ['Parquet', `PAR1${'x'.repeat(20_000)}`],
    ['SQLite', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8_192)])],
  ]
  test.each(foreign)('%s', async (_name, content) => {
    const path = join(newFolder(), 'x.duckdb')
    writeFileSync(path, content)
    const error = await failure(duckdb(path))
    expect(error).toMatchObject({ kind: 'config', code: 'NotADatabase' })
    expect(error.message).toContain(path)
    expect(error.hint).toBeTruthy()
    expect(readFileSync(path).equals(Buffer.from(content as string))).toBe(true)
  })

  test('a folder, and a path in a folder that is not there', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'd'))
    expect(await failure(duckdb(join(folder, 'd')))).toMatchObject({ kind: 'config' })
    expect(await failure(duckdb(join(folder, 'no', 'x.duckdb')))).toMatchObject({ kind: 'not-found' })
  })

  test('a file of a later storage version: the DuckDB that wrote it is named', async () => {
    const path = await newDatabase()
    const bytes = readFileSync(path)
    bytes.writeBigUInt64LE(999n, 12)
    bytes.write('v9.9.9\0', 52, 'latin1')
    writeFileSync(path, bytes)
    const error = await failure(duckdb(path))
    expect(error).toMatchObject({ kind: 'config', code: 'NewerDatabase' })
    expect(error.message).toContain('v9.9.9')
  })

  test('bookkeeping of a later version is left alone', async () => {
    const path = await newDatabase()
    await alter(path, `UPDATE _penstock.meta SET format = 99, written_by = '9.1.0'`)
    for (const readOnly of [false, true]) {
      const error = await failure(duckdb(path, { readOnly }))
      expect(error).toMatchObject({ kind: 'config', code: 'NewerDatabase' })
      expect(`${error.message} ${error.hint}`).toContain('9.1.0')
    }
  })

  test('a damaged file', async () => {
    const path = await newDatabase()
    const bytes = readFileSync(path)
    for (let at = 4_096 + 64; at < 12_288; at += 7) bytes[at] = (bytes[at] ?? 0) ^ 0xff
    writeFileSync(path, bytes)
    expect(await failure(duckdb(path))).toMatchObject({ kind: 'data', code: 'CorruptDatabase' })
  })
})
