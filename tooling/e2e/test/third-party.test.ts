import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TableEngine } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { extract, plan, runCheck } from '@penstock/runtime'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import issuesSource from '../src/third-party-source.ts'

/* The source of the architecture page, in one file, runs through the same extract as S3. */

interface Issue {
  id: number
  title: string
  updated_at: string
}

let issues: Issue[] = []
let server: Server
let folder: string
let engine: TableEngine
const token = 'third-party-token-of-the-test'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-third-'))
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end('{}')
      return
    }
    const page = Number(url.searchParams.get('page') ?? 1)
    const since = url.searchParams.get('since') ?? ''
    const matching = issues.filter((issue) => issue.updated_at >= since)
    response.end(JSON.stringify(matching.slice((page - 1) * 2, page * 2)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  engine = await duckdb(join(folder, 'w.duckdb'))
})
afterAll(async () => {
  await engine.close()
  server.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  issues = [1, 2, 3, 4, 5].map((id) => ({ id, title: `issue ${id}`, updated_at: `2026-01-0${id}T00:00:00Z` }))
})

const source = () => {
  const { port } = server.address() as AddressInfo
  return connect(issuesSource, { repo: 'a/b', token, baseUrl: `http://127.0.0.1:${port}` })
}

const rows = async () => {
  const result = await engine.query('SELECT id::INT, title FROM issues ORDER BY id')
  const all: unknown[] = []
  for await (const chunk of result.rows()) all.push(...chunk)
  return all
}

test('rows of pages become a table, a delta adds what is new and doubles nothing', async () => {
  expect(await runCheck(source())).toMatchObject([{ status: 'passed' }])
  const first = await extract({ source: source(), tables: [{ table: 'issues', mode: 'delta' }], engine })
  expect(first).toMatchObject({
    status: 'succeeded',
    tables: [{ rowsRead: 5, rowsLoaded: 5, rowsRejected: 0 }],
  })
  expect(first.tables[0]?.columns).toEqual([
    { name: 'id', type: 'bigint' },
    { name: 'title', type: 'text' },
    { name: 'updated_at', type: 'timestamp with time zone' },
  ])
  issues.push({ id: 6, title: 'issue 6', updated_at: '2026-01-06T00:00:00Z' })
  issues[1] = { id: 2, title: 'changed', updated_at: '2026-01-07T00:00:00Z' }
  const second = await extract({ source: source(), tables: [{ table: 'issues', mode: 'delta' }], engine })
  expect(second.status).toBe('succeeded')
  expect(await rows()).toEqual([
    [1, 'issue 1'],
    [2, 'changed'],
    [3, 'issue 3'],
    [4, 'issue 4'],
    [5, 'issue 5'],
    [6, 'issue 6'],
  ])
  const third = await extract({ source: source(), tables: [{ table: 'issues', mode: 'delta' }], engine })
  expect(third.status).toBe('succeeded')
  expect((await rows()).length).toBe(6)
})

test('a merge takes the key that the table declares, unless one is given', async () => {
  issues = issues.slice(0, 2)
  await extract({ source: source(), tables: [{ table: 'issues', mode: 'full' }], engine })
  issues = [{ id: 2, title: 'merged', updated_at: '2026-01-09T00:00:00Z' }]
  const merged = await extract({ source: source(), tables: [{ table: 'issues', mode: 'merge' }], engine })
  expect(merged.error).toBeUndefined()
  expect(await rows()).toEqual([
    [1, 'issue 1'],
    [2, 'merged'],
  ])
  issues = [{ id: 3, title: 'merged', updated_at: '2026-01-09T00:00:00Z' }]
  const byTitle = { table: 'issues', mode: 'merge' as const, key: ['title'] }
  expect((await extract({ source: source(), tables: [byTitle], engine })).error).toBeUndefined()
  expect(await rows()).toEqual([
    [1, 'issue 1'],
    [3, 'merged'],
  ])
})

test('a full load replaces the table, also when the source is empty', async () => {
  issues = issues.slice(0, 1)
  await extract({ source: source(), tables: [{ table: 'issues', mode: 'full' }], engine })
  expect(await rows()).toEqual([[1, 'issue 1']])
  issues = []
  const record = await extract({ source: source(), tables: [{ table: 'issues', mode: 'full' }], engine })
  expect(record.status).toBe('succeeded')
  expect(await rows()).toEqual([])
})

test('a row that does not fit the declared schema fails the load with its place and leaves the table', async () => {
  await extract({ source: source(), tables: [{ table: 'issues', mode: 'full' }], engine })
  issues[3] = { id: 4, title: 4 as unknown as string, updated_at: '2026-01-04T00:00:00Z' }
  const record = await extract({ source: source(), tables: [{ table: 'issues', mode: 'full' }], engine })
  expect(record).toMatchObject({
    status: 'failed',
    error: { kind: 'data', place: { table: 'issues', line: 4, column: 'title' } },
  })
  expect((await rows()).length).toBe(5)
})

test('a table that the source does not have is named, with those that it has', async () => {
  const attempt = extract({ source: source(), tables: [{ table: 'isues' }], engine })
  await expect(attempt).rejects.toMatchObject({ kind: 'not-found', hint: expect.stringContaining('issues') })
})

test('a plan shows the columns and loads nothing', async () => {
  const planned = await plan({ source: source(), tables: [{ table: 'issues' }], engine })
  expect(planned.tables[0]?.schema.map((column) => column.name)).toEqual(['id', 'title', 'updated_at'])
})
