import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { s3 } from '@penstock/source-s3'
import { findPython } from './programs.ts'
import { run } from './run.ts'
import type { ForeignServer, RunningServer } from './servers/server.ts'

type Table = Parameters<typeof extract>[0]['tables'][number]

/** A bucket of a foreign server that boto3 fills, the source on it, and a database to load into. */
export interface ForeignLake {
  readonly server: RunningServer
  readonly folder: string
  readonly connection: (fields?: Record<string, unknown>) => ReturnType<typeof s3>
  readonly change: (changes: {
    put?: Record<string, string | Buffer>
    delete?: readonly string[]
    large?: { readonly key: string; readonly body: Buffer }
  }) => Promise<void>
  readonly load: (...tables: Record<string, unknown>[]) => ReturnType<typeof extract>
  readonly rows: (sql: string) => Promise<unknown[][]>
  readonly close: () => Promise<void>
}

const bucket = 'interop'

/** Starts a server; gives the reason when it, or boto3, is not there. */
export const openForeignLake = async (
  foreign: ForeignServer,
): Promise<ForeignLake | { readonly missing: string }> => {
  const found = findPython('boto3')
  if ('missing' in found) return found
  const folder = await mkdtemp(join(tmpdir(), 'penstock-interop-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'server'))
  let server: RunningServer
  try {
    const started = await foreign.start(join(folder, 'server'))
    if ('missing' in started) {
      await remove()
      return { missing: `${foreign.name}: ${started.missing}` }
    }
    server = started
  } catch (error) {
    await remove()
    return { missing: `${foreign.name} did not start: ${error instanceof Error ? error.message : error}` }
  }
  const { endpoint, region, accessKeyId, secretAccessKey } = server
  const seed = fileURLToPath(new URL('seed.py', import.meta.url))
  const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  const applyPlan = async (plan: Record<string, unknown>) => {
    const path = join(folder, 'plan.json')
    await writeFile(path, JSON.stringify(plan))
    await run(found.python, [seed, endpoint, region, bucket, path], { environment })
  }
  let files = 0
  const fileOf = async (body: string | Buffer) => {
    const file = join(folder, `body-${files++}`)
    await writeFile(file, body)
    return file
  }
  const connection: ForeignLake['connection'] = (fields = {}) =>
    s3({
      ...{ region, bucket, endpoint, forcePathStyle: true, maxAttempts: 4 },
      auth: { method: 'access-key', accessKeyId, secretAccessKey },
      ...fields,
    })
  const database = join(folder, 'warehouse.duckdb')
  const close = async () => {
    await server.stop()
    await remove()
  }
  try {
    await applyPlan({ create: true })
  } catch (error) {
    await close()
    throw error
  }
  return {
    server,
    folder,
    connection,
    async change({ put = {}, delete: gone = [], large }) {
      const puts: { key: string; file: string }[] = []
      for (const [key, body] of Object.entries(put)) puts.push({ key, file: await fileOf(body) })
      const big = large && { large: { key: large.key, file: await fileOf(large.body) } }
      await applyPlan({ put: puts, delete: gone, ...big })
    },
    async load(...tables) {
      const engine = await duckdb(database)
      try {
        return await extract({ source: connection(), tables: tables as unknown as Table[] as [], engine })
      } finally {
        await engine.close()
      }
    },
    async rows(sql) {
      const engine = await duckdb(database, { readOnly: true })
      try {
        const result = await engine.query(sql)
        const all: unknown[][] = []
        for await (const chunk of result.rows()) all.push(...chunk.map((row) => [...row]))
        return all
      } finally {
        await engine.close()
      }
    },
    close,
  }
}
