import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ConnectorError, type FileTable, withContext } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { listTables, runCheck } from '@penstock/runtime'
import { selection, sourceS3 } from '@penstock/source-s3'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { type ForeignLake, openForeignLake } from '../src/foreign-lake.ts'
import { foreignServers } from '../src/servers/index.ts'
import type { ServerFeature } from '../src/servers/server.ts'

/* The source against S3 servers that others wrote, filled by boto3. */

const oddKeys = [
  'odd/with space.csv',
  'odd/quote\'s "both".csv',
  'odd/semi;colon&and=.csv',
  'odd/100%.csv',
  'odd/%2F.csv',
  'odd/a+b.csv',
  'odd/ünïcödé 漢字 😀.csv',
  'odd/(round) [square] {curly}.csv',
  'odd/<xml>&amp;.csv',
  'odd/~!@#$^*,?.csv',
]
const slashedKeys = ['slashes//double.csv', 'slashes/../up.csv', 'slashes/./here.csv']

const ndjson = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({ id: from + index, tag: `t${index % 7}` }),
  ).join('\n')
const csv = (from: number, count: number) =>
  `id,code,amount\n${Array.from({ length: count }, (_, index) => `${from + index},00${index % 10},${index}.25`).join('\n')}\n`

/** Made once for all servers. */
let parquet: Buffer
beforeAll(async () => {
  const engine = await duckdb(':memory:')
  const folder = await mkdtemp(join(tmpdir(), 'penstock-interop-'))
  const path = join(folder, 'payments.parquet')
  await engine.copyTo('SELECT range AS id, range * 1.5 AS amount FROM range(5000)', path, { type: 'parquet' })
  parquet = await readFile(path)
  await engine.close()
  await rm(folder, { recursive: true })
})

describe.each(foreignServers.map((server) => [server.name, server] as const))(
  'source on %s',
  (_, foreign) => {
    let opened: ForeignLake | { readonly missing: string }
    beforeAll(async () => {
      opened = await openForeignLake(foreign)
      if ('missing' in opened) return
      await opened.change({
        put: {
          'crm/customers.csv': csv(0, 300),
          'orders/a.csv.gz': gzipSync(csv(0, 1000)),
          'orders/b.csv.gz': gzipSync(csv(1000, 1000)),
          'events/1.ndjson': ndjson(0, 500),
          'events/2.ndjson': ndjson(500, 500),
          'payments.parquet': parquet,
        },
      })
    })
    afterAll(async () => {
      if (opened && 'close' in opened) await opened.close()
    })

    const lakeOf = (context: TestContext, feature?: ServerFeature): ForeignLake => {
      if ('missing' in opened) return context.skip(opened.missing)
      const lacks = feature && foreign.lacks?.[feature]
      if (lacks !== undefined) return context.skip(`${foreign.name}: ${lacks}`)
      return opened
    }

    test('check passes', async (context) => {
      const steps = await runCheck(lakeOf(context).connection())
      expect(steps.filter(({ status }) => status === 'failed')).toEqual([])
      expect(steps.map(({ status }) => status)).toContain('passed')
    })

    test('check names a wrong secret and a missing bucket', async (context) => {
      const lake = lakeOf(context, 'wrong-secret')
      const { accessKeyId } = lake.server
      const auth = { method: 'access-key', accessKeyId, secretAccessKey: 'wrong' }
      const [failed] = (await runCheck(lake.connection({ auth }))).filter(({ status }) => status === 'failed')
      expect(failed?.error?.kind).toBe('auth')
      expect(failed?.error?.message).toMatch(/secret|signature/i)
      const [lost] = (await runCheck(lake.connection({ bucket: 'no-such-bucket' }))).filter(
        ({ status }) => status === 'failed',
      )
      expect(lost?.error?.kind).toBe('not-found')
      expect(lost?.error?.message).toContain('no-such-bucket')
    })

    test('tables shows folders and files', async (context) => {
      const tables = await listTables(lakeOf(context).connection())
      expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['orders', 'events', 'payments']))
    })

    test('full load of CSV, gzipped CSV, NDJSON and Parquet', async (context) => {
      const lake = lakeOf(context)
      const record = await lake.load(
        { object: 'crm/customers.csv' },
        { folder: 'orders/' },
        { folder: 'events/' },
        { object: 'payments.parquet' },
      )
      expect(record.error).toBeUndefined()
      expect(record.tables.map(({ name, rowsLoaded }) => [name, rowsLoaded])).toEqual([
        ['customers', 300],
        ['orders', 2000],
        ['events', 1000],
        ['payments', 5000],
      ])
      expect(
        await lake.rows('SELECT count(DISTINCT id)::INT, sum(amount)::DOUBLE, min(code) FROM orders'),
      ).toEqual([[2000, 999_500, '000']])
      expect(await lake.rows('SELECT sum(id)::INT, count(DISTINCT tag)::INT FROM events')).toEqual([
        [499_500, 7],
      ])
      expect(await lake.rows('SELECT sum(amount)::DOUBLE FROM payments')).toEqual([[18_746_250]])
    })

    test('delta loads what is new, notices what changed and what is gone', async (context) => {
      const lake = lakeOf(context)
      const delta = { folder: 'delta/', table: 'd', mode: 'delta', lineage: ['_file'] }
      const outcome = async (more: Record<string, unknown> = {}) => {
        const { error, tables } = await lake.load({ ...delta, ...more })
        return error ? error.message : [tables[0]?.status, tables[0]?.objects, tables[0]?.rowsLoaded]
      }
      await lake.change({ put: { 'delta/1.csv': csv(0, 10), 'delta/2.csv': csv(10, 10) } })
      expect(await outcome()).toEqual(['succeeded', 2, 20])
      expect(await outcome()).toEqual(['unchanged', 0, 0])
      await lake.change({ put: { 'delta/3.csv': csv(20, 5) } })
      expect(await outcome()).toEqual(['succeeded', 1, 5])
      await lake.change({ put: { 'delta/1.csv': csv(100, 7) } })
      expect(await outcome()).toContain('delta/1.csv')
      expect(await outcome({ changed: 'replace' })).toEqual(['succeeded', 1, 7])
      await lake.change({ delete: ['delta/2.csv'] })
      await outcome({ deleted: 'remove' })
      expect(await lake.rows('SELECT min(id)::INT, max(id)::INT, count(*)::INT FROM d')).toEqual([
        [20, 106, 12],
      ])
    })

    for (const [title, feature, keys] of [
      ['of odd characters', 'odd-keys', oddKeys],
      ['with empty and dotted segments', 'slashes', slashedKeys],
    ] as const)
      test(`keys ${title} load, one by one and as a folder`, async (context) => {
        const lake = lakeOf(context, feature)
        await lake.change({ put: Object.fromEntries(keys.map((key, index) => [key, `id\n${index}\n`])) })
        const folder = `${feature === 'slashes' ? 'slashes' : 'odd'}/`
        const record = await lake.load(
          { folder, table: 'together', lineage: ['_file'] },
          ...keys.map((object, index) => ({ object, table: `one_${index}` })),
        )
        expect(record.error).toBeUndefined()
        const files = (await lake.rows('SELECT _file, id::INT FROM together ORDER BY id')) as [
          string,
          number,
        ][]
        expect(files.map(([file, id]) => [keys.find((key) => file.endsWith(key)), id])).toEqual(
          keys.map((key, index) => [key, index]),
        )
        for (const index of keys.keys())
          expect(await lake.rows(`SELECT id::INT FROM one_${index}`)).toEqual([[index]])
      })

    test('a large object of many parts, by ranges', async (context) => {
      const lake = lakeOf(context)
      const body = Buffer.from(csv(0, 1_500_000))
      await lake.change({ large: { key: 'large.csv', body } })
      const record = await lake.load({ object: 'large.csv' })
      expect(record.error).toBeUndefined()
      expect(record.tables[0]).toMatchObject({ rowsLoaded: 1_500_000, bytes: body.length })
      expect(await lake.rows('SELECT count(DISTINCT id)::INT, sum(id)::DOUBLE FROM large')).toEqual([
        [1_500_000, 1_124_999_250_000],
      ])
    })

    test('an object that was overwritten after the listing is a conflict, never other bytes', async (context) => {
      const lake = lakeOf(context, 'conditions')
      await lake.change({ put: { 'moving/a.csv': csv(0, 10) } })
      await withContext(lake.connection(), async (given) => {
        const source = given as Parameters<typeof sourceS3.check>[0]
        const [selected] = (await sourceS3.select?.(source, selection.parse({ folder: 'moving/' }))) ?? []
        const table = selected as FileTable
        const [entry] = (await Array.fromAsync(table.list({ signal: source.signal }))).flat()
        if (!entry) throw new Error('nothing was listed')
        await lake.change({ put: { 'moving/a.csv': csv(500, 10) } })
        const download = table.open(entry).download?.(join(lake.folder, 'moving'))
        const error = await Promise.resolve(download).catch((thrown: unknown) => thrown)
        expect(ConnectorError.isInstance(error) && error.kind).toBe('conflict')
      })
    })

    test('a listing of several pages', async (context) => {
      const lake = lakeOf(context)
      const put = Object.fromEntries(
        Array.from({ length: 1100 }, (_, index) => [`many/${index} é+.csv`, `id\n${index}\n`]),
      )
      await lake.change({ put })
      const record = await lake.load({ folder: 'many/' })
      expect(record.error).toBeUndefined()
      expect(await lake.rows('SELECT count(*)::INT, sum(id)::INT FROM many')).toEqual([[1100, 604_450]])
    })
  },
)
