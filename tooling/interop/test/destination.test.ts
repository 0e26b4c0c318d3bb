import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunRecord } from '@penstock/core'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo, runCheck, sweepDestination } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { type ForeignLake, openForeignLake } from '../src/foreign-lake.ts'
import { findPython } from '../src/programs.ts'
import { run } from '../src/run.ts'
import { foreignServers } from '../src/servers/index.ts'

/*
 * Exports to S3 servers that others wrote: what boto3 reads there is what the manifest says, append and overwrite do
 * what they are for, and nothing is left behind. A server without conditional writes is refused, by check and by a run.
 */

const bucket = 'interop'

interface Found {
  readonly objects: Readonly<Record<string, { readonly sha256: string }>>
  readonly uploads: number
}

const found = async ({ server }: ForeignLake): Promise<Found> => {
  const python = findPython('boto3')
  if ('missing' in python) throw new Error(python.missing)
  const script = fileURLToPath(new URL('../src/digest.py', import.meta.url))
  const { endpoint, region, accessKeyId, secretAccessKey } = server
  const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  const { output } = await run(python.python, [script, endpoint, region, bucket], { environment })
  return JSON.parse(output.toString()) as Found
}

describe.each(foreignServers.map((server) => [server.name, server] as const))(
  'exports to %s',
  (_, foreign) => {
    let opened: ForeignLake | { readonly missing: string }
    beforeAll(async () => {
      opened = await openForeignLake(foreign)
    }, 180_000)
    afterAll(async () => {
      if (opened && !('missing' in opened)) await opened.close()
    })

    const destination = ({ server: { endpoint, region, accessKeyId, secretAccessKey } }: ForeignLake) =>
      s3Destination({
        ...{ region, bucket, endpoint, forcePathStyle: true, maxAttempts: 4, prefix: 'out/' },
        auth: { method: 'access-key', accessKeyId, secretAccessKey },
      })

    /** One small file in one request, one of several parts. */
    const exported = async (lake: ForeignLake, mode: 'append' | 'overwrite'): Promise<RunRecord> => {
      const engine = await duckdb(join(lake.folder, 'export.duckdb'))
      try {
        return await exportTo({
          destination: destination(lake),
          engine,
          mode,
          name: 'both',
          streams: [
            { sql: 'SELECT range AS id FROM range(1000)', name: 'small' },
            { sql: "SELECT range AS id, repeat('é', 500) AS text FROM range(20000)", name: 'large' },
          ],
          options: { fileType: 'csv', manifest: true, keyTemplate: '{stream_name}_{run_id}' },
        })
      } finally {
        await engine.close()
      }
    }

    /** A server that the destination can do nothing with. */
    const lacksConditions = async (lake: ForeignLake): Promise<boolean> => {
      const steps = await runCheck(destination(lake))
      const failed = steps.filter(({ status }) => status === 'failed')
      if (failed.length === 0) return false
      expect(failed.map(({ error }) => error?.code)).toEqual(['NoConditionalWrites'])
      const { error } = await exported(lake, 'append')
      expect(error?.message).toMatch(/^This store /)
      expect(error?.code).toBe('NoConditionalWrites')
      return true
    }

    test('append and overwrite are what boto3 reads, and what the manifest says', async (context: TestContext) => {
      if ('missing' in opened) return context.skip(opened.missing)
      const lake = opened
      if (await lacksConditions(lake)) return
      const first = await exported(lake, 'append')
      expect(first.error).toBeUndefined()
      const second = await exported(lake, 'append')
      expect(second.error).toBeUndefined()
      const files = (record: RunRecord) => record.export?.streams.flatMap(({ written }) => written) ?? []
      const visible = (objects: Found['objects']) =>
        Object.keys(objects)
          .filter((key) => key.endsWith('.csv'))
          .toSorted()
      const both = [...files(first), ...files(second)].map(({ name }) => name)
      const { objects, uploads } = await found(lake)
      expect(visible(objects)).toEqual(both.toSorted())
      expect(uploads).toBe(0)
      const text = `id,text\n${Array.from({ length: 20_000 }, (_, id) => `${id},${'é'.repeat(500)}\n`).join('')}`
      const large = files(first).find(({ stream }) => stream === 'large')
      expect(large?.size).toBe(Buffer.byteLength(text))
      expect(objects[large?.name ?? '']?.sha256).toBe(createHash('sha256').update(text).digest('hex'))

      const third = await exported(lake, 'overwrite')
      expect(third.error).toBeUndefined()
      expect(third.export?.removed).toBe(6)
      const after = await found(lake)
      expect(visible(after.objects)).toEqual(
        files(third)
          .map(({ name }) => name)
          .toSorted(),
      )
      expect(after.uploads).toBe(0)
      const loaded = await lake.load({ object: files(third)[0]?.name, table: 'small' })
      expect(loaded.tables[0]).toMatchObject({ rowsLoaded: 1000 })
      expect(await sweepDestination(destination(lake))).toMatchObject({ found: 0 })
    })
  },
)
